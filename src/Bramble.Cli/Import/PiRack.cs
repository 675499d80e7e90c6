using System.Globalization;
using Bramble.Contracts.Nodes;

namespace Bramble.Cli.Import;

/// <summary>
/// PiRack's <c>structure_rack.ini</c> (the stacks and where they stand) with the <c>dict_rasps.csv</c> that its install
/// wizard wrote beside it: <c>id,MAC,stack,IP</c>, no header. The first names no board, the second no place.
/// </summary>
internal static class PiRack
{
    public const string BoardsName = "dict_rasps.csv";

    private static readonly string[] s_rackKeys = ["pi_stack", "nbr_stack", "rows", "cols"];

    public static ImportReading Read(string path, string? boards)
    {
        boards ??= Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, BoardsName);
        if (!File.Exists(boards))
        {
            throw new UsageException($"{path} says where stacks stand, and names no board: PiRack keeps those in "
                + $"{BoardsName}, and there is no {boards}. Copy it there, or name it with --boards FILE");
        }
        var reading = new ImportReading(boards);
        var stacks = ReadStacks(path, reading);
        foreach (var (line, text) in ImportReading.Lines(ImportReading.Text(boards)))
        {
            var fields = text.Split(',', StringSplitOptions.TrimEntries);
            if (fields.Length != 4)
            {
                reading.Bad(line, $"it has {fields.Length} fields where there should be 4: id,MAC,stack,IP");
                continue;
            }
            if (!TryNumber(fields[0], out var number))
                reading.Bad(line, $"'{fields[0]}' is no number", fields[1], address: fields[3]);
            else if (!stacks.TryGetValue(fields[2], out var place))
                reading.Bad(line, $"the stack '{fields[2]}' is not in {Path.GetFileName(path)}; add it there as "
                    + $"[{fields[2]}] with id, x and y", fields[1], address: fields[3]);
            else
                reading.Node(new NodeImportEntry(line, fields[1], Number: number,
                    Address: fields[3].Length > 0 ? fields[3] : null, Labels: place));
        }
        return reading;
    }

    /// <summary>The labels of each stack's boards, by its number.</summary>
    private static Dictionary<string, IReadOnlyDictionary<string, string>> ReadStacks(
        string path, ImportReading reading)
    {
        var stacks = new Dictionary<string, IReadOnlyDictionary<string, string>>(StringComparer.Ordinal);
        foreach (var section in IniFile.Read(path))
        {
            if (section.Name == "rack")
            {
                foreach (var (key, (line, _)) in section.Keys)
                {
                    if (!s_rackKeys.Contains(key))
                        reading.Leave(path, line, key, "not a setting of PiRack that is known here");
                }
                continue;
            }
            var labels = new Dictionary<string, string>(StringComparer.Ordinal) { ["stack"] = section.Name };
            foreach (var axis in new[] { "x", "y" })
            {
                if (!section.Keys.TryGetValue(axis, out var at))
                    throw IniFile.Wrong(path, section.Line,
                        $"[{section.Name}] has no '{axis}'; a stack has id, x and y");
                if (!TryNumber(at.Value, out var place))
                    throw IniFile.Wrong(path, at.Line, $"'{at.Value}' is no number for '{axis}'");
                labels[axis] = place.ToString(CultureInfo.InvariantCulture);
            }
            if (!TryNumber(section.Name, out _))
                throw IniFile.Wrong(path, section.Line,
                    $"[{section.Name}] is neither [rack] nor the number of a stack");
            // PiRack itself goes by the section's name; an id that differs shows on its page only.
            if (section.Keys.TryGetValue("id", out var id) && id.Value != section.Name)
                reading.Leave(path, id.Line, "id",
                    $"it differs from the section's name {section.Name}, which is taken");
            stacks[section.Name] = labels;
        }
        return stacks;
    }

    private static bool TryNumber(string text, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
