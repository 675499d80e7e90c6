using System.Formats.Tar;
using System.Text;
using Bramble.Lab.Disks;

namespace Bramble.Lab.Installer;

/// <summary>Unpacks a node's overlay as far as the lab's installed system needs it.</summary>
internal static class OverlayTar
{
    private const long LongestText = 64 * 1024;

    /// <exception cref="InvalidDataException">It is no tar, or what a node needs to report in is not in it.</exception>
    public static InstalledRoot Read(Stream tar)
    {
        string credential = "", report = "", hostName = "";
        var hostKeys = new List<string>();
        using var reader = new TarReader(tar);
        while (reader.GetNextEntry() is { } entry)
        {
            var path = entry.Name.TrimStart('.').TrimStart('/');
            if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile)) continue;
            switch (path)
            {
                case "etc/bramble/credential":
                    if ((entry.Mode & (UnixFileMode)0b000_111_111) != 0)
                        throw new InvalidDataException($"{path} can be read by others than root");
                    credential = Text(entry).Trim();
                    break;
                case "etc/bramble/report.conf":
                    report = Text(entry);
                    break;
                case "etc/hostname":
                    hostName = Text(entry).Trim();
                    break;
                case var key when key.StartsWith("etc/ssh/ssh_host_", StringComparison.Ordinal)
                    && key.EndsWith(".pub", StringComparison.Ordinal):
                    hostKeys.Add(Text(entry).Trim());
                    break;
            }
        }
        var root = new InstalledRoot(
            Value(report, "url"), Value(report, "node"), Value(report, "job"), credential, hostName, hostKeys);
        if (root.Credential.Length == 0) throw new InvalidDataException("the overlay has no etc/bramble/credential");
        if (root.ReportUrl.Length == 0) throw new InvalidDataException("the overlay's report.conf has no url");
        return root;
    }

    private static string Text(TarEntry entry)
    {
        if (entry.DataStream is not { } data) return "";
        if (entry.Length > LongestText) throw new InvalidDataException($"{entry.Name} has {entry.Length} octets");
        using var text = new StreamReader(data, Encoding.UTF8);
        return text.ReadToEnd();
    }

    // report.conf is read by a shell: KEY=VALUE, perhaps quoted.
    private static string Value(string lines, string key)
    {
        foreach (var line in lines.Split('\n'))
            if (line.StartsWith(key, StringComparison.OrdinalIgnoreCase) && line.Length > key.Length
                && line[key.Length] == '=')
                return line[(key.Length + 1)..].Trim().Trim('"', '\'');
        return "";
    }
}
