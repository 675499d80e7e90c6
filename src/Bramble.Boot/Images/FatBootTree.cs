using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace Bramble.Boot.Images;

/// <summary>
/// The boot files of an image, read in place from its FAT partition: no mounting, no copy, no root. Directories and
/// cluster chains are read once and kept. Thread-safe. It holds its file handle until nobody holds the tree or any of
/// its contents any more, so that an image can be removed while a board still reads from it.
/// </summary>
public sealed class FatBootTree : IBootTree
{
    private const int MaxDepth = 32;

    /// <summary>A FAT directory holds at most 65,536 entries of 32 bytes.</summary>
    private const int MaxDirectoryBytes = 65536 * 32;

    private const int MaxCached = 4096;

    private readonly FatVolume _volume;
    private readonly string _tag;
    private readonly ConcurrentDictionary<uint, Dictionary<string, FatEntry>> _directories = new();
    private readonly ConcurrentDictionary<(uint Cluster, uint Size), List<FatRun>> _chains = new();

    private FatBootTree(FatVolume volume, string tag) => (_volume, _tag) = (volume, tag);

    /// <summary>FAT12, FAT16 or FAT32.</summary>
    public string Kind => $"FAT{_volume.Bits}";

    /// <summary>Opens the FAT volume that lies at an offset of an image.</summary>
    /// <param name="digest">The image's digest, from which the files' entity tags are made.</param>
    /// <exception cref="IOException">There is no FAT volume, or it is corrupt.</exception>
    public static FatBootTree Open(SafeFileHandle handle, long offset, long length, string digest) =>
        new(FatVolume.Open(handle, offset, length), digest.Length > 16 ? digest[..16] : digest);

    /// <inheritdoc/>
    public bool TryOpen(string path, [NotNullWhen(true)] out IBootContent? content)
    {
        content = null;
        try
        {
            if (Find(path) is not { IsDirectory: false } entry) return false;
            content = new FatContent(this, entry);
            return true;
        }
        catch (IOException e)
        {
            // "Not found" would be a lie: the file may well be there. The caller learns why when it reads.
            content = new BrokenContent(e.Message);
            return true;
        }
    }

    /// <summary>The files and directories of a directory, by path; empty if there is no such directory.</summary>
    /// <exception cref="IOException">The volume is corrupt there.</exception>
    public IReadOnlyList<(string Name, bool IsDirectory, long Size)> List(string path)
    {
        var directory = path.Length == 0 ? Root() : Find(path) is { IsDirectory: true } d ? Directory(d.Cluster) : null;
        return directory is null ? []
            : [.. directory.Values.Distinct().Select(e => (e.Name, e.IsDirectory, (long)e.Size))];
    }

    private FatEntry? Find(string path)
    {
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length is 0 or > MaxDepth) return null;
        var directory = Root();
        for (var i = 0; ; i++)
        {
            if (!directory.TryGetValue(parts[i], out var entry)) return null;
            if (i == parts.Length - 1) return entry;
            if (!entry.IsDirectory) return null;
            directory = Directory(entry.Cluster);
        }
    }

    private Dictionary<string, FatEntry> Root() => Directory(_volume.RootCluster);

    private Dictionary<string, FatEntry> Directory(uint cluster)
    {
        // In a subdirectory's ".." and in FAT12 and FAT16, cluster 0 means the root.
        if (cluster == 0) cluster = _volume.RootCluster;
        if (_directories.TryGetValue(cluster, out var known)) return known;
        byte[] data;
        if (cluster == 0)
        {
            data = new byte[_volume.FixedRoot.Bytes];
            _volume.Read(_volume.FixedRoot.Offset, data);
        }
        else
        {
            var runs = _volume.Chain(cluster, MaxDirectoryBytes + 1);
            var bytes = runs.Sum(r => r.Bytes);
            if (bytes > MaxDirectoryBytes)
                throw new IOException($"The directory at cluster {cluster} is longer than a FAT directory may be.");
            data = new byte[bytes];
            _volume.ReadRuns(runs, 0, data);
        }
        var entries = FatDirectory.Parse(data, _volume.Bits);
        // A hostile image could name more directories than are worth keeping; then they are read again each time.
        if (_directories.Count < MaxCached) _directories.TryAdd(cluster, entries);
        return entries;
    }

    private List<FatRun> Runs(FatEntry entry)
    {
        if (_chains.TryGetValue((entry.Cluster, entry.Size), out var known)) return known;
        var runs = _volume.Chain(entry.Cluster, entry.Size);
        if (_chains.Count < MaxCached) _chains.TryAdd((entry.Cluster, entry.Size), runs);
        return runs;
    }

    private sealed class FatContent(FatBootTree tree, FatEntry entry) : IBootContent
    {
        private List<FatRun>? _runs;

        public long Length => entry.Size;

        public string Tag { get; } =
            string.Create(CultureInfo.InvariantCulture, $"{tree._tag}-{entry.Cluster:x}-{entry.Size:x}");

        // An image is never changed in place; its digest is in the tag.
        public bool MayBeKept => true;

        public IReadOnlyList<FileExtent> Extents
        {
            get
            {
                _runs ??= tree.Runs(entry);
                // The last cluster is only used in part.
                return [.. _runs.Where(run => run.FileOffset < entry.Size).Select(run => new FileExtent(
                    tree._volume.Handle, run.ImageOffset, Math.Min(run.Bytes, entry.Size - run.FileOffset)))];
            }
        }

        public int Read(long offset, Span<byte> buffer)
        {
            if (offset < 0 || offset >= entry.Size) return 0;
            var n = (int)Math.Min(buffer.Length, entry.Size - offset);
            _runs ??= tree.Runs(entry);
            tree._volume.ReadRuns(_runs, offset, buffer[..n]);
            return n;
        }

        public void Dispose()
        {
            // The handle belongs to the tree, which outlives each transfer.
        }
    }

    /// <summary>A file that cannot be reached because its directory is corrupt: every read says so.</summary>
    private sealed class BrokenContent(string reason) : IBootContent
    {
        public long Length => 1;

        public string Tag => "broken";

        public int Read(long offset, Span<byte> buffer) => throw new IOException(reason);

        public void Dispose()
        {
            // Nothing is held.
        }
    }
}
