using System.Text;

namespace Bramble.Manager.Provisioning;

/// <summary>Rewrites the boot files of an image so that its kernel starts our installer. Pure.</summary>
public static class KernelCommandLine
{
    /// <summary>The name under which the initramfs is served.</summary>
    public const string InitramfsName = "bramble-initramfs.gz";

    private static readonly string[] s_dropped =
        ["root=", "rootfstype=", "rootflags=", "init=", "rdinit=", "fsck.repair=", "resume=", "nfsroot=", "ip=",
         "systemd.run", "ds=", "bramble."];

    private static readonly string[] s_droppedWords = ["rootwait", "ro", "rw", "quiet", "resize", "splash"];

    /// <summary>
    /// The image's own command line without what mounts a root, with what our installer needs. Consoles and board
    /// quirks stay.
    /// </summary>
    public static string ForInstaller(string original, string url, string token, string mac, string extra)
    {
        var words = original.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
            .Where(word => !s_droppedWords.Contains(word)
                && !s_dropped.Any(prefix => word.StartsWith(prefix, StringComparison.Ordinal)));
        return string.Join(' ', [.. words, "rdinit=/init", $"bramble.url={url}", $"bramble.token={token}",
            $"bramble.mac={mac}", .. extra.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)]);
    }

    /// <summary>
    /// The image's command line for a machine that is no Pi. Its consoles are a Pi's; a PC's screen is the one that its
    /// user looks at, and firmware of other machines names the console itself (ACPI SPCR, or the device tree's
    /// stdout-path).
    /// </summary>
    public static string ForOtherMachine(string original, string architecture)
    {
        var words = original.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
            .Where(word => !word.StartsWith("console=", StringComparison.Ordinal));
        return string.Join(' ', architecture == "amd64" ? [.. words, "console=ttyS0,115200", "console=tty0"] : words);
    }

    /// <summary>The image's own config.txt with our initramfs in place of whatever it loads.</summary>
    public static string ConfigTxt(string original)
    {
        var text = new StringBuilder();
        foreach (var line in original.ReplaceLineEndings("\n").TrimEnd('\n').Split('\n'))
        {
            var word = line.TrimStart();
            var replaced = word.StartsWith("initramfs ", StringComparison.Ordinal)
                || word.StartsWith("ramfsfile", StringComparison.Ordinal)
                || word.StartsWith("auto_initramfs", StringComparison.Ordinal)
                || word.StartsWith("cmdline=", StringComparison.Ordinal);
            text.Append(replaced ? "# replaced by Bramble: " : "").Append(line).Append('\n');
        }
        return text.Append("\n[all]\nauto_initramfs=0\ninitramfs ").Append(InitramfsName).Append(" followkernel\n")
            .ToString();
    }
}
