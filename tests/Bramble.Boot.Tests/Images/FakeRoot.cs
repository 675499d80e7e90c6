using System.Formats.Tar;
using System.Text;

namespace Bramble.Boot.Tests.Images;

/// <summary>A small root file system as a tar: what Debian's have, in miniature.</summary>
internal static class FakeRoot
{
    public const string Kernel = "6.1.0-9-test";
    public const string ModulesDep =
        """
        kernel/fs/ext4/ext4.ko.xz: kernel/fs/jbd2/jbd2.ko.xz kernel/fs/mbcache.ko kernel/lib/crc16.ko.zst
        kernel/fs/jbd2/jbd2.ko.xz:
        kernel/fs/mbcache.ko:
        kernel/lib/crc16.ko.zst:
        kernel/crypto/crc32c_generic.ko:
        kernel/drivers/net/usb/usbnet.ko: kernel/drivers/net/mii.ko
        kernel/drivers/net/mii.ko:
        kernel/drivers/net/usb/lan78xx.ko: kernel/drivers/net/mii.ko
        kernel/sound/noise.ko:

        """;

    /// <summary>CAP_NET_RAW, permitted and effective, as vfs_cap_data version 2 holds it.</summary>
    public static readonly byte[] Capability = [1, 0, 0, 2, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    /// <summary>An ELF header of an arm64 program; enough to tell the architecture, and that it is static.</summary>
    public static byte[] ArmProgram(int machine = 183, byte bits = 2)
    {
        var elf = Scratch.Noise(9, 1000);
        elf.AsSpan(0, 64).Clear();
        byte[] head = [0x7F, (byte)'E', (byte)'L', (byte)'F', bits, 1, 1];
        head.CopyTo(elf, 0);
        BitConverter.TryWriteBytes(elf.AsSpan(16), (ushort)2);
        BitConverter.TryWriteBytes(elf.AsSpan(18), (ushort)machine);
        return elf;
    }

    public static async Task<byte[]> ModuleAsync(Scratch scratch, string path)
    {
        var plain = Plain(path);
        var file = scratch.Write("module.ko", plain);
        if (path.EndsWith(".xz", StringComparison.Ordinal))
        {
            await Scratch.RunAsync("xz", "-kf", file);
            return File.ReadAllBytes(file + ".xz");
        }
        if (path.EndsWith(".zst", StringComparison.Ordinal))
        {
            await Scratch.RunAsync("zstd", "-qf", file, "-o", file + ".zst");
            return File.ReadAllBytes(file + ".zst");
        }
        return plain;
    }

    public static byte[] Plain(string path) =>
        Encoding.ASCII.GetBytes("module " + path[..(path.LastIndexOf(".ko", StringComparison.Ordinal) + 3)]);

    public static async Task<byte[]> MakeAsync(Scratch scratch, int payload = 0)
    {
        using var stream = new MemoryStream();
        await using (var tar = new TarWriter(stream, TarEntryFormat.Pax, leaveOpen: true))
        {
            foreach (var d in new[] { "etc", "usr", "usr/bin", "usr/sbin", "usr/lib", "boot", "proc", "home",
                "home/pi", "tmp", "dev" })
                Add(tar, new PaxTarEntry(TarEntryType.Directory, "./" + d), 0x1ED);
            LinkIn(tar, "bin", "usr/bin");
            LinkIn(tar, "lib", "usr/lib");
            LinkIn(tar, "escape", "/");
            LinkIn(tar, "usr/lib/raspi-firmware", "/etc");
            FileIn(tar, "usr/lib/os-release", "NAME=x\nPRETTY_NAME=\"Test Linux 7\"\n"u8.ToArray());
            LinkIn(tar, "etc/os-release", "../usr/lib/os-release");
            FileIn(tar, "etc/shadow", "secret of the image\n"u8.ToArray(), 0x1A0, gid: 42);
            FileIn(tar, "usr/bin/dash", ArmProgram(), 0x1ED);
            FileIn(tar, "usr/bin/busybox", ArmProgram(), 0x1ED);
            FileIn(tar, "usr/bin/su", ArmProgram(), 0x9ED);
            FileIn(tar, "usr/sbin/resize2fs", ArmProgram(), 0x1ED);
            FileIn(tar, "home/pi/file with blanks", Scratch.Noise(4, 70_000), 0x1A4, uid: 1000, gid: 1000);
            var hard = new PaxTarEntry(TarEntryType.HardLink, "./home/pi/hard");
            hard.LinkName = "./home/pi/file with blanks";
            Add(tar, hard, 0x1A4);
            Add(tar, new PaxTarEntry(TarEntryType.CharacterDevice, "./dev/null") { DeviceMajor = 1, DeviceMinor = 3 },
                0x1B6);
            var ping = new PaxTarEntry(TarEntryType.RegularFile, "./usr/bin/ping",
                [new("SCHILY.xattr.security.capability", Encoding.Latin1.GetString(Capability))])
            { DataStream = new MemoryStream(ArmProgram()) };
            Add(tar, ping, 0x1ED);
            FileIn(tar, $"boot/vmlinuz-{Kernel}", Scratch.Noise(5, 200_000));
            FileIn(tar, "usr/lib/linux-image-" + Kernel + "/broadcom/bcm2711-rpi-4-b.dtb", Scratch.Noise(6, 3000));
            FileIn(tar, $"usr/lib/modules/{Kernel}/modules.dep", Encoding.ASCII.GetBytes(ModulesDep));
            FileIn(tar, $"usr/lib/modules/{Kernel}/modules.builtin", "kernel/fs/overlayfs/overlay.ko\n"u8.ToArray());
            FileIn(tar, $"usr/lib/modules/{Kernel}/modules.softdep", "softdep ext4 pre: crc32c_generic\n"u8.ToArray());
            FileIn(tar, $"usr/lib/modules/{Kernel}/modules.alias",
                "alias usb:v0424p7800d*dc*dsc*dp*ic*isc*ip*in* lan78xx\nalias pci:* noise\n"u8.ToArray());
            foreach (var line in ModulesDep.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                var path = line.Split(':')[0];
                FileIn(tar, $"usr/lib/modules/{Kernel}/{path}", await ModuleAsync(scratch, path));
            }
            if (payload > 0) FileIn(tar, "home/pi/payload", Scratch.Noise(8, payload));
        }
        return stream.ToArray();
    }

    private static void LinkIn(TarWriter tar, string path, string target) =>
        Add(tar, new PaxTarEntry(TarEntryType.SymbolicLink, "./" + path) { LinkName = target }, 0x1FF);

    private static void FileIn(
        TarWriter tar, string path, byte[] content, int mode = 0x1A4, int uid = 0, int gid = 0)
    {
        var entry = new PaxTarEntry(TarEntryType.RegularFile, "./" + path) { Uid = uid, Gid = gid };
        entry.DataStream = new MemoryStream(content);
        Add(tar, entry, mode);
    }

    private static void Add(TarWriter tar, TarEntry entry, int mode)
    {
        entry.Mode = (UnixFileMode)mode;
        tar.WriteEntry(entry);
    }
}
