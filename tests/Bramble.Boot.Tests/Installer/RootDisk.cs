using System.Buffers.Binary;
using System.Formats.Tar;
using System.Text;

namespace Bramble.Boot.Tests.Installer;

/// <summary>A small but whole disk image: a partition table, an ext4 root with an init and a resize2fs.</summary>
internal static class RootDisk
{
    public const long RootOffset = 2 << 20;
    public const long DiskSize = 64 << 20;
    public const int ChunkBytes = 1 << 20;
    private const int RootSize = 16 << 20;

    private static readonly Lazy<Task<byte[]>> s_image = new(BuildAsync);

    /// <summary>The image with the patch that grows its partition, and an overlay.</summary>
    public static async Task<TestImage> LoadAsync()
    {
        var image = new TestImage(await s_image.Value, ChunkBytes) { Overlay = Overlay() };
        image.Patches.Add((0, Table(DiskSize - RootOffset)));
        return image;
    }

    /// <summary>A master boot record whose second entry is the root.</summary>
    private static byte[] Table(long rootSize)
    {
        var table = new byte[512];
        var entry = table.AsSpan(446 + 16);
        entry[4] = 0x83;
        BinaryPrimitives.WriteUInt32LittleEndian(entry[8..], (uint)(RootOffset / 512));
        BinaryPrimitives.WriteUInt32LittleEndian(entry[12..], (uint)(rootSize / 512));
        (table[510], table[511]) = (0x55, 0xaa);
        return table;
    }

    private static byte[] Overlay()
    {
        using var stream = new MemoryStream();
        using (var tar = new TarWriter(stream, TarEntryFormat.Ustar, leaveOpen: true))
        {
            File("etc/hostname", "pi-03\n", 0b110_100_100, 0);
            File("etc/bramble/credential", "secret", 0b110_000_000, 0);
            File("home/operator/note", "hello", 0b110_100_000, 1000);
            // var/alias is a link to /etc in the image: it must lead into the image.
            File("var/alias/through-a-link", "inside", 0b110_100_100, 0);
            tar.WriteEntry(new UstarTarEntry(TarEntryType.SymbolicLink, "etc/link") { LinkName = "/etc/hostname" });

            void File(string name, string text, int mode, int owner) => tar.WriteEntry(
                new UstarTarEntry(TarEntryType.RegularFile, name)
                {
                    DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)),
                    Mode = (UnixFileMode)mode,
                    Uid = owner,
                    Gid = owner,
                });
        }
        return stream.ToArray();
    }

    private static async Task<byte[]> BuildAsync()
    {
        var work = Directory.CreateTempSubdirectory("bramble-root-");
        try
        {
            var root = work.CreateSubdirectory("root").FullName;
            foreach (var directory in (string[])["sbin", "etc", "var", "dev", "proc", "sys", "lib64"])
                Directory.CreateDirectory(Path.Combine(root, directory));
            await File.WriteAllTextAsync(Path.Combine(root, "etc/hostname"), "the-image\n");
            File.CreateSymbolicLink(Path.Combine(root, "var/alias"), "/etc");
            var init = Path.Combine(root, "sbin/init");
            await File.WriteAllTextAsync(init,
                """
                #!/usr/lib/bramble/busybox sh
                echo "process $$ with $*" >/handed-over
                exec /usr/lib/bramble/busybox mount -o remount,ro /
                """ + "\n");
            await Sandbox.Tool("chmod", ["755", init]);
            // The host's resize2fs and the libraries that it names.
            File.Copy("/sbin/resize2fs", Path.Combine(root, "sbin/resize2fs"));
            foreach (var word in (await Sandbox.Tool("ldd", ["/sbin/resize2fs"])).Split((char[])[' ', '\t', '\n']))
            {
                if (!word.StartsWith('/')) continue;
                var copy = root + word;
                Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
                File.Copy(word, copy, overwrite: true);
            }
            var partition = Path.Combine(work.FullName, "root.img");
            await Sandbox.Tool("mkfs.ext4", ["-q", "-d", root, partition, "16M"]);
            var image = new byte[RootOffset + RootSize];
            Table(RootSize).CopyTo(image, 0);
            await using var stream = File.OpenRead(partition);
            await stream.ReadExactlyAsync(image.AsMemory((int)RootOffset));
            return image;
        }
        finally
        {
            work.Delete(recursive: true);
        }
    }

    /// <summary>A file of the installed root, read without mounting it.</summary>
    public static Task<string> ReadAsync(string disk, string path) => Debug(disk, "cat " + path);

    /// <summary>Type, mode, owner and group of a file, e.g. <c>100600 0 0</c>.</summary>
    public static async Task<string> StatAsync(string disk, string path)
    {
        // "Inode: 12   Type: regular    Mode:  0600   Flags: 0x80000" … "User:  1000   Group:  1000"
        var words = (await Debug(disk, "stat " + path))
            .Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        string After(string name) => words[Array.IndexOf(words, name) + 1];
        return $"{After("Type:")} {After("Mode:")} {After("User:")} {After("Group:")}";
    }

    public static async Task<long> BlocksAsync(string disk)
    {
        var text = await Debug(disk, "show_super_stats -h");
        var line = text.Split('\n').First(l => l.StartsWith("Block count:", StringComparison.Ordinal));
        return long.Parse(line.Split(':')[1].Trim(), System.Globalization.CultureInfo.InvariantCulture);
    }

    private static Task<string> Debug(string disk, string request) =>
        Sandbox.Tool("debugfs", ["-R", request, $"{disk}?offset={RootOffset}"]);
}
