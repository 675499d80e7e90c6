namespace Bramble.Boot.Images;

/// <summary>Finds out what a raw disk holds.</summary>
internal static class ImageInspector
{
    private static readonly string[] RootKinds = ["ext4", "ext3", "ext2", "btrfs", "xfs", "f2fs", "squashfs"];

    /// <summary>Fills in all of a record but its name, digest and origin.</summary>
    /// <exception cref="ImageException">The disk has no readable table, or no root file system.</exception>
    public static async Task<BootImage> InspectAsync(
        string rawPath, string work, string? architecture, CancellationToken cancellation)
    {
        using var handle = File.OpenHandle(rawPath);
        var length = RandomAccess.GetLength(handle);
        var table = PartitionTable.Read(handle, length);
        var disk = new DiskReader(handle, length);
        var partitions = table.Partitions.Where(p => !p.IsExtended).Select(p =>
        {
            var (kind, label) = FileSystemProbe.Of(disk, p);
            return new ImagePartition(p.Number, p.Type, p.Name, kind, label, p.OffsetBytes, p.SizeBytes);
        }).ToList();
        var notes = new List<string>();
        var root = await FindRootAsync(partitions, rawPath, work, cancellation).ConfigureAwait(false);
        var boot = partitions.Where(p => p.FileSystem == "vfat").OrderBy(p => p.OffsetBytes).FirstOrDefault();
        var image = new BootImage
        {
            Name = "",
            Digest = "",
            SizeBytes = length,
            ChunkBytes = ChunkIndex.DefaultChunkBytes,
            Architecture = architecture ?? "unknown",
            Scheme = table.Scheme,
            DiskId = table.DiskId,
            Partitions = partitions,
            RootPartition = root,
            BootPartition = boot,
        };
        if (boot is null)
            notes.Add("There is no FAT boot partition: a board cannot boot over the network from this image.");
        if (!root.FileSystem.StartsWith("ext", StringComparison.Ordinal))
        {
            notes.Add($"The root is {root.FileSystem}, which is not read here: no kernel modules for the initramfs, " +
                "no growing of the root.");
            return image with { Notes = notes };
        }
        var files = new Ext4Root(rawPath, root.OffsetBytes, work);
        var kernels = await files.KernelsAsync(cancellation).ConfigureAwait(false);
        if (kernels.Versions.Count == 0) notes.Add("The root holds no kernel modules.");
        var canGrow = await HasAsync(files, "resize2fs", cancellation).ConfigureAwait(false);
        if (!canGrow) notes.Add("The root holds no resize2fs: it keeps its size on a larger disk.");
        if (table.Partitions.Any(p => !p.IsExtended && p.OffsetBytes > root.OffsetBytes))
        {
            canGrow = false;
            notes.Add($"Partition {root.Number} (root) is not the last one on the disk: it cannot grow.");
        }
        return image with
        {
            Architecture = architecture ?? await files.ArchitectureAsync(work, cancellation).ConfigureAwait(false),
            OsName = await files.OsNameAsync(work, cancellation).ConfigureAwait(false),
            KernelVersions = kernels.Versions,
            CanGrow = canGrow,
            Notes = notes,
        };
    }

    /// <summary>The root is the partition with an os-release; else the largest that could be one.</summary>
    private static async Task<ImagePartition> FindRootAsync(
        List<ImagePartition> partitions, string rawPath, string work, CancellationToken cancellation)
    {
        var candidates = partitions.Where(p => RootKinds.Contains(p.FileSystem)).OrderByDescending(p => p.SizeBytes)
            .ToList();
        if (candidates.Count == 0)
        {
            var known = string.Join(", ", RootKinds);
            var seen = string.Join(", ",
                partitions.Select(p => $"{p.Number}: {(p.FileSystem.Length > 0 ? p.FileSystem : p.Type)}"));
            throw new ImageException(
                $"No partition holds a root file system that is known ({known}); found {seen}. " +
                "Encrypted and LVM images cannot be installed.");
        }
        foreach (var p in candidates.Where(p => p.FileSystem.StartsWith("ext", StringComparison.Ordinal)))
        {
            var files = new Ext4Root(rawPath, p.OffsetBytes, work);
            var etc = await files.ListAsync("/etc", cancellation).ConfigureAwait(false);
            if (etc.Any(e => e.Name == "os-release")) return p;
        }
        return candidates[0];
    }

    private static async Task<bool> HasAsync(Ext4Root files, string program, CancellationToken cancellation)
    {
        foreach (var directory in new[] { "/usr/sbin", "/sbin", "/usr/bin" })
        {
            var entries = await files.ListAsync(directory, cancellation).ConfigureAwait(false);
            if (entries.Any(e => e.Name == program)) return true;
        }
        return false;
    }
}
