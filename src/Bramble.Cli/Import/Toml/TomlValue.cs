namespace Bramble.Cli.Import.Toml;

/// <summary>A value of a TOML document, and the line where it stands.</summary>
internal abstract record TomlValue(int Line);

internal sealed record TomlText(int Line, string Value) : TomlValue(Line);

internal sealed record TomlInteger(int Line, long Value) : TomlValue(Line);

internal sealed record TomlFloat(int Line, double Value) : TomlValue(Line);

internal sealed record TomlBoolean(int Line, bool Value) : TomlValue(Line);

internal sealed record TomlArray(int Line, IReadOnlyList<TomlValue> Items) : TomlValue(Line);

/// <summary>How a table came about: it decides who may still add to it.</summary>
internal enum TomlTableKind
{
    /// <summary>By the head of a table below it; it may still get a head of its own.</summary>
    Implied,

    /// <summary>By a dotted key.</summary>
    Dotted,

    /// <summary>By <c>[head]</c>.</summary>
    Headed,

    /// <summary><c>{ … }</c>: complete as it stands.</summary>
    Inline,
}

internal sealed record TomlTable(int Line) : TomlValue(Line)
{
    private readonly Dictionary<string, TomlValue> _members = new(StringComparer.Ordinal);

    public TomlTableKind Kind { get; set; }

    /// <summary>In the order of the document.</summary>
    public IEnumerable<KeyValuePair<string, TomlValue>> Members => _members;

    public TomlValue? Find(string key) => _members.GetValueOrDefault(key);

    public bool TryAdd(string key, TomlValue value) => _members.TryAdd(key, value);
}

/// <summary>What is wrong, and where; both from 1.</summary>
internal readonly record struct TomlError(int Line, int Column, string Message);
