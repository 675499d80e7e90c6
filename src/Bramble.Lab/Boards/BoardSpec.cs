using System.Globalization;
using Bramble.Lab.Qemu;
using Bramble.Wire;

namespace Bramble.Lab.Boards;

/// <summary>What is printed on a board and burnt into it, and what hangs off it.</summary>
/// <param name="Number">Counted from 1; also its port of the switch.</param>
/// <param name="Serial">The low 32 bits of the serial number; the TFTP prefix.</param>
internal sealed record BoardSpec(int Number, BoardModel Model, MacAddress Mac, uint Serial, uint Revision)
{
    public const long DefaultDiskSize = 7_948_206_080;

    public string Name { get; init; } = $"board-{Number:000}";

    public int Port => Number;

    /// <summary>Octets of the board's SD card.</summary>
    public long DiskSize { get; init; } = DefaultDiskSize;

    public string DiskName { get; init; } = "mmcblk0";

    public string DiskBus { get; init; } = "sd";

    /// <summary>The card's own serial number.</summary>
    public string DiskSerial { get; init; } = $"0x{0x5d000000 + Number:x8}";

    /// <summary>Whether an emulator is the board, or takes over from its boot ROM.</summary>
    public bool Emulated { get; init; }

    /// <summary>The firmware of an emulated PC; null for all others.</summary>
    public PcFirmware? Firmware { get; init; }

    public BoardTraits Traits => BoardTraits.Of(Model);

    /// <summary>The directory under which the firmware asks for its files.</summary>
    public string Prefix => Serial.ToString("x8", CultureInfo.InvariantCulture);

    /// <summary>SMBIOS's UUID, which option 97 says.</summary>
    public Guid Uuid => new((int)Serial, 0x4c61, 0x4d62, Octets(Mac));

    /// <summary>
    /// All 64 bits as the device tree shows them. The upper half of a Pi 5's is no constant (RE#563).
    /// </summary>
    public string LongSerial => Model == BoardModel.Pi5
        ? $"{(uint)(Serial * 2654435761u) | 0x10000000:x8}{Serial:x8}"
        : $"{(Model is BoardModel.Pi3B or BoardModel.Pi3BPlus ? 0 : 0x10000000):x8}{Serial:x8}";

    /// <summary>A Pi's memory is in its revision code: bits 20 to 22, 256 MiB shifted.</summary>
    public long MemoryBytes => Traits.Pc is null ? 256L << 20 << (int)(Revision >> 20 & 7) : 4L << 30;

    /// <summary>
    /// A rack of boards: the models in turn, everything else drawn from the seed, so that the same seed gives the same
    /// rack.
    /// </summary>
    public static IReadOnlyList<BoardSpec> Rack(int count, IReadOnlyList<BoardModel> models, int seed, int first = 1)
    {
        var random = new Random(seed);
        var serials = new HashSet<uint>();
        var macs = new HashSet<MacAddress>();
        var boards = new List<BoardSpec>(count);
        for (var i = 0; i < count; i++)
        {
            var model = models[i % models.Count];
            var traits = BoardTraits.Of(model);
            BoardSpec board;
            do
            {
                var serial = (uint)random.NextInt64(0x10000000, 0x100000000);
                // The MAC of a 3B ends in the last 24 bits of its serial number; a Pi 4's and 5's is independent of it.
                var tail = traits.IsPi3 ? serial & 0xffffff : (uint)random.Next(0x1000000);
                board = new BoardSpec(first + i, model, new MacAddress((ulong)traits.Oui << 24 | tail), serial,
                    traits.Revisions[random.Next(traits.Revisions.Count)]);
                if (traits.Pc is not null) board = WithPcDisk(board);
            }
            while (!serials.Add(board.Serial) || !macs.Add(board.Mac));
            boards.Add(board);
        }
        return boards;
    }

    // Every other one has its disk on virtio, as virtual machines have; the others an NVMe.
    private static BoardSpec WithPcDisk(BoardSpec board) => board.Number % 2 == 0
        ? board with { DiskName = "vda", DiskBus = "virtio" }
        : board with { DiskName = "nvme0n1", DiskBus = "nvme" };

    private static byte[] Octets(MacAddress mac)
    {
        var octets = new byte[8];
        mac.Write(octets.AsSpan(2));
        return octets;
    }
}
