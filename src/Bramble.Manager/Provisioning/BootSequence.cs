using Bramble.Boot;
using Bramble.Boot.Loaders;
using Bramble.Manager.Nodes;

namespace Bramble.Manager.Provisioning;

/// <summary>A file that a machine asks for while it boots.</summary>
internal sealed record BootSequenceFile(string Path, BootDoor Door, bool Needed = true);

/// <summary>
/// The files that decide a boot, in the order in which each kind of machine asks for them. Probes that all firmware
/// makes and that nothing hangs on are left out. Pure.
/// </summary>
internal static class BootSequence
{
    private const string Kernel = "vmlinuz";

    private static readonly string[] s_pi3 = ["bootcode.bin", "start.elf", "fixup.dat"];

    /// <param name="rules">The network's loaders.</param>
    /// <param name="config">config.txt as the board would get it; empty if there is none.</param>
    public static IReadOnlyList<BootSequenceFile> Of(NodeStatus status, LoaderRules rules, string mac, string config)
    {
        return status.Family switch
        {
            nameof(BoardFamily.Pi3B) => Pi(config, s_pi3, "rpi-3-b", "kernel8.img"),
            nameof(BoardFamily.Pi3BPlus) => Pi(config, s_pi3, "rpi-3-b-plus", "kernel8.img"),
            nameof(BoardFamily.Pi5) => Pi(config, [], "rpi-5-b", "kernel_2712.img"),
            nameof(BoardFamily.Pi4) or nameof(BoardFamily.PiOther) =>
                Pi(config, ["start4.elf", "fixup4.dat"], "rpi-4-b", "kernel8.img"),
            _ => Other(status, rules, mac),
        };
    }

    private static IReadOnlyList<BootSequenceFile> Pi(string config, string[] firmware, string board, string kernel)
    {
        var upstream = Setting(config, "upstream_kernel") == "1";
        var chip = board switch
        {
            "rpi-5-b" => "bcm2712",
            "rpi-4-b" => "bcm2711",
            _ => upstream ? "bcm2837" : "bcm2710",
        };
        return
        [
            .. firmware.Select(file => Tftp(file)),
            // Firmware has a default for each of its settings.
            Tftp("config.txt", needed: false),
            Tftp("cmdline.txt"),
            Tftp(Setting(config, "device_tree") ?? $"{chip}-{board}.dtb"),
            Tftp(Setting(config, "kernel") ?? kernel),
            Tftp(KernelCommandLine.InitramfsName),
        ];
    }

    private static IReadOnlyList<BootSequenceFile> Other(NodeStatus status, LoaderRules rules, string mac)
    {
        if (!ClientArchitecture.TryParse(status.Firmware, out var architecture)) return [];
        var client = status.Firmware.StartsWith("http-", StringComparison.Ordinal) ? BootClient.Http
            : status.Firmware.StartsWith("uboot-", StringComparison.Ordinal) ? BootClient.UBoot : BootClient.Pxe;
        var choice = LoaderChoice.For(
            new BoardIdentity { Family = BoardFamily.Pxe, Client = client, ClientArchitecture = architecture }, rules);
        if (choice is null) return [];
        const string door = "/boot/";
        var at = choice.Name.IndexOf(door, StringComparison.Ordinal);
        var first = at < 0 ? choice.Name : choice.Name[(at + door.Length)..];
        return first switch
        {
            LoaderChoice.UnifiedKernel => [new(first, client == BootClient.Http ? BootDoor.Http : BootDoor.Tftp)],
            LoaderFiles.ShimX64 or LoaderFiles.ShimArm64 =>
            [
                Tftp(first), Tftp(first == LoaderFiles.ShimX64 ? "grubx64.efi" : "grubaa64.efi"),
                Tftp(BootScripts.GrubConfig), Tftp(Kernel), Tftp(KernelCommandLine.InitramfsName),
            ],
            LoaderFiles.IpxeBios or LoaderFiles.IpxeX64 =>
            [
                Tftp(first), Http(LoaderChoice.IpxeScript), Http(Kernel), Http(KernelCommandLine.InitramfsName),
            ],
            "" =>
            [
                Tftp($"{BootScripts.PxelinuxDirectory}01-{mac.Replace(':', '-')}"), Tftp(Kernel),
                Tftp(KernelCommandLine.InitramfsName),
            ],
            _ => [Tftp(first)],
        };
    }

    private static BootSequenceFile Tftp(string path, bool needed = true) => new(path, BootDoor.Tftp, needed);

    private static BootSequenceFile Http(string path) => new(path, BootDoor.Http);

    /// <summary>The last value of a setting; filters in brackets are not weighed.</summary>
    private static string? Setting(string config, string name)
    {
        string? value = null;
        foreach (var line in config.Split('\n'))
        {
            var text = line.Trim();
            if (text.StartsWith(name + "=", StringComparison.Ordinal)) value = text[(name.Length + 1)..].Trim();
        }
        return value;
    }
}
