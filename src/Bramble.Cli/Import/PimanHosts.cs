using System.Globalization;
using Bramble.Contracts.Nodes;
using Bramble.Wire;

namespace Bramble.Cli.Import;

/// <summary>
/// Piman's <c>hosts.csv</c>: <c>MAC;IP;hostname;last_used</c>, no header, last_used in seconds since 1970. Its DHCP
/// server writes the file itself, and adds a line for a board that it knows already when that asks on another network.
/// </summary>
internal static class PimanHosts
{
    private const string Form = "MAC;IP;hostname;last_used";

    public static ImportReading Read(string path)
    {
        var reading = new ImportReading(path);
        var rows = new List<(NodeImportEntry Entry, long LastUsed)>();
        foreach (var (line, text) in ImportReading.Lines(ImportReading.Text(path)))
        {
            var fields = text.Split(';');
            if (fields.Length != 4)
            {
                reading.Bad(line, $"it has {fields.Length} fields where there should be 4: {Form}");
                continue;
            }
            var (mac, address, name) = (fields[0].Trim(), fields[1].Trim(), fields[2].Trim());
            if (!TryTime(fields[3], out var lastUsed))
                reading.Bad(line, $"'{fields[3]}' is no time in seconds since 1970; leave it empty", mac, name,
                    address);
            else
                rows.Add((new NodeImportEntry(line, mac, reading.Name(line, name), Address: Or(address)), lastUsed));
        }
        foreach (var board in rows.GroupBy(row => MacAddress.TryParse(row.Entry.Mac, out var mac) ? $"{mac}"
            : $"line {row.Entry.Line}"))
        {
            var newest = board.OrderBy(row => row.LastUsed).ThenBy(row => row.Entry.Line).Last().Entry;
            foreach (var (entry, _) in board)
            {
                if (entry == newest) reading.Node(entry);
                else reading.Skip(entry.Line, $"line {newest.Line} is newer for this board", entry.Mac, entry.Name,
                    entry.Address);
            }
        }
        return reading;
    }

    private static string? Or(string text) => text.Length > 0 ? text : null;

    private static bool TryTime(string text, out long seconds)
    {
        seconds = 0;
        return text.Trim().Length == 0
            || long.TryParse(text, NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite,
                CultureInfo.InvariantCulture, out seconds);
    }
}
