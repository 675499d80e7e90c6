namespace Bramble.Cli.Import.Toml;

/// <summary>A place in a TOML document; the first thing that is found wrong stays.</summary>
internal sealed class TomlCursor(string text)
{
    private int _at;
    private int _lineStart;

    public int Line { get; private set; } = 1;

    public TomlError Error { get; private set; }

    public bool AtEnd => _at >= text.Length;

    /// <summary>The next character; NUL, which TOML forbids, at the end.</summary>
    public char Next => AtEnd ? '\0' : text[_at];

    public char After(int count) => _at + count < text.Length ? text[_at + count] : '\0';

    public bool AtNewLine => Next == '\n' || (Next == '\r' && After(1) == '\n');

    public bool StartsWith(string word) => string.CompareOrdinal(text, _at, word, 0, word.Length) == 0;

    public char Take()
    {
        var c = text[_at++];
        if (c == '\n') (Line, _lineStart) = (Line + 1, _at);
        return c;
    }

    public void Skip(int count)
    {
        for (; count > 0 && !AtEnd; count--) Take();
    }

    public bool TryTake(char c)
    {
        if (AtEnd || text[_at] != c) return false;
        Take();
        return true;
    }

    public bool Fail(string message) => FailAt(Line, _at - _lineStart + 1, message);

    public bool FailAt(int line, string message) => FailAt(line, 1, message);

    public void SkipBlanks()
    {
        while (Next is ' ' or '\t') _at++;
    }

    /// <summary>Blanks, line ends and comments.</summary>
    public bool SkipLines()
    {
        while (true)
        {
            SkipBlanks();
            if (Next == '#' && !SkipComment()) return false;
            if (!AtNewLine) return true;
            Skip(Next == '\r' ? 2 : 1);
        }
    }

    /// <summary>Nothing but a comment may follow on the line.</summary>
    public bool EndLine()
    {
        SkipBlanks();
        if (Next == '#' && !SkipComment()) return false;
        if (AtEnd) return true;
        if (!AtNewLine) return Fail($"'{Shown(Next)}' where the line should end");
        Skip(Next == '\r' ? 2 : 1);
        return true;
    }

    public string TakeWhile(Func<char, bool> holds)
    {
        var from = _at;
        while (!AtEnd && holds(text[_at])) _at++;
        return text[from.._at];
    }

    public static string Shown(char c) => char.IsControl(c) ? $"U+{(int)c:X4}" : c.ToString();

    private bool SkipComment()
    {
        while (!AtEnd && !AtNewLine)
        {
            if (char.IsControl(Next) && Next != '\t') return Fail($"the character {Shown(Next)} in a comment");
            _at++;
        }
        return true;
    }

    private bool FailAt(int line, int column, string message)
    {
        if (Error.Message is null) Error = new TomlError(line, column, message);
        return false;
    }
}
