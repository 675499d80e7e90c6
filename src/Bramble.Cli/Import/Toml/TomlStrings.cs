using System.Globalization;
using System.Text;

namespace Bramble.Cli.Import.Toml;

/// <summary>The four kinds of strings of TOML 1.0.0.</summary>
internal static class TomlStrings
{
    /// <summary>The cursor stands on the opening quote.</summary>
    public static bool Read(TomlCursor cursor, out string text)
    {
        var quote = cursor.Next;
        var isLong = cursor.After(1) == quote && cursor.After(2) == quote;
        var line = cursor.Line;
        var built = new StringBuilder();
        cursor.Skip(isLong ? 3 : 1);
        // "A newline immediately following the opening delimiter will be trimmed."
        if (isLong && cursor.AtNewLine) cursor.Skip(cursor.Next == '\r' ? 2 : 1);
        text = "";
        while (true)
        {
            if (cursor.AtEnd) return cursor.FailAt(line, "the text that begins here does not end");
            if (cursor.Next == quote && (!isLong || (cursor.After(1) == quote && cursor.After(2) == quote))) break;
            if (cursor.Next == '\\' && quote == '"')
            {
                if (!ReadEscape(cursor, built, isLong)) return false;
            }
            else if (cursor.AtNewLine)
            {
                if (!isLong) return cursor.Fail("the text does not end on its line");
                cursor.Skip(cursor.Next == '\r' ? 2 : 1);
                built.Append('\n');
            }
            else if (char.IsControl(cursor.Next) && cursor.Next is not '\t' and not (>= '\u0080' and <= '\u009f'))
            {
                return cursor.Fail($"the character {TomlCursor.Shown(cursor.Next)} in a text; write it as an escape");
            }
            else
            {
                built.Append(cursor.Take());
            }
        }
        cursor.Skip(isLong ? 3 : 1);
        // One or two quotes may stand just before the closing three.
        for (var more = 0; isLong && more < 2 && cursor.Next == quote; more++) built.Append(cursor.Take());
        text = built.ToString();
        return true;
    }

    private static bool ReadEscape(TomlCursor cursor, StringBuilder built, bool isLong)
    {
        cursor.Take();
        if (isLong && cursor.Next is ' ' or '\t' or '\r' or '\n') return SkipToText(cursor);
        var c = cursor.AtEnd ? '\0' : cursor.Take();
        switch (c)
        {
            case 'b': built.Append('\b'); return true;
            case 't': built.Append('\t'); return true;
            case 'n': built.Append('\n'); return true;
            case 'f': built.Append('\f'); return true;
            case 'r': built.Append('\r'); return true;
            case '"' or '\\': built.Append(c); return true;
            case 'u' or 'U': return ReadScalar(cursor, built, c == 'u' ? 4 : 8);
            default: return cursor.Fail($"'\\{TomlCursor.Shown(c)}' is no escape of TOML");
        }
    }

    /// <summary>A backslash at a line's end takes away all blanks and line ends up to the next character.</summary>
    private static bool SkipToText(TomlCursor cursor)
    {
        cursor.SkipBlanks();
        if (!cursor.AtNewLine) return cursor.Fail("nothing may stand between a backslash and the line's end");
        while (cursor.Next is ' ' or '\t' || cursor.AtNewLine) cursor.Take();
        return true;
    }

    private static bool ReadScalar(TomlCursor cursor, StringBuilder built, int digits)
    {
        var hex = new StringBuilder();
        while (hex.Length < digits && char.IsAsciiHexDigit(cursor.Next)) hex.Append(cursor.Take());
        if (hex.Length < digits) return cursor.Fail($"the escape needs {digits} hexadecimal digits");
        var number = uint.Parse(hex.ToString(), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        if (!Rune.IsValid(number)) return cursor.Fail($"U+{hex} is no character");
        built.Append(new Rune(number).ToString());
        return true;
    }
}
