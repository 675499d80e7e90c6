namespace Bramble.Lab.Boards;

/// <summary>The boards that the lab builds. Each has a boot ROM of its own kind.</summary>
internal enum BoardModel
{
    Pi3B,
    Pi3BPlus,

    /// <summary>A Pi 4 with an EEPROM from before 2020-03.</summary>
    Pi4Old,

    /// <summary>A Pi 4 with today's EEPROM.</summary>
    Pi4,
    Pi5,

    /// <summary>A PC with a BIOS and PXE in its network card's ROM.</summary>
    PcBios,

    /// <summary>An x64 PC with UEFI, which boots by PXE.</summary>
    PcUefi,

    /// <summary>An arm64 server or board with UEFI, which boots by PXE.</summary>
    PcUefiArm64,

    /// <summary>An x64 PC with UEFI that is set to HTTP boot.</summary>
    PcUefiHttp,
}

/// <summary>What a PC's firmware says of itself in DHCP.</summary>
/// <param name="Architecture">Option 93 (RFC 4578 §2.1): what it runs, and how it fetches.</param>
/// <param name="Undi">The version of its network interface, as options 60 and 94 say it.</param>
internal sealed record PcTraits(ushort Architecture, (byte Major, byte Minor) Undi)
{
    public bool IsHttp { get; init; }
}

/// <summary>What differs from model to model, as plain figures and names.</summary>
/// <param name="Word">How the command line says it.</param>
/// <param name="Name">As the device tree says it.</param>
/// <param name="Oui">The maker's prefix of the MAC.</param>
/// <param name="Revisions">Revision codes to choose from; the memory size is part of them.</param>
/// <param name="DeviceTree">The file that the firmware asks for.</param>
/// <param name="RomDelay">From power to the first DISCOVER: the ROM, the card slot's time-out, the link.</param>
/// <param name="KernelDelay">From the last file to the initramfs asking for an address.</param>
/// <param name="SystemDelay">From switch_root to the installed system's first report.</param>
internal sealed record BoardTraits(
    string Word, string Name, uint Oui, IReadOnlyList<uint> Revisions, string DeviceTree,
    TimeSpan RomDelay, TimeSpan KernelDelay, TimeSpan SystemDelay)
{
    /// <summary>A 3B or 3B+: constant xid, five DISCOVERs, no REQUEST.</summary>
    public bool IsPi3 { get; init; }

    /// <summary>Block size that the EEPROM asks for; null asks for none (512 octets).</summary>
    public int? BlockSize { get; init; }

    /// <summary>Whether block 65535 may be followed by block 0 (RE#720: not before 2025-09-23).</summary>
    public bool BlockRollover { get; init; } = true;

    /// <summary>The kernel that is taken if config.txt names none, the best first.</summary>
    public IReadOnlyList<string> Kernels { get; init; } = ["kernel8.img"];

    /// <summary>What mainline kernels call the device tree; asked for if the other is missing.</summary>
    public string? UpstreamDeviceTree { get; init; }

    /// <summary>The words in brackets of config.txt that hold for this board.</summary>
    public IReadOnlyList<string> ConfigFilters { get; init; } = [];

    /// <summary>Null for a Pi.</summary>
    public PcTraits? Pc { get; init; }

    /// <summary>As <c>uname -m</c> says it.</summary>
    public string Machine { get; init; } = "aarch64";

    /// <summary>As Debian says it.</summary>
    public string Architecture => Machine == "aarch64" ? "arm64" : "amd64";

    public static IReadOnlyDictionary<BoardModel, BoardTraits> All { get; } = new Dictionary<BoardModel, BoardTraits>
    {
        [BoardModel.Pi3B] = new("3b", "Raspberry Pi 3 Model B Rev 1.2", 0xb827eb, [0xa02082, 0xa22082],
            "bcm2710-rpi-3-b.dtb", Seconds(6), Seconds(5), Seconds(25))
        {
            IsPi3 = true,
            Kernels = ["kernel8.img", "kernel7.img"],
            ConfigFilters = ["pi3"],
            UpstreamDeviceTree = "bcm2837-rpi-3-b.dtb",
        },
        [BoardModel.Pi3BPlus] = new("3b+", "Raspberry Pi 3 Model B Plus Rev 1.3", 0xb827eb, [0xa020d3, 0xa020d4],
            "bcm2710-rpi-3-b-plus.dtb", Seconds(6), Seconds(5), Seconds(25))
        {
            IsPi3 = true,
            Kernels = ["kernel8.img", "kernel7.img"],
            ConfigFilters = ["pi3", "pi3+"],
            UpstreamDeviceTree = "bcm2837-rpi-3-b-plus.dtb",
        },
        [BoardModel.Pi4Old] = new("4-old", "Raspberry Pi 4 Model B Rev 1.1", 0xdca632, [0xa03111, 0xb03111, 0xc03111],
            "bcm2711-rpi-4-b.dtb", Seconds(5), Seconds(4), Seconds(20))
        {
            BlockSize = 1024,
            BlockRollover = false,
            Kernels = ["kernel8.img", "kernel7l.img"],
            ConfigFilters = ["pi4"],
        },
        [BoardModel.Pi4] = new("4", "Raspberry Pi 4 Model B Rev 1.5", 0xdca632, [0xb03115, 0xc03115, 0xd03115],
            "bcm2711-rpi-4-b.dtb", Seconds(5), Seconds(4), Seconds(20))
        {
            BlockSize = 1468,
            Kernels = ["kernel8.img", "kernel7l.img"],
            ConfigFilters = ["pi4"],
        },
        [BoardModel.Pi5] = new("5", "Raspberry Pi 5 Model B Rev 1.0", 0x2ccf67, [0xc04170, 0xd04170],
            "bcm2712-rpi-5-b.dtb", Seconds(4), Seconds(3), Seconds(15))
        {
            BlockSize = 1468,
            Kernels = ["kernel_2712.img", "kernel8.img"],
            ConfigFilters = ["pi5"],
        },
        [BoardModel.PcBios] = NewPc("pc-bios", "Bramble Lab PC (BIOS)", new PcTraits(0, (2, 1)), "x86_64"),
        [BoardModel.PcUefi] = NewPc("pc-uefi", "Bramble Lab PC (UEFI)", new PcTraits(7, (3, 0)), "x86_64"),
        [BoardModel.PcUefiArm64] = NewPc(
            "pc-uefi-arm64", "Bramble Lab Server (arm64)", new PcTraits(11, (3, 0)), "aarch64"),
        [BoardModel.PcUefiHttp] = NewPc(
            "pc-uefi-http", "Bramble Lab PC (HTTP boot)", new PcTraits(16, (3, 0)) { IsHttp = true }, "x86_64"),
    };

    public static string Words => string.Join(", ", All.Values.Select(traits => traits.Word));

    public static BoardTraits Of(BoardModel model) => All[model];

    /// <summary>The model for a word such as <c>3b+</c>.</summary>
    public static bool TryParse(string word, out BoardModel model)
    {
        foreach (var (candidate, traits) in All)
        {
            model = candidate;
            if (traits.Word.Equals(word, StringComparison.OrdinalIgnoreCase)) return true;
        }
        model = default;
        return false;
    }

    // The MACs are those that QEMU gives.
    private static BoardTraits NewPc(string word, string name, PcTraits pc, string machine) =>
        new(word, name, 0x525400, [0], "", Seconds(12), Seconds(4), Seconds(15)) { Pc = pc, Machine = machine };

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);
}
