using System.Globalization;
using YamlDotNet.RepresentationModel;

namespace Bramble.Manager.Configuration;

/// <summary>
/// A mapping of the configuration file, read strictly: each key is asked for once, and what nobody asked for is an
/// error with its line. Errors are collected, so that one run shows all of them.
/// </summary>
internal sealed class YamlSection
{
    private readonly Dictionary<string, (YamlScalarNode Key, YamlNode Value)> _entries = [];
    private readonly HashSet<string> _known = [];
    private readonly List<ConfigError> _errors;

    /// <param name="place">Where to put errors about the section as such, if it is not in the file.</param>
    public YamlSection(YamlNode node, List<ConfigError> errors, string path, YamlNode? place = null)
    {
        Node = place ?? node;
        Path = path;
        _errors = errors;
        if (node is not YamlMappingNode mapping)
        {
            if (node is not YamlScalarNode { Value: "" or null })
                Fail(node, $"{Where("")}expected a section of 'key: value' lines");
            return;
        }
        foreach (var (key, value) in mapping.Children)
        {
            if (key is YamlScalarNode { Value: { } name } scalar) _entries[name] = (scalar, value);
            else Fail(key, "a key must be a plain word");
        }
    }

    public YamlNode Node { get; }

    public string Path { get; }

    /// <summary>Reports each key that nobody asked for. Call it last.</summary>
    public void Close()
    {
        foreach (var (name, (key, _)) in _entries)
        {
            if (_known.Contains(name)) continue;
            var near = _known.MinBy(k => Distance(k, name));
            var hint = near is not null && Distance(near, name) <= 2 ? $"; did you mean '{near}'?"
                : _known.Count == 0 ? "" : $"; known here: {string.Join(", ", _known.Order())}";
            Fail(key, $"{Where("")}unknown key '{name}'{hint}");
        }
    }

    public bool HasAny => _entries.Count > 0;

    public bool Has(string name) => _entries.ContainsKey(name);

    public void Fail(YamlNode node, string message) =>
        _errors.Add(new ConfigError((int)node.Start.Line, (int)node.Start.Column, message));

    public void FailAt(string name, string message) => Fail(At(name), $"{Where(name)}{message}");

    public YamlNode At(string name) => _entries.TryGetValue(name, out var entry) ? entry.Value : Node;

    public YamlSection Section(string name)
    {
        _known.Add(name);
        return _entries.TryGetValue(name, out var entry) ? new YamlSection(entry.Value, _errors, Join(name))
            : new YamlSection(new YamlMappingNode(), _errors, Join(name), Node);
    }

    public IEnumerable<YamlSection> Sections(string name) =>
        Items(name).Select((item, i) => new YamlSection(item, _errors, $"{Join(name)}[{i}]"));

    public IEnumerable<YamlNode> Items(string name)
    {
        _known.Add(name);
        if (!_entries.TryGetValue(name, out var entry)) return [];
        if (entry.Value is YamlSequenceNode list) return list.Children;
        if (entry.Value is YamlScalarNode { Value: "" or null }) return [];
        FailAt(name, "expected a list, one '- ' line each");
        return [];
    }

    /// <summary>A list of scalars; a single scalar counts as a list of one.</summary>
    public IReadOnlyList<T> List<T>(string name, ValueReader<T> read, string kind)
    {
        _known.Add(name);
        if (!_entries.TryGetValue(name, out var entry)) return [];
        var items = entry.Value is YamlSequenceNode list ? list.Children : [entry.Value];
        var values = new List<T>();
        foreach (var item in items)
            if (TryValue(item, name, read, kind, out var value)) values.Add(value);
        return values;
    }

    /// <summary>The scalars of a mapping, for free-form keys such as labels.</summary>
    public IEnumerable<(YamlNode At, string Key, string Value)> Pairs()
    {
        foreach (var (name, (key, value)) in _entries)
        {
            _known.Add(name);
            if (value is YamlScalarNode { Value: { } text }) yield return (key, name, text);
            else Fail(value, $"{Where(name)}expected a single value");
        }
    }

    public string Text(string name, string fallback) =>
        TryGet<string>(name, AnyText, "a text", out var text) ? text : fallback;

    public string? TextOrNull(string name) => TryGet<string>(name, AnyText, "a text", out var text) ? text : null;

    public string RequiredText(string name)
    {
        if (TryGet<string>(name, AnyText, "a text", out var text) && text.Length > 0) return text;
        if (!Has(name)) Fail(Node, $"{Where("")}'{name}' is missing");
        else if (At(name) is YamlScalarNode) FailAt(name, "must not be empty");
        return "";
    }

    public bool Flag(string name, bool fallback) =>
        TryGet<bool>(name, bool.TryParse, "true or false", out var flag) ? flag : fallback;

    public int Number(string name, int fallback, int min, int max)
    {
        if (!TryGet<int>(name, WholeNumber, "a whole number", out var number)) return fallback;
        if (number >= min && number <= max) return number;
        FailAt(name, $"{number} is out of range; {min} to {max} is allowed");
        return fallback;
    }

    public TimeSpan Duration(string name, TimeSpan fallback, TimeSpan min, TimeSpan max)
    {
        if (!TryGet<TimeSpan>(name, Durations.TryParse, "a duration such as 90s, 5m, 12h or 7d", out var duration))
            return fallback;
        if (duration >= min && duration <= max) return duration;
        FailAt(name, $"must lie between {Durations.Show(min)} and {Durations.Show(max)}");
        return fallback;
    }

    public T Choice<T>(string name, T fallback) where T : struct, Enum
    {
        var names = Enum.GetNames<T>().Select(n => n.ToLowerInvariant()).ToArray();
        return TryGet<T>(name, OneOf, $"one of {string.Join(", ", names)}", out var choice) ? choice : fallback;
    }

    public bool TryGet<T>(string name, ValueReader<T> read, string kind, out T value)
    {
        value = default!;
        _known.Add(name);
        return _entries.TryGetValue(name, out var entry) && TryValue(entry.Value, name, read, kind, out value);
    }

    private bool TryValue<T>(YamlNode node, string name, ValueReader<T> read, string kind, out T value)
    {
        value = default!;
        if (node is YamlScalarNode { Value: { } text } && read(text, out value)) return true;
        Fail(node, node is YamlScalarNode scalar
            ? $"{Where(name)}'{scalar.Value}' is not {kind}"
            : $"{Where(name)}expected {kind}");
        return false;
    }

    private static bool AnyText(string text, out string value)
    {
        value = text;
        return true;
    }

    private static bool WholeNumber(string text, out int value) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);

    private static bool OneOf<T>(string text, out T value) where T : struct, Enum => Words.TryParse(text, out value);

    private string Join(string name) => Path.Length == 0 ? name : $"{Path}.{name}";

    private string Where(string name)
    {
        var path = name.Length == 0 ? Path : Join(name);
        return path.Length == 0 ? "" : $"{path}: ";
    }

    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(Math.Min(row[j], row[j - 1]) + 1, substituted);
            }
        }
        return row[b.Length];
    }
}

internal delegate bool ValueReader<T>(string text, out T value);
