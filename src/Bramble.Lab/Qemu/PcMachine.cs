using Bramble.Lab.Boards;

namespace Bramble.Lab.Qemu;

/// <summary>The PCs that QEMU is, each with the firmware that it has in the field.</summary>
internal enum PcFirmware
{
    /// <summary>SeaBIOS, and iPXE in the network card's ROM.</summary>
    Bios,

    /// <summary>OVMF: EDK II for x64.</summary>
    Uefi,

    /// <summary>AAVMF: EDK II for arm64.</summary>
    UefiArm64,

    /// <summary>OVMF with Microsoft's keys: Secure Boot is on.</summary>
    UefiSecure,

    /// <summary>OVMF that boots by HTTP and does not know PXE.</summary>
    UefiHttp,
}

/// <summary>How QEMU is called for one kind of PC, and what it needs of this machine.</summary>
/// <param name="Word">How the command line says it.</param>
/// <param name="Model">What the simulated boards call it.</param>
/// <param name="Program">The emulator.</param>
/// <param name="Package">The package that has it.</param>
/// <param name="Code">The firmware: read-only flash; null if QEMU has its own.</param>
/// <param name="Variables">The empty NVRAM that belongs to it.</param>
/// <param name="FirmwarePackage">The package that has the firmware.</param>
/// <param name="Machine">The words for machine and CPU.</param>
internal sealed record PcMachine(
    string Word, BoardModel Model, string Program, string Package, string? Code, string? Variables,
    string FirmwarePackage, IReadOnlyList<string> Machine)
{
    /// <summary>The combined ROM of QEMU's e1000e card: iPXE for BIOS and UEFI.</summary>
    private const string CardRom = "/usr/lib/ipxe/qemu/efi-e1000e.rom";

    private static readonly string[] s_noPxe =
    [
        "-fw_cfg", "name=opt/org.tianocore/IPv4PXESupport,string=n",
        "-fw_cfg", "name=opt/org.tianocore/IPv6PXESupport,string=n",
    ];

    public static IReadOnlyDictionary<PcFirmware, PcMachine> All { get; } = new Dictionary<PcFirmware, PcMachine>
    {
        [PcFirmware.Bios] = new("bios", BoardModel.PcBios, "qemu-system-x86_64", "qemu-system-x86", null, null,
            "ipxe-qemu", ["-M", "q35", "-boot", "n"]),
        [PcFirmware.Uefi] = Ovmf("uefi", BoardModel.PcUefi, "OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd", "-M", "q35"),
        [PcFirmware.UefiArm64] = new("uefi-arm64", BoardModel.PcUefiArm64, "qemu-system-aarch64", "qemu-system-arm",
            "/usr/share/AAVMF/AAVMF_CODE.fd", "/usr/share/AAVMF/AAVMF_VARS.fd", "qemu-efi-aarch64",
            ["-M", "virt", "-cpu", "cortex-a57"]),
        // Secure Boot's variables may be written in system management mode only.
        [PcFirmware.UefiSecure] = Ovmf("uefi-secure", BoardModel.PcUefi, "OVMF_CODE_4M.secboot.fd",
            "OVMF_VARS_4M.ms.fd", "-M", "q35,smm=on", "-global", "driver=cfi.pflash01,property=secure,value=on"),
        [PcFirmware.UefiHttp] = Ovmf("uefi-http", BoardModel.PcUefiHttp, "OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd",
            ["-M", "q35", .. s_noPxe]),
    };

    public static string Words => string.Join(", ", All.Values.Select(machine => machine.Word));

    /// <summary>The kind for a word such as <c>uefi-arm64</c>.</summary>
    public static bool TryParse(string word, out PcFirmware firmware)
    {
        foreach (var (candidate, machine) in All)
        {
            firmware = candidate;
            if (machine.Word.Equals(word, StringComparison.OrdinalIgnoreCase)) return true;
        }
        firmware = default;
        return false;
    }

    /// <summary>What is missing on this machine, and which package has it; null if nothing is.</summary>
    public string? Missing()
    {
        string[] places = ["/usr/bin", "/usr/local/bin"];
        if (!places.Any(place => File.Exists(Path.Combine(place, Program)))) return Without(Program, Package);
        foreach (var file in (string?[])[Code, Variables, Code is null ? CardRom : null])
            if (file is not null && !File.Exists(file)) return Without(file, FirmwarePackage);
        return null;
    }

    /// <param name="mac">Of its network card.</param>
    /// <param name="tap">The network card's other end.</param>
    /// <param name="disk">A raw image.</param>
    /// <param name="variables">The machine's own NVRAM.</param>
    public IEnumerable<string> Arguments(string mac, string tap, string disk, string serial, string variables) =>
    [
        Program, .. Machine,
        // KVM can hang on virtual machines; TCG always works.
        "-accel", "tcg,thread=single", "-m", "1G", "-display", "none", "-monitor", "none", "-serial", "stdio",
        // A restart is gone through from the start, as real power does it.
        "-no-reboot", "-nic", "none",
        .. Code is null ? (string[])[] :
        [
            "-drive", $"if=pflash,format=raw,readonly=on,file={Code}",
            "-drive", $"if=pflash,format=raw,file={variables}",
        ],
        "-netdev", $"tap,id=net,ifname={tap},script=no,downscript=no",
        "-device", (Code is null ? "e1000e" : "virtio-net-pci,romfile=") + $",netdev=net,mac={mac},bootindex=1",
        "-drive", $"file={disk},if=none,id=disk,format=raw,cache=unsafe,discard=unmap",
        "-device", $"virtio-blk-pci,drive=disk,serial={serial}",
    ];

    private string Without(string file, string package) =>
        $"--qemu-pc {Word} needs {file}, which is not here: install the package {package}";

    private static PcMachine Ovmf(
        string word, BoardModel model, string code, string variables, params string[] machine) =>
        new(word, model, "qemu-system-x86_64", "qemu-system-x86", "/usr/share/OVMF/" + code,
            "/usr/share/OVMF/" + variables, "ovmf", machine);
}
