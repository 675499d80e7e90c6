using System.Globalization;

namespace Bramble.Manager.Provisioning;

/// <summary>A disk as a board's installer reports it.</summary>
/// <param name="Path"><c>/dev/mmcblk0</c>.</param>
/// <param name="Bus"><c>sd emmc nvme usb virtio ata</c>.</param>
/// <param name="Used">Its first 64 KiB are not all zeros: it may hold data.</param>
public sealed record BoardDisk(string Path, long SizeBytes, string Bus, bool ReadOnly, string Serial, bool Used);

/// <summary>
/// Which disk may be overwritten: a path (<c>/dev/mmcblk0</c>), or the words <c>only</c>, a bus and a least size in any
/// order (<c>only sd &gt;= 4GB</c>). The rule must match exactly one disk; more than one is never guessed at.
/// </summary>
public sealed record DiskRule
{
    /// <summary>The one disk of at least 4 GB.</summary>
    public static readonly DiskRule Default = new() { MinBytes = 4_000_000_000 };

    private static readonly string[] s_buses = ["sd", "emmc", "nvme", "usb", "virtio", "ata"];

    public string? Path { get; init; }

    public string? Bus { get; init; }

    public long MinBytes { get; init; }

    public static bool TryParse(string text, out DiskRule rule)
    {
        rule = new DiskRule();
        var words = text.Replace(">=", " >= ", StringComparison.Ordinal)
            .Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length == 0) return false;
        if (words[0].StartsWith("/dev/", StringComparison.Ordinal))
        {
            rule = rule with { Path = words[0] };
            return words.Length == 1 && words[0].Length > 5 && !words[0].Contains("..", StringComparison.Ordinal);
        }
        for (var i = 0; i < words.Length; i++)
        {
            if (words[i] == "only") continue;
            if (words[i] == ">=" && i + 1 < words.Length && TrySize(words[i + 1], out var bytes))
            {
                rule = rule with { MinBytes = bytes };
                i++;
            }
            else if (rule.Bus is null && s_buses.Contains(words[i]))
            {
                rule = rule with { Bus = words[i] };
            }
            else
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>The one disk that may be overwritten, or why there is none.</summary>
    public bool TryChoose(IReadOnlyList<BoardDisk> disks, long imageBytes, out BoardDisk disk, out string reason)
    {
        disk = null!;
        var matching = disks.Where(d => Path is { } path ? d.Path == path : Matches(d)).ToList();
        if (matching.Count != 1)
        {
            var seen = disks.Count == 0 ? "the board reports no disk at all"
                : "the board reports " + string.Join(", ", disks.Select(Show));
            reason = matching.Count == 0
                ? $"no disk matches the rule '{this}': {seen}"
                : $"{matching.Count} disks match the rule '{this}', and it must be exactly one: {seen}";
            return false;
        }
        var chosen = matching[0];
        reason =
            chosen.ReadOnly ? $"{Show(chosen)} is write-protected; move the card's lock switch or choose another disk"
            : chosen.SizeBytes < imageBytes
                ? $"{Show(chosen)} is too small: the image has {imageBytes:N0} bytes, the disk {chosen.SizeBytes:N0}"
            : "";
        disk = chosen;
        return reason.Length == 0;
    }

    public override string ToString()
    {
        if (Path is not null) return Path;
        var size = MinBytes == 0 ? ""
            : MinBytes % 1_000_000_000 == 0 ? $" >= {MinBytes / 1_000_000_000}GB" : $" >= {MinBytes / 1_000_000}MB";
        return "only" + (Bus is null ? "" : $" {Bus}") + size;
    }

    private bool Matches(BoardDisk disk) => (Bus is null || disk.Bus == Bus) && disk.SizeBytes >= MinBytes;

    private static string Show(BoardDisk disk) => $"{disk.Path} ({disk.Bus}, {disk.SizeBytes / 1e9:0.0} GB)";

    private static bool TrySize(string text, out long bytes)
    {
        var unit = text.AsSpan().TrimStart("0123456789");
        var factor = unit switch { "MB" => 1_000_000L, "GB" => 1_000_000_000L, "TB" => 1_000_000_000_000L, _ => 0L };
        bytes = 0;
        if (factor == 0 || !long.TryParse(text.AsSpan(0, text.Length - unit.Length), NumberStyles.None,
            CultureInfo.InvariantCulture, out var count) || count > 1_000_000)
            return false;
        bytes = count * factor;
        return true;
    }
}
