namespace Bramble.Cli.Import;

/// <param name="Line">Of its head.</param>
/// <param name="Keys">In small letters, as Python's configparser, which PiRack reads with, takes them.</param>
internal sealed record IniSection(
    string Name, int Line, IReadOnlyDictionary<string, (int Line, string Value)> Keys);

/// <summary>
/// The simple form of an INI file: <c>[section]</c>, <c>key = value</c> or <c>key: value</c>, comments.
/// </summary>
internal static class IniFile
{
    public static IReadOnlyList<IniSection> Read(string path)
    {
        var sections = new List<IniSection>();
        var keys = new Dictionary<string, (int, string)>(StringComparer.Ordinal);
        foreach (var (line, text) in ImportReading.Lines(ImportReading.Text(path)))
        {
            if (text[0] is '#' or ';') continue;
            if (text[0] == '[')
            {
                if (text[^1] != ']') throw Wrong(path, line, "a section's head ends with ']'");
                var name = text[1..^1];
                if (sections.FirstOrDefault(s => s.Name == name) is { } first)
                    throw Wrong(path, line, $"[{name}] is there already, in line {first.Line}");
                keys = new Dictionary<string, (int, string)>(StringComparer.Ordinal);
                sections.Add(new IniSection(name, line, keys));
                continue;
            }
            var at = text.IndexOfAny(['=', ':']);
            if (at < 1) throw Wrong(path, line, $"'{text}' is neither a section's head nor 'key = value'");
            if (sections.Count == 0) throw Wrong(path, line, "a key stands before the first section");
            if (!keys.TryAdd(text[..at].Trim().ToLowerInvariant(), (line, text[(at + 1)..].Trim())))
                throw Wrong(path, line, $"'{text[..at].Trim()}' is in this section already");
        }
        return sections;
    }

    public static CliException Wrong(string path, int line, string why) =>
        new(ExitCode.Failed, $"{path}:{line}: {why}");
}
