using System.Globalization;
using Bramble.Contracts.Installer;
using Bramble.Wire;

namespace Bramble.Manager.Provisioning;

/// <summary>What the installer says of its board, checked.</summary>
public sealed record HelloMessage
{
    public required string KernelId { get; init; }

    public required MacAddress Mac { get; init; }

    public string Serial { get; init; } = "";

    public string Model { get; init; } = "";

    /// <summary><c>arm64 armhf amd64</c>, as images name it.</summary>
    public required string Architecture { get; init; }

    public string Kernel { get; init; } = "";

    public long MemoryBytes { get; init; }

    /// <summary>Seconds since 1970 by the board's clock; 0 if it could not be set.</summary>
    public long Clock { get; init; }

    public IReadOnlyList<BoardDisk> Disks { get; init; } = [];

    public static bool TryRead(InstallerMessage message, out HelloMessage hello, out string error)
    {
        hello = null!;
        error = "";
        if (message["boot-id"] is not { Length: > 0 and <= 64 } kernelId) error = "'boot-id' is missing or too long";
        else if (!MacAddress.TryParse(message["mac"] ?? "", out _)) error = "'mac' is missing or is no MAC address";
        if (error.Length > 0) return false;
        var disks = new List<BoardDisk>();
        foreach (var line in message.All("disk"))
        {
            if (!TryDisk(line, out var disk))
            {
                error = $"'disk {line}' is not NAME BYTES BUS READONLY SERIAL blank|used";
                return false;
            }
            disks.Add(disk);
        }
        hello = new HelloMessage
        {
            KernelId = message["boot-id"]!,
            Mac = MacAddress.Parse(message["mac"]!),
            Serial = Cut(message["serial"]),
            Model = Cut(message["model"]),
            Architecture = message["arch"] switch
            {
                "aarch64" => "arm64",
                "armv7l" or "armv6l" or "armv8l" => "armhf",
                "x86_64" => "amd64",
                var other => Cut(other),
            },
            Kernel = Cut(message["kernel"]),
            MemoryBytes = message.Number("memory") ?? 0,
            Clock = message.Number("clock") ?? 0,
            Disks = disks,
        };
        return true;
    }

    private static bool TryDisk(string line, out BoardDisk disk)
    {
        disk = null!;
        var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length < 5 || words[0].Contains('/', StringComparison.Ordinal)
            || !long.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out var size))
            return false;
        // A disk of which nothing is said counts as used: the safe side.
        disk = new BoardDisk($"/dev/{words[0]}", size, words[2], words[3] != "0", words[4] == "-" ? "" : words[4],
            Used: words.Length < 6 || words[5] != "blank");
        return true;
    }

    private static string Cut(string? text) => text is null ? "" : text.Length <= 120 ? text : text[..120];
}
