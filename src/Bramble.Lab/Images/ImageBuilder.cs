using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Bramble.Processes;

namespace Bramble.Lab.Images;

/// <summary>
/// Makes a disk image for simulated boards: MBR, a FAT boot partition, an ext4 root. The same options make the same
/// octets, whenever and wherever. No root is needed, nothing is mounted.
/// </summary>
internal sealed class ImageBuilder(ImageScale scale, long rootFill, string architecture = "arm64")
{
    private const int Sector = 512;
    private const long BootStart = 4L << 20;

    // 2026-01-01. mtools, mke2fs and debugfs each have their own way to be told the time.
    private const long Timestamp = 1767225600;
    private const string FileSystemId = "62726d62-6c65-4c61-8000-000000000001";

    private static readonly DateTime Modified = DateTime.UnixEpoch.AddSeconds(Timestamp);

    private static readonly Dictionary<string, string> Environment = new()
    {
        ["SOURCE_DATE_EPOCH"] = Text(Timestamp),
        ["E2FSPROGS_FAKE_TIME"] = Text(Timestamp),
        ["MTOOLS_SKIP_CHECK"] = "1",
        ["TZ"] = "UTC",
        ["LC_ALL"] = "C",
        ["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin",
    };

    /// <summary>FAT32 has at least 65525 clusters: 40 MiB is small for it.</summary>
    private long BootSize => scale == ImageScale.Real ? 512L << 20 : 40L << 20;

    private long RootSize => (Math.Max(rootFill * 5 / 4, 0) + (32L << 20) + (4L << 20) - 1) / (4L << 20) * (4L << 20);

    /// <exception cref="IOException">A tool failed; says which and why.</exception>
    public async Task BuildAsync(string path, CancellationToken cancellation)
    {
        var work = path + ".work";
        if (Directory.Exists(work)) Directory.Delete(work, recursive: true);
        Directory.CreateDirectory(work);
        try
        {
            var boot = Path.Combine(work, "boot.fat");
            var root = Path.Combine(work, "root.ext4");
            await BootAsync(boot, work, cancellation);
            await RootAsync(root, work, cancellation);
            var part = path + ".part";
            await using (var image = new FileStream(part, FileMode.Create, FileAccess.ReadWrite))
            {
                image.SetLength(BootStart + BootSize + RootSize);
                image.Write(MasterBootRecord());
                await CopyAsync(boot, image, BootStart, cancellation);
                await CopyAsync(root, image, BootStart + BootSize, cancellation);
            }
            File.Move(part, path, overwrite: true);
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    private async Task BootAsync(string fat, string work, CancellationToken cancellation)
    {
        Make(fat, BootSize);
        await ToolAsync("mkfs.fat", ["-F", "32", "-s", scale == ImageScale.Real ? "4" : "1", "-n", "bootfs",
            "-i", SyntheticContent.DiskId.ToString("x8", CultureInfo.InvariantCulture), "--invariant", fat],
            null, cancellation);
        if (architecture == "arm64") await ToolAsync("mmd", ["-i", fat, "::/overlays"], null, cancellation);
        var source = Path.Combine(work, "file");
        // One at a time and in order: a directory's own order is not to decide where files lie.
        foreach (var (name, content) in SyntheticContent.BootFiles(scale, architecture))
        {
            await File.WriteAllBytesAsync(source, content, cancellation);
            File.SetLastWriteTimeUtc(source, Modified);
            await ToolAsync("mcopy", ["-m", "-i", fat, source, "::/" + name], null, cancellation);
        }
    }

    private async Task RootAsync(string ext4, string work, CancellationToken cancellation)
    {
        var tree = Path.Combine(work, "root");
        Directory.CreateDirectory(tree);
        foreach (var file in SyntheticContent.RootFiles(rootFill, architecture))
            await PlaceAsync(tree, file, cancellation);
        foreach (var directory in Directory.EnumerateDirectories(tree, "*", SearchOption.AllDirectories))
            File.SetUnixFileMode(directory, (UnixFileMode)0b111_101_101);
        Make(ext4, RootSize);
        await ToolAsync("mke2fs", ["-q", "-F", "-t", "ext4", "-L", "rootfs", "-U", FileSystemId, "-b", "4096",
            "-O", "^has_journal", "-E", $"hash_seed={FileSystemId},root_owner=0:0,lazy_itable_init=0", "-d", tree,
            ext4], null, cancellation);
        await ToolAsync("debugfs", ["-w", "-f", "-", ext4], Evened(tree), cancellation);
    }

    // mke2fs takes times and owners from the directory that it copies; they are not the same twice.
    private static string Evened(string tree)
    {
        var script = new StringBuilder();
        var paths = Directory.EnumerateFileSystemEntries(tree, "*", SearchOption.AllDirectories)
            .Select(path => path[tree.Length..]).Append("/").Append("/lost+found").Order(StringComparer.Ordinal);
        foreach (var path in paths)
        {
            foreach (var field in (string[])["atime", "ctime", "mtime", "crtime"])
            {
                script.Append(CultureInfo.InvariantCulture, $"sif \"{path}\" {field} @{Timestamp}\n");
                script.Append(CultureInfo.InvariantCulture, $"sif \"{path}\" {field}_extra 0\n");
            }
            script.Append(CultureInfo.InvariantCulture, $"sif \"{path}\" uid 0\nsif \"{path}\" gid 0\n");
        }
        return script.ToString();
    }

    private static async Task PlaceAsync(string tree, SyntheticFile file, CancellationToken cancellation)
    {
        var path = Path.Combine(tree, file.Path);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        switch (file.Kind)
        {
            case SyntheticKind.Directory:
                Directory.CreateDirectory(path);
                break;
            case SyntheticKind.Link:
                File.CreateSymbolicLink(path, Encoding.ASCII.GetString(file.Content));
                break;
            default:
                await File.WriteAllBytesAsync(path, file.Content, cancellation);
                File.SetUnixFileMode(path, file.Kind == SyntheticKind.Program
                    ? (UnixFileMode)0b111_101_101 : (UnixFileMode)0b110_100_100);
                break;
        }
    }

    private byte[] MasterBootRecord()
    {
        var record = new byte[Sector];
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(440), SyntheticContent.DiskId);
        Partition(446, 0x0c, BootStart, BootSize);
        Partition(462, 0x83, BootStart + BootSize, RootSize);
        record[510] = 0x55;
        record[511] = 0xaa;
        return record;

        void Partition(int at, byte type, long start, long size)
        {
            var entry = record.AsSpan(at, 16);
            // Cylinders, heads and sectors as everyone writes them since disks outgrew them.
            entry[1] = entry[5] = 0xfe;
            entry[2] = entry[3] = entry[6] = entry[7] = 0xff;
            entry[4] = type;
            BinaryPrimitives.WriteUInt32LittleEndian(entry[8..], (uint)(start / Sector));
            BinaryPrimitives.WriteUInt32LittleEndian(entry[12..], (uint)(size / Sector));
        }
    }

    /// <summary>Copies into the image, leaving holes where there are zeros.</summary>
    private static async Task CopyAsync(string from, FileStream image, long offset, CancellationToken cancellation)
    {
        await using var source = File.OpenRead(from);
        var buffer = new byte[1 << 16];
        var at = offset;
        int n;
        for (; (n = await source.ReadAtLeastAsync(buffer, buffer.Length, false, cancellation)) > 0; at += n)
        {
            if (!buffer.AsSpan(0, n).ContainsAnyExcept((byte)0)) continue;
            image.Position = at;
            await image.WriteAsync(buffer.AsMemory(0, n), cancellation);
        }
    }

    private static void Make(string path, long size)
    {
        using var file = new FileStream(path, FileMode.Create);
        file.SetLength(size);
    }

    private static async Task ToolAsync(string tool, string[] arguments, string? input, CancellationToken cancellation)
    {
        var result = await ChildProcess.RunAsync(tool, arguments, input, environment: Environment,
            timeout: TimeSpan.FromMinutes(5), cancellation: cancellation);
        if (!result.Succeeded) throw new IOException($"{tool} {string.Join(' ', arguments)}: {result.Complaint}");
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
