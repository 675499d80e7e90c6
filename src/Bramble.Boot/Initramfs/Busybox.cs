using System.Text;
using Bramble.Boot.Images;

namespace Bramble.Boot.Initramfs;

/// <summary>Finds a static busybox for an architecture, and the names that it answers to.</summary>
internal static class Busybox
{
    private static readonly string[] Candidates =
        ["/usr/bin/busybox", "/bin/busybox", "/usr/lib/initramfs-tools/bin/busybox", "/bin/busybox.static"];

    /// <summary>What the installer and the card's init use, should the program's own table not be found.</summary>
    private const string Essential =
        "[ ash awk basename blkid cat chmod chown chroot cmp cp cttyhack cut date dd df dirname dmesg du " +
        "echo env expr " +
        "false fdisk find findfs free fsync grep gunzip gzip halt head hexdump hostname hwclock ifconfig " +
        "insmod ip kill " +
        "ln losetup ls lsmod md5sum mkdir mknod mktemp modprobe mount mv nc nslookup ntpd od partprobe ping poweroff " +
        "printf ps pwd reboot rm rmdir rmmod route sed seq setsid sh sha256sum sleep sort stat stty switch_root sync " +
        "tail tar tee test touch tr true truncate udhcpc umount uname uniq usleep vi wc wget which xargs xxd yes zcat";

    /// <summary>The program: from the root itself, from this host, else from the distribution's package.</summary>
    /// <exception cref="ImageException">None is to be had.</exception>
    public static async Task<byte[]> FindAsync(
        IRootFiles? root, string architecture, string work, PackageCache packages, CancellationToken cancellation)
    {
        var copy = Path.Combine(work, "busybox.tmp");
        foreach (var path in root is null ? [] : Candidates)
        {
            await root!.CopyOutAsync([(path, copy)], cancellation).ConfigureAwait(false);
            if (Fits(copy, architecture)) return await TakeAsync(copy, cancellation).ConfigureAwait(false);
        }
        File.Delete(copy);
        foreach (var path in Candidates)
            if (Fits(path, architecture)) return await File.ReadAllBytesAsync(path, cancellation).ConfigureAwait(false);
        var package = await packages.GetAsync("busybox-static", architecture, cancellation).ConfigureAwait(false);
        foreach (var path in Candidates)
        {
            var file = package + path;
            if (Fits(file, architecture)) return await File.ReadAllBytesAsync(file, cancellation).ConfigureAwait(false);
        }
        throw new ImageException($"The package busybox-static for {architecture} holds no static busybox.");
    }

    /// <summary>
    /// The applets compiled in. The program keeps their names as one sorted run of strings that begins with
    /// <c>[</c> and <c>[[</c>; a program of another machine cannot be asked by running it.
    /// </summary>
    public static IReadOnlyList<string> AppletsOf(ReadOnlySpan<byte> program)
    {
        var at = program.IndexOf("\0[\0[[\0"u8);
        var names = new List<string>();
        if (at >= 0)
        {
            for (var rest = program[(at + 1)..]; ;)
            {
                var end = rest.IndexOf((byte)0);
                if (end is < 1 or > 32) break;
                var name = Encoding.ASCII.GetString(rest[..end]);
                if (!name.All(c => char.IsAsciiLetterOrDigit(c) || c is '[' or '_' or '-' or '.')
                    || (names.Count > 0 && string.CompareOrdinal(name, names[^1]) <= 0)) break;
                names.Add(name);
                rest = rest[(end + 1)..];
            }
        }
        return names.Count > 50 && names.Contains("sh") ? names : Essential.Split(' ');
    }

    /// <summary>Puts the program and a link for each applet into an archive; every usual directory leads to
    /// /bin.</summary>
    public static void WriteTo(CpioWriter cpio, byte[] program)
    {
        cpio.Directory("bin");
        cpio.File("bin/busybox", 0b111_101_101, program);
        foreach (var applet in AppletsOf(program))
            if (applet != "busybox") cpio.Link($"bin/{applet}", "busybox");
        cpio.Link("sbin", "bin");
        cpio.Directory("usr");
        cpio.Link("usr/bin", "../bin");
        cpio.Link("usr/sbin", "../bin");
    }

    private static bool Fits(string path, string architecture) =>
        File.Exists(path) && ElfFile.ArchitectureOf(path) == architecture && ElfFile.IsStatic(path);

    private static async Task<byte[]> TakeAsync(string path, CancellationToken cancellation)
    {
        var bytes = await File.ReadAllBytesAsync(path, cancellation).ConfigureAwait(false);
        File.Delete(path);
        return bytes;
    }
}
