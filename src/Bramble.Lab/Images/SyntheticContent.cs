using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Bramble.Lab.Images;

/// <summary>How large a synthetic image's files are.</summary>
internal enum ImageScale
{
    /// <summary>Kilobytes where a real image has megabytes: for many boards at once.</summary>
    Small,

    /// <summary>The sizes that Raspberry Pi OS has.</summary>
    Real,
}

/// <summary>
/// The files of a made-up Raspberry Pi OS, or of a made-up Debian for PCs: names, sizes and headers as the real ones
/// have them, content from a seed. Nothing in it can run; simulated boards only carry it about.
/// </summary>
internal static class SyntheticContent
{
    public const uint DiskId = 0x6d61726b;

    private static readonly string[] s_piVersions = ["6.12.34+rpt-rpi-v8", "6.12.34+rpt-rpi-2712"];
    private static readonly string[] s_pcVersions = ["6.1.0-37-amd64"];

    /// <summary>The versions of an image's kernels; the first is that of <c>vmlinuz</c>.</summary>
    public static IReadOnlyList<string> KernelVersions(string architecture) =>
        architecture == "amd64" ? s_pcVersions : s_piVersions;

    /// <summary>The boot partition, by path, in the order in which it is to be written.</summary>
    public static IReadOnlyList<(string Path, byte[] Content)> BootFiles(ImageScale scale, string architecture) =>
        architecture == "amd64" ? [("vmlinuz", PcKernel(scale, 8_247_000))] : PiBootFiles(scale);

    private static IReadOnlyList<(string Path, byte[] Content)> PiBootFiles(ImageScale scale) =>
    [
        ("bcm2710-rpi-3-b-plus.dtb", DeviceTree(scale, 35_000, "raspberrypi,3-model-b-plus")),
        ("bcm2710-rpi-3-b.dtb", DeviceTree(scale, 34_400, "raspberrypi,3-model-b")),
        ("bcm2711-rpi-4-b.dtb", DeviceTree(scale, 56_300, "raspberrypi,4-model-b")),
        ("bcm2712-rpi-5-b.dtb", DeviceTree(scale, 78_800, "raspberrypi,5-model-b")),
        ("bootcode.bin", Filler("bootcode.bin", Size(scale, 52_476))),
        ("cmdline.txt", Ascii($"console=serial0,115200 console=tty1 root=PARTUUID={DiskId:x8}-02 rootfstype=ext4 "
            + "fsck.repair=yes rootwait\n")),
        ("config.txt", Ascii("""
            # Made by bramble-lab: the settings of a plain Raspberry Pi OS
            dtparam=audio=on
            camera_auto_detect=1
            disable_fw_kms_setup=1
            arm_64bit=1
            disable_overscan=1
            arm_boost=1

            [pi5]
            kernel=kernel_2712.img

            [all]
            enable_uart=1

            """)),
        ("fixup.dat", Filler("fixup.dat", Size(scale, 7_268))),
        ("fixup4.dat", Filler("fixup4.dat", Size(scale, 5_411))),
        ("kernel8.img", Kernel(scale, 9_539_000, s_piVersions[0])),
        ("kernel_2712.img", Kernel(scale, 9_542_000, s_piVersions[1])),
        ("start.elf", Elf("start.elf", Size(scale, 2_984_800))),
        ("start4.elf", Elf("start4.elf", Size(scale, 2_259_300))),
        // What arm64 machines with UEFI start.
        ("vmlinuz", Kernel(scale, 9_539_000, s_piVersions[0])),
        ("overlays/bcm2712d0.dtbo", DeviceTree(scale, 1_100, "brcm,bcm2712")),
        ("overlays/disable-bt.dtbo", DeviceTree(scale, 1_073, "brcm,bcm2835")),
        ("overlays/overlay_map.dtb", DeviceTree(scale, 8_000, "overlay-map")),
    ];

