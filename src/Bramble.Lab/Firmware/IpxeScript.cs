using Bramble.Lab.Rom;

namespace Bramble.Lab.Firmware;

/// <summary>
/// Reads an iPXE script (ipxe.org/scripting), strictly: what iPXE would not take, or what this reader does not know,
/// ends the boot.
/// </summary>
internal static class IpxeScript
{
    private const string Otherwise = " || goto ";

    /// <exception cref="BootStoppedException">Says which line iPXE would stop at.</exception>
    public static BootScript Read(string text)
    {
        var lines = text.Split('\n');
        if (lines[0].TrimEnd('\r') != "#!ipxe") throw new BootStoppedException("the script does not begin with #!ipxe");
        var labels = lines.Where(line => line.StartsWith(':')).Select(line => line[1..].Trim()).ToHashSet();
        string kernel = "", commandLine = "", initramfs = "", name = "";
        bool boots = false, retries = false;
        for (var i = 1; i < lines.Length; i++)
        {
            var line = lines[i].Trim();
            if (line.Length == 0 || line[0] is '#' or ':') continue;
            if (line.Contains("${", StringComparison.Ordinal)) throw Stop(i, line, "a setting that is not known here");
            var at = line.IndexOf(Otherwise, StringComparison.Ordinal);
            var command = at < 0 ? line : line[..at];
            if (at >= 0) Go(line[(at + Otherwise.Length)..].Trim());
            else if (line.Contains("||", StringComparison.Ordinal)) throw Stop(i, line, "what follows || is not known");
            var words = command.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            switch (words[0])
            {
                case "echo" or "imgfree":
                    break;
                case "sleep" when words is [_, var seconds] && int.TryParse(seconds, out _):
                    break;
                case "goto" when words is [_, var label]:
                    Go(label);
                    break;
                case "kernel" when words.Length >= 2 && !boots:
                    (kernel, commandLine) = (words[1], string.Join(' ', words[2..]));
                    break;
                case "initrd" when words is [_, "--name", var called, var url] && kernel.Length > 0 && !boots:
                    (initramfs, name) = (url, called);
                    break;
                case "initrd" when words is [_, var url] && kernel.Length > 0 && !boots:
                    (initramfs, name) = (url, url[(url.LastIndexOf('/') + 1)..]);
                    break;
                case "boot" when words.Length == 1:
                    if (kernel.Length == 0) throw Stop(i, line, "nothing is loaded");
                    boots = true;
                    break;
                default:
                    throw Stop(i, line, "no command, or not in its place");
            }

            void Go(string label)
            {
                if (!labels.Contains(label)) throw Stop(i, line, $"there is no label :{label}");
                retries = true;
            }
        }
        if (!boots) throw new BootStoppedException("boot.ipxe: nothing is booted at its end");
        return new BootScript(kernel, initramfs, name, commandLine, retries);
    }

    private static BootStoppedException Stop(int index, string line, string why) =>
        new($"boot.ipxe line {index + 1}: {why}: '{line}'");
}
