using System.Diagnostics.CodeAnalysis;

namespace Bramble.Cli.Import.Toml;

/// <summary>
/// Reads TOML 1.0.0 (https://toml.io/en/v1.0.0) but for dates and arrays of tables, which no configuration that is
/// imported uses; it says so where it meets one. Strict: what the specification forbids is an error with its place.
/// </summary>
internal sealed class TomlReader
{
    /// <summary>Arrays and tables in one another; a document nested deeper is meant to do harm.</summary>
    private const int DepthBound = 64;

    private readonly TomlCursor _cursor;
    private readonly TomlTable _root = new(1) { Kind = TomlTableKind.Headed };

    private TomlReader(string text) => _cursor = new TomlCursor(text);

    public static bool TryRead(string text, [NotNullWhen(true)] out TomlTable? document, out TomlError error)
    {
        var reader = new TomlReader(text);
        var isGood = reader.ReadDocument();
        (document, error) = (isGood ? reader._root : null, reader._cursor.Error);
        return isGood;
    }

    private bool ReadDocument()
    {
        var table = _root;
        while (_cursor.SkipLines())
        {
            if (_cursor.AtEnd) return true;
            if (_cursor.Next == '[')
            {
                if (!ReadHead(out table)) return false;
            }
            else if (!ReadPair(table, 0))
            {
                return false;
            }
            if (!_cursor.EndLine()) return false;
        }
        return false;
    }

    private bool ReadHead(out TomlTable table)
    {
        table = _root;
        var line = _cursor.Line;
        _cursor.Take();
        if (_cursor.Next == '[') return _cursor.Fail("an array of tables ([[…]]) is not read here");
        if (!ReadKey(out var path)) return false;
        if (!_cursor.TryTake(']')) return _cursor.Fail("the head of a table ends with ']'");
        for (var i = 0; i < path.Count; i++)
        {
            var isLast = i == path.Count - 1;
            if (table.Find(path[i]) is not { } there)
            {
                var made = new TomlTable(line)
                {
                    Kind = isLast ? TomlTableKind.Headed : TomlTableKind.Implied,
                };
                table.TryAdd(path[i], made);
                table = made;
                continue;
            }
            var name = string.Join('.', path.Take(i + 1));
            if (there is not TomlTable known)
                return _cursor.FailAt(line, $"'{name}' is a value since line {there.Line}");
            if (known.Kind == TomlTableKind.Inline || (isLast && known.Kind != TomlTableKind.Implied))
                return _cursor.FailAt(line, $"the table '{name}' is there already, in line {known.Line}");
            if (isLast) known.Kind = TomlTableKind.Headed;
            table = known;
        }
        return true;
    }

    private bool ReadPair(TomlTable table, int depth)
    {
        var line = _cursor.Line;
        if (!ReadKey(out var path)) return false;
        if (!_cursor.TryTake('=')) return _cursor.Fail($"'=' must follow the key '{string.Join('.', path)}'");
        _cursor.SkipBlanks();
        if (!ReadValue(depth, out var value)) return false;
        for (var i = 0; i < path.Count - 1; i++)
        {
            if (table.Find(path[i]) is not { } there)
            {
                var made = new TomlTable(line) { Kind = TomlTableKind.Dotted };
                table.TryAdd(path[i], made);
                table = made;
            }
            // A dotted key adds only to what dotted keys have made: a table with a head is complete below its head.
            else if (there is TomlTable { Kind: TomlTableKind.Dotted } dotted)
            {
                table = dotted;
            }
            else
            {
                var name = string.Join('.', path.Take(i + 1));
                return _cursor.FailAt(line, $"'{name}' is there since line {there.Line}; nothing adds to it");
            }
        }
        return table.TryAdd(path[^1], value)
            || _cursor.FailAt(line, $"'{path[^1]}' is there already, in line {table.Find(path[^1])!.Line}");
    }

    private bool ReadKey(out List<string> path)
    {
        path = [];
        do
        {
            _cursor.SkipBlanks();
            string part;
            if (_cursor.Next is '"' or '\'')
            {
                if (_cursor.StartsWith("\"\"\"") || _cursor.StartsWith("'''"))
                    return _cursor.Fail("a key is no text of several lines");
                if (!TomlStrings.Read(_cursor, out part)) return false;
            }
            else
            {
                part = _cursor.TakeWhile(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');
                if (part.Length == 0)
                {
                    return _cursor.Fail(_cursor.AtEnd || _cursor.AtNewLine ? "a key is missing"
                        : $"a key cannot begin with '{TomlCursor.Shown(_cursor.Next)}'; put it in quotes");
                }
            }
            path.Add(part);
            if (path.Count > DepthBound) return _cursor.Fail($"a key of more than {DepthBound} parts");
            _cursor.SkipBlanks();
        }
        while (_cursor.TryTake('.'));
        return true;
    }

    private bool ReadValue(int depth, [NotNullWhen(true)] out TomlValue? value)
    {
        value = null;
        if (depth > DepthBound) return _cursor.Fail($"more than {DepthBound} arrays and tables in one another");
        var line = _cursor.Line;
        switch (_cursor.Next)
        {
            case '"' or '\'':
                if (!TomlStrings.Read(_cursor, out var text)) return false;
                value = new TomlText(line, text);
                return true;
            case '[':
                return ReadArray(depth, out value);
            case '{':
                return ReadInline(depth, out value);
            default:
                return TomlNumbers.Read(_cursor, out value);
        }
    }

    private bool ReadArray(int depth, [NotNullWhen(true)] out TomlValue? value)
    {
        value = null;
        var line = _cursor.Line;
        var items = new List<TomlValue>();
        _cursor.Take();
        while (true)
        {
            if (!_cursor.SkipLines()) return false;
            if (_cursor.TryTake(']')) break;
            if (_cursor.AtEnd) return _cursor.FailAt(line, "the array that begins here does not end");
            if (!ReadValue(depth + 1, out var item)) return false;
            items.Add(item);
            if (!_cursor.SkipLines()) return false;
            if (_cursor.TryTake(',') || _cursor.Next == ']') continue;
            return _cursor.AtEnd ? _cursor.FailAt(line, "the array that begins here does not end")
                : _cursor.Fail("',' or ']' must follow in an array");
        }
        value = new TomlArray(line, items);
        return true;
    }

    private bool ReadInline(int depth, [NotNullWhen(true)] out TomlValue? value)
    {
        value = null;
        var table = new TomlTable(_cursor.Line) { Kind = TomlTableKind.Inline };
        _cursor.Take();
        _cursor.SkipBlanks();
        if (!_cursor.TryTake('}'))
        {
            do
            {
                if (!ReadPair(table, depth + 1)) return false;
                _cursor.SkipBlanks();
            }
            while (_cursor.TryTake(','));
            if (!_cursor.TryTake('}')) return _cursor.Fail("',' or '}' must follow on the line of an inline table");
        }
        Close(table);
        value = table;
        return true;
    }

    /// <summary>Nothing adds to an inline table, nor to the tables that its dotted keys have made.</summary>
    private static void Close(TomlTable table)
    {
        table.Kind = TomlTableKind.Inline;
        foreach (var (_, member) in table.Members)
            if (member is TomlTable { Kind: TomlTableKind.Dotted } inner) Close(inner);
    }
}
