using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Bramble.Boot.Images;

/// <summary>
/// Makes a disk from a root tarball: an MBR, a FAT32 partition to boot from and an ext4 root sized to its content. No
/// root is needed: fakeroot remembers owners and device nodes between tar and mke2fs, and debugfs sets
/// the extended attributes. Access control lists are not kept.
/// </summary>
/// <param name="initrd">Makes the small initrd with which the card boots by itself; null if it cannot be made.</param>
internal sealed class TarDisk(
    string work, SpaceGuard space, Func<IRootFiles, string, CancellationToken, Task<byte[]?>>? initrd = null)
{
    public const string RootLabel = "bramble-root";
    public const string BootLabel = "BOOT";

    private const long Mi = 1 << 20;

    /// <summary>The least that is FAT32 with clusters of 2 KiB: 65,525 of them and their tables.</summary>
    private const long LeastBootBytes = 136 * Mi;

    /// <summary>The same file system on every host, whatever its own mke2fs.conf says; old kernels mount it
    /// too.</summary>
    private const string Mke2fsConfiguration =
        """
        [defaults]
          base_features = sparse_super,large_file,filetype,resize_inode,dir_index,ext_attr
          default_mntopts = acl,user_xattr
          enable_periodic_fsck = 0
          blocksize = 4096
          inode_size = 256
          inode_ratio = 8192
        [fs_types]
          ext4 = {
            features = has_journal,extent,huge_file,flex_bg,metadata_csum,64bit,dir_nlink,extra_isize
          }

        """;

    /// <summary>
    /// Runs tar under fakeroot and keeps the owners in the file $1. Given a plain file, fakeroot waits until its daemon
    /// is gone, even as a zombie: for ever in a container whose process 1 looks after no orphans. Given a FIFO it does
    /// not wait, and the end of the FIFO is the end of the daemon. ls has that answer, so it has heard all before.
    /// </summary>
    private const string KeepOwners =
        """
        owners=$1 fakeroot=$2; shift 2
        mkfifo "$owners.pipe" || exit
        cat "$owners.pipe" >"$owners" & keeper=$!
        "$fakeroot" -s "$owners.pipe" -- sh -c '"$@"; s=$?; ls -l / >/dev/null; exit $s' sh "$@"
        s=$?
        [ $s = 0 ] || kill $keeper 2>/dev/null
        wait $keeper
        exit $s
        """;

    /// <returns>What the operator should know about the disk.</returns>
    /// <exception cref="ImageException">The tar is corrupt, or a tool failed.</exception>
    public async Task<IReadOnlyList<string>> MakeAsync(
        Stream tar, string hint, IProgress<ImageProgress>? progress, CancellationToken cancellation)
    {
        var root = Path.Combine(work, "root");
        var boot = Path.Combine(work, "boot");
        var owners = Path.Combine(work, "fakeroot.state");
        Directory.CreateDirectory(root);
        File.SetUnixFileMode(root, (UnixFileMode)0b111_101_101);
        var attributes = new TarAttributes();
        await UnpackAsync(tar, hint, root, owners, attributes, cancellation).ConfigureAwait(false);
        var notes = await new BootFiles(root, boot, initrd).GatherAsync(work, cancellation).ConfigureAwait(false);
        progress?.Report(new ImageProgress("making the disk", 0, null));
        var rootOffset = await MakeDiskAsync(root, boot, owners, cancellation).ConfigureAwait(false);
        var lost = await SetAttributesAsync(attributes.Found, rootOffset, cancellation).ConfigureAwait(false);
        if (lost > 0) notes = [.. notes, $"{lost} extended attributes (such as file capabilities) could not be kept."];
        RemoveTree(root);
        RemoveTree(boot);
        File.Delete(owners);
        File.Delete(owners + ".pipe");
        return notes;
    }

    /// <summary>Removes a tree whose directories may deny their owner to write.</summary>
    public static void RemoveTree(string directory)
    {
        if (!Directory.Exists(directory)) return;
        try
        {
            Directory.Delete(directory, recursive: true);
        }
        catch (UnauthorizedAccessException)
        {
            foreach (var d in new DirectoryInfo(directory).EnumerateDirectories("*", new EnumerationOptions
            {
                RecurseSubdirectories = true,
                AttributesToSkip = FileAttributes.ReparsePoint,
                IgnoreInaccessible = true,
            }))
            {
                d.UnixFileMode |= UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
            }
            Directory.Delete(directory, recursive: true);
        }
    }

    private async Task UnpackAsync(
        Stream tar, string hint, string root, string owners, TarAttributes attributes, CancellationToken cancellation)
    {
        long sinceCheck = 0;
        void Check(ReadOnlyMemory<byte> passing)
        {
            attributes.Feed(passing.Span);
            if ((sinceCheck += passing.Length) < 64 * Mi) return;
            sinceCheck = 0;
            space.Need(64 * Mi);
        }
        space.Need(64 * Mi);
        var filter = StreamFilter.Start("sh",
            ["-c", KeepOwners, "sh", owners, ImageTool.Find("fakeroot"), ImageTool.Find("tar"), "-x", "-p",
                "--numeric-owner", "--warning=no-timestamp", "-C", root, "-f", "-"], tar, Check, null, cancellation);
        await using var _ = filter.ConfigureAwait(false);
        // tar prints nothing; its closed output means that it has ended.
        await IntakeStream.PeekAsync(filter.Output, 1, cancellation).ConfigureAwait(false);
        await filter.FinishAsync($"{hint} cannot be unpacked").ConfigureAwait(false);
        if (!Directory.EnumerateFileSystemEntries(root).Any()) throw new ImageException($"{hint} holds no files.");
        if (!Directory.Exists(Path.Combine(root, "etc")))
        {
            throw new ImageException(
                $"{hint} holds no /etc: it is no root file system. The tar must have the root at its top level.");
        }
    }

    /// <returns>Where the root partition starts.</returns>
    private async Task<long> MakeDiskAsync(string root, string boot, string owners, CancellationToken cancellation)
    {
        var (files, content) = Measure(root);
        var (_, bootContent) = Measure(boot);
        // Room for a second kernel and its initrd, as an upgrade has both for a while.
        var bootBytes = Math.Max(LeastBootBytes, Align((bootContent * 2) + (32 * Mi)));
        // The file system's own tables, 5 % that ext4 reserves, its journal, and room for the overlay: it grows when it
        // is installed, and every megabyte of it is written and read by every board.
        var rootBytes = Align((content * 11 / 10) + (files * 512L) + (48 * Mi));
        space.Need(content + bootContent + (64 * Mi));
        var raw = Path.Combine(work, ImageStore.RawName);
        var rootOffset = Mi + bootBytes;
        using (var file = File.OpenHandle(raw, FileMode.CreateNew, FileAccess.Write))
        {
            RandomAccess.SetLength(file, rootOffset + rootBytes);
            RandomAccess.Write(file, Mbr(bootBytes, rootOffset, rootBytes), 0);
        }
        // With larger clusters a FAT32 of this size has so few that mtools takes it for FAT16.
        await ImageTool.RunAsync("The boot partition cannot be made", "mkfs.fat",
            ["-F", "32", "-s", "4", "-n", BootLabel, "--offset", Text(Mi / 512), raw, Text(bootBytes / 1024)],
            cancellation: cancellation).ConfigureAwait(false);
        var entries = Directory.EnumerateFileSystemEntries(boot).Order(StringComparer.Ordinal).ToList();
        if (entries.Count > 0)
        {
            await ImageTool.RunAsync("The boot partition cannot be filled", "mcopy",
                ["-s", "-m", "-Q", "-i", $"{raw}@@{Text(Mi)}", .. entries, "::/"], cancellation: cancellation)
                .ConfigureAwait(false);
        }
        var configuration = Path.Combine(work, "mke2fs.conf");
        await File.WriteAllTextAsync(configuration, Mke2fsConfiguration, cancellation).ConfigureAwait(false);
        await ImageTool.RunAsync("The root file system cannot be made", "fakeroot",
            ["-i", owners, "--", ImageTool.Find("mke2fs"), "-q", "-F", "-t", "ext4", "-L", RootLabel, "-d", root,
                "-N", Text(Math.Max(rootBytes / 8192, files * 5L / 4)),
                "-E", $"offset={Text(rootOffset)},root_owner=0:0,nodiscard", raw, $"{Text(rootBytes / 1024)}k"],
            environment: [new("MKE2FS_CONFIG", configuration)], cancellation: cancellation).ConfigureAwait(false);
        File.Delete(configuration);
        return rootOffset;
    }

    /// <returns>How many could not be set.</returns>
    private async Task<int> SetAttributesAsync(
        IReadOnlyList<TarAttribute> attributes, long rootOffset, CancellationToken cancellation)
    {
        if (attributes.Count == 0) return 0;
        var values = Path.Combine(work, "attributes");
        Directory.CreateDirectory(values);
        var commands = new StringBuilder();
        var lost = 0;
        for (var i = 0; i < attributes.Count; i++)
        {
            var (path, name, value) = attributes[i];
            // debugfs reads a line of words, quoted by double quotes alone.
            if (path.Any(c => c == '"' || char.IsControl(c)) || !RootFiles.IsSafeName(name))
            {
                lost++;
                continue;
            }
            var file = Path.Combine(values, Text(i));
            await File.WriteAllBytesAsync(file, value, cancellation).ConfigureAwait(false);
            commands.Append(CultureInfo.InvariantCulture, $"ea_set -f \"{file}\" \"{path}\" {name}\n");
        }
        var script = Path.Combine(work, "attributes.debugfs");
        await File.WriteAllTextAsync(script, commands.ToString(), cancellation).ConfigureAwait(false);
        var result = await ImageTool.RunAsync("Extended attributes cannot be set", "debugfs",
            ["-w", "-f", script, $"{Path.Combine(work, ImageStore.RawName)}?offset={Text(rootOffset)}"],
            cancellation: cancellation).ConfigureAwait(false);
        lost += result.Errors.Split('\n')
            .Count(l => l.StartsWith("ea_set:", StringComparison.Ordinal)
                || l.Contains("while setting", StringComparison.Ordinal));
        Directory.Delete(values, recursive: true);
        File.Delete(script);
        return lost;
    }

    private static (int Files, long Bytes) Measure(string directory)
    {
        var (files, bytes) = (0, 0L);
        // By hand: the recursive enumeration of .NET follows links, and one of the tar's may lead anywhere.
        var pending = new Stack<DirectoryInfo>([new DirectoryInfo(directory)]);
        while (pending.TryPop(out var at))
        {
            foreach (var info in at.EnumerateFileSystemInfos())
            {
                files++;
                var isLink = info.LinkTarget is not null;
                bytes += info is FileInfo f && !isLink ? (f.Length + 4095) / 4096 * 4096 : 4096;
                if (info is DirectoryInfo d && !isLink) pending.Push(d);
            }
        }
        return (files, bytes);
    }

    private static byte[] Mbr(long bootBytes, long rootOffset, long rootBytes)
    {
        var mbr = new byte[512];
        RandomNumberGenerator.Fill(mbr.AsSpan(440, 4));
        Entry(mbr.AsSpan(446), 0x0C, Mi, bootBytes);
        Entry(mbr.AsSpan(462), 0x83, rootOffset, rootBytes);
        mbr[510] = 0x55;
        mbr[511] = 0xAA;
        return mbr;

        static void Entry(Span<byte> entry, byte type, long offset, long bytes)
        {
            // CHS fields at their maximum say "use the LBA", which every reader of today does.
            entry[1] = entry[5] = 0xFE;
            entry[2] = entry[3] = entry[6] = entry[7] = 0xFF;
            entry[4] = type;
            BinaryPrimitives.WriteUInt32LittleEndian(entry[8..], (uint)(offset / 512));
            BinaryPrimitives.WriteUInt32LittleEndian(entry[12..], (uint)(bytes / 512));
        }
    }

    private static long Align(long bytes) => (bytes + (4 * Mi) - 1) / (4 * Mi) * (4 * Mi);

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
