namespace Bramble.Boot.Dhcp;

/// <summary>
/// A new-style Raspberry Pi revision code taken apart (Raspberry Pi documentation, "revision codes"):
/// <code>NOQuuuWu FMMMCCCC PPPPTTTT TTTTRRRR</code>
/// F new style, M memory, C maker, P processor, T type, R board revision. Types that are newer than this table still
/// give memory, maker and family.
/// </summary>
public sealed record PiRevision
{
    private const uint NewStyle = 1u << 23;

    private static readonly string[] Makers =
        ["Sony UK", "Egoman", "Embest", "Sony Japan", "Embest", "Stadium"];

    private static readonly string[] Processors = ["BCM2835", "BCM2836", "BCM2837", "BCM2711", "BCM2712"];

    private static readonly Dictionary<uint, string> Models = new()
    {
        [0x00] = "Raspberry Pi Model A",
        [0x01] = "Raspberry Pi Model B",
        [0x02] = "Raspberry Pi Model A+",
        [0x03] = "Raspberry Pi Model B+",
        [0x04] = "Raspberry Pi 2 Model B",
        [0x05] = "Raspberry Pi Alpha",
        [0x06] = "Raspberry Pi Compute Module 1",
        [0x08] = "Raspberry Pi 3 Model B",
        [0x09] = "Raspberry Pi Zero",
        [0x0a] = "Raspberry Pi Compute Module 3",
        [0x0c] = "Raspberry Pi Zero W",
        [0x0d] = "Raspberry Pi 3 Model B+",
        [0x0e] = "Raspberry Pi 3 Model A+",
        [0x10] = "Raspberry Pi Compute Module 3+",
        [0x11] = "Raspberry Pi 4 Model B",
        [0x12] = "Raspberry Pi Zero 2 W",
        [0x13] = "Raspberry Pi 400",
        [0x14] = "Raspberry Pi Compute Module 4",
        [0x15] = "Raspberry Pi Compute Module 4S",
        [0x17] = "Raspberry Pi 5",
        [0x18] = "Raspberry Pi Compute Module 5",
        [0x19] = "Raspberry Pi 500",
        [0x1a] = "Raspberry Pi Compute Module 5 Lite",
    };

    public required string Model { get; init; }

    public required string Processor { get; init; }

    public required string Maker { get; init; }

    public required long MemoryBytes { get; init; }

    /// <summary>The board's own revision: 1 is 1.1.</summary>
    public required int Board { get; init; }

    public required BoardFamily Family { get; init; }

    /// <summary>
    /// False for an old-style code (boards before the Pi 2, none of which boots from the network) and for 0.
    /// </summary>
    public static bool TryDecode(uint code, out PiRevision revision)
    {
        revision = null!;
        if ((code & NewStyle) == 0) return false;
        var memory = code >> 20 & 7;
        var maker = code >> 16 & 15;
        var processor = code >> 12 & 15;
        var type = code >> 4 & 255;
        revision = new PiRevision
        {
            Model = Models.GetValueOrDefault(type, $"Raspberry Pi (type 0x{type:x2})"),
            Processor = processor < Processors.Length ? Processors[processor] : "",
            Maker = maker < Makers.Length ? Makers[maker] : "",
            MemoryBytes = memory == 7 ? 0 : 256L << 20 << (int)memory,
            Board = (int)(code & 15),
            Family = processor switch
            {
                4 => BoardFamily.Pi5,
                3 => BoardFamily.Pi4,
                2 when type is 0x0d or 0x0e or 0x10 => BoardFamily.Pi3BPlus,
                2 when type is 0x08 or 0x0a => BoardFamily.Pi3B,
                _ => BoardFamily.PiOther,
            },
        };
        return true;
    }
}