    /// <summary>The root file system, by path; a link's content is its target.</summary>
    /// <param name="fill">Octets of files without meaning, so that there is something to install.</param>
    public static IEnumerable<SyntheticFile> RootFiles(long fill, string architecture)
    {
        foreach (var name in (string[])["bin", "lib", "sbin"])
            yield return new SyntheticFile(name, Ascii("usr/" + name), SyntheticKind.Link);
        foreach (var name in (string[])["boot/firmware", "dev", "mnt", "proc", "root", "run", "sys", "tmp", "var/log",
            "etc/systemd/system/multi-user.target.wants", "etc/ssh", "etc/bramble", "usr/lib/bramble", "usr/bin"])
            yield return new SyntheticFile(name, [], SyntheticKind.Directory);
        yield return Text("etc/os-release", """
            PRETTY_NAME="Bramble Lab GNU/Linux 12 (bookworm)"
            NAME="Bramble Lab GNU/Linux"
            VERSION_ID="12"
            VERSION="12 (bookworm)"
            VERSION_CODENAME=bookworm
            ID=debian

            """);
        yield return Text("etc/hostname", "raspberrypi\n");
        yield return Text("etc/hosts", "127.0.0.1 localhost\n127.0.1.1 raspberrypi\n");
        yield return Text("etc/fstab", $"""
            proc /proc proc defaults 0 0
            PARTUUID={DiskId:x8}-01 /boot/firmware vfat defaults 0 2
            PARTUUID={DiskId:x8}-02 / ext4 defaults,noatime 0 1

            """);
        yield return Text("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n");
        yield return Text("etc/group", "root:x:0:\n");
        yield return new SyntheticFile("usr/sbin/init",
            Ascii("#!/bin/sh\necho 'This system exists only in the lab.'\n"), SyntheticKind.Program);
        // What a program of the root was made for tells its architecture.
        yield return new SyntheticFile("usr/bin/dash", TinyModule.Program(architecture), SyntheticKind.Program);
        yield return new SyntheticFile("usr/bin/sh", Ascii("dash"), SyntheticKind.Link);
        yield return new SyntheticFile("usr/sbin/resize2fs", Ascii("#!/bin/sh\nexit 0\n"), SyntheticKind.Program);
        foreach (var version in KernelVersions(architecture))
            foreach (var file in TinyModule.Tree(version, architecture))
                yield return file;
        const int piece = 1 << 20;
        for (long at = 0; at < fill; at += piece)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"usr/share/fill/{at / piece:0000}");
            yield return new SyntheticFile(name, Filler(name, (int)Math.Min(piece, fill - at)), SyntheticKind.File);
        }
    }

    /// <summary>Octets that look random and are always the same for the same name.</summary>
    public static byte[] Filler(string name, int length)
    {
        // FNV-1a of the name: string.GetHashCode differs from run to run.
        var seed = 2166136261u;
        foreach (var c in name) seed = (seed ^ c) * 16777619u;
        var octets = new byte[length];
        new Random((int)seed).NextBytes(octets);
        return octets;
    }

    private static SyntheticFile Text(string path, string text) => new(path, Ascii(text), SyntheticKind.File);

    private static byte[] Ascii(string text) => Encoding.ASCII.GetBytes(text.ReplaceLineEndings("\n"));

    private static int Size(ImageScale scale, int real) => scale == ImageScale.Real ? real : Math.Max(real / 64, 512);

    // A flattened device tree's header: magic, total size, offsets (devicetree specification §5.2).
    private static byte[] DeviceTree(ImageScale scale, int real, string compatible)
    {
        var octets = Filler(compatible, Size(scale, real));
        uint[] header = [0xd00dfeed, (uint)octets.Length, 56, 256, 40, 17, 16, 0, 64, 128];
        for (var i = 0; i < header.Length; i++) BinaryPrimitives.WriteUInt32BigEndian(octets.AsSpan(4 * i), header[i]);
        return octets;
    }

    // The arm64 Image header (Documentation/arch/arm64/booting.rst): image size at 16, magic at 56.
    private static byte[] Kernel(ImageScale scale, int real, string version)
    {
        var octets = Filler(version, Size(scale, real));
        octets.AsSpan(0, 64).Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(octets.AsSpan(16), (ulong)octets.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(octets.AsSpan(24), 0x0a);
        "ARM\x64"u8.CopyTo(octets.AsSpan(56));
        Ascii($"Linux version {version} (bramble-lab) #1 SMP PREEMPT\0").CopyTo(octets, 256);
        return octets;
    }

    // A bzImage's set-up header (Documentation/arch/x86/boot.rst): signature at 0x1FE, "HdrS" at 0x202.
    private static byte[] PcKernel(ImageScale scale, int real)
    {
        var octets = Filler("vmlinuz", Size(scale, real));
        octets.AsSpan(0, 0x400).Clear();
        octets[0x1fe] = 0x55;
        octets[0x1ff] = 0xaa;
        "HdrS"u8.CopyTo(octets.AsSpan(0x202));
        BinaryPrimitives.WriteUInt16LittleEndian(octets.AsSpan(0x206), 0x020f);
        return octets;
    }

    private static byte[] Elf(string name, int length)
    {
        var octets = Filler(name, length);
        ((ReadOnlySpan<byte>)[0x7f, (byte)'E', (byte)'L', (byte)'F', 1, 1, 1, 0]).CopyTo(octets);
        return octets;
    }
}

/// <summary>What a path of the root file system is.</summary>
internal enum SyntheticKind
{
    File,
    Program,
    Directory,
    Link,
}

/// <summary>One path of the root file system.</summary>
internal sealed record SyntheticFile(string Path, byte[] Content, SyntheticKind Kind);
