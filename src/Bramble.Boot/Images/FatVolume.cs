using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace Bramble.Boot.Images;

/// <summary>A run of neighbouring clusters of a file, as bytes of the image.</summary>
internal readonly record struct FatRun(long FileOffset, long ImageOffset, long Bytes);

/// <summary>
/// The geometry of a FAT12, FAT16 or FAT32 volume inside an image, and its cluster chains, read in place. Field
/// offsets are those of Microsoft's "FAT: General Overview of On-Disk Format" 1.03. Nothing in it is trusted: every
/// chain is bounded by the number of clusters, every read by the partition.
/// </summary>
internal sealed class FatVolume
{
    private readonly SafeFileHandle _handle;
    private readonly long _start;
    private readonly long _length;
    private readonly long _fatOffset;
    private readonly long _dataOffset;
    private readonly int _bits;
    private readonly uint _clusters;

    private FatVolume(SafeFileHandle handle, long start, long length, long fatOffset, long dataOffset, int bits,
        uint clusters, int clusterBytes)
    {
        (_handle, _start, _length) = (handle, start, length);
        (_fatOffset, _dataOffset, _bits, _clusters, ClusterBytes) =
            (fatOffset, dataOffset, bits, clusters, clusterBytes);
    }

    /// <summary>The image that it lies in.</summary>
    public SafeFileHandle Handle => _handle;

    /// <summary>12, 16 or 32.</summary>
    public int Bits => _bits;

    public int ClusterBytes { get; }

    /// <summary>The fixed root directory of FAT12 and FAT16, relative to the volume; zero length for FAT32.</summary>
    public (long Offset, int Bytes) FixedRoot { get; private init; }

    /// <summary>Where FAT32's root directory starts.</summary>
    public uint RootCluster { get; private init; }

    /// <exception cref="IOException">The boot sector is not that of a FAT volume, or contradicts itself.</exception>
    public static FatVolume Open(SafeFileHandle handle, long start, long length)
    {
        Span<byte> b = stackalloc byte[512];
        if (length < 512) throw new IOException($"The FAT volume holds {length} bytes: too short for a boot sector.");
        ReadAt(handle, start, b);
        int sector = BinaryPrimitives.ReadUInt16LittleEndian(b[11..]);
        int perCluster = b[13];
        int reserved = BinaryPrimitives.ReadUInt16LittleEndian(b[14..]);
        int copies = b[16];
        int rootEntries = BinaryPrimitives.ReadUInt16LittleEndian(b[17..]);
        uint total = BinaryPrimitives.ReadUInt16LittleEndian(b[19..]);
        if (total == 0) total = BinaryPrimitives.ReadUInt32LittleEndian(b[32..]);
        uint fatSectors = BinaryPrimitives.ReadUInt16LittleEndian(b[22..]);
        if (fatSectors == 0) fatSectors = BinaryPrimitives.ReadUInt32LittleEndian(b[36..]);
        if (sector is not (512 or 1024 or 2048 or 4096) || perCluster == 0 || (perCluster & (perCluster - 1)) != 0
            || reserved == 0 || copies is 0 or > 4 || fatSectors == 0)
        {
            throw new IOException("The boot partition's first sector is not that of a FAT volume, or is corrupt.");
        }
        var fatOffset = (long)reserved * sector;
        var rootOffset = fatOffset + ((long)copies * fatSectors * sector);
        var rootBytes = ((rootEntries * 32) + sector - 1) / sector * sector;
        var dataOffset = rootOffset + rootBytes;
        var dataBytes = ((long)total * sector) - dataOffset;
        if (dataBytes <= 0 || (long)total * sector > length)
        {
            throw new IOException(
                $"The FAT volume claims {(long)total * sector} bytes, {dataOffset} of them for its tables, in a " +
                $"partition of {length}: it is corrupt or truncated.");
        }
        var clusters = (uint)(dataBytes / ((long)perCluster * sector));
        // The type follows from the count of clusters and nothing else (overview 1.03, "FAT Type Determination").
        var bits = clusters < 4085 ? 12 : clusters < 65525 ? 16 : 32;
        // A FAT32 volume made too small by mkfs.fat -F 32 is FAT32 by its layout; Linux decides by this field too.
        if (BinaryPrimitives.ReadUInt16LittleEndian(b[22..]) == 0) bits = 32;
        // The table limits the clusters that exist: one with room for fewer is corrupt beyond there.
        var room = (long)fatSectors * sector * 8 / bits;
        clusters = (uint)Math.Min(clusters, Math.Max(0, room - 2));
        return new FatVolume(handle, start, length, fatOffset, dataOffset, bits, clusters, perCluster * sector)
        {
            FixedRoot = bits == 32 ? (0, 0) : (rootOffset, rootBytes),
            RootCluster = bits == 32 ? BinaryPrimitives.ReadUInt32LittleEndian(b[44..]) & 0x0FFFFFFF : 0,
        };
    }

    /// <summary>Follows a chain and gives its runs; at most so many bytes of it as asked for.</summary>
    /// <exception cref="IOException">The chain is broken, a loop, or leaves the volume.</exception>
    public List<FatRun> Chain(uint first, long maxBytes)
    {
        var runs = new List<FatRun>();
        var cursor = new FatCursor(this);
        long done = 0;
        // Brent's method: whoever meets the anchor again runs in a circle; the anchor moves on at powers of two.
        uint anchor = 0, steps = 0, moveAt = 1;
        for (var cluster = first; done < maxBytes; cluster = cursor.Next(cluster))
        {
            if (IsEnd(cluster)) break;
            if (cluster < 2 || cluster - 2 >= _clusters)
                throw new IOException(
                    $"A cluster chain leads to cluster {cluster}, of {_clusters}: the FAT is corrupt.");
            if (cluster == anchor)
                throw new IOException($"The cluster chain that starts at {first} is a loop: the FAT is corrupt.");
            if (++steps == moveAt) (anchor, steps, moveAt) = (cluster, 0, moveAt * 2);
            var at = _start + _dataOffset + ((cluster - 2L) * ClusterBytes);
            if (runs.Count > 0 && runs[^1].ImageOffset + runs[^1].Bytes == at)
                runs[^1] = runs[^1] with { Bytes = runs[^1].Bytes + ClusterBytes };
            else
                runs.Add(new FatRun(done, at, ClusterBytes));
            done += ClusterBytes;
        }
        return runs;
    }

    /// <summary>Reads from an offset of the volume.</summary>
    /// <exception cref="IOException">Outside the volume, or the medium failed.</exception>
    public void Read(long offset, Span<byte> into)
    {
        if (offset < 0 || offset > _length - into.Length)
            throw new IOException($"The FAT points to byte {offset} of a volume of {_length}: it is corrupt.");
        ReadAt(_handle, _start + offset, into);
    }

    /// <summary>Reads part of a file by its runs.</summary>
    public void ReadRuns(IReadOnlyList<FatRun> runs, long offset, Span<byte> into)
    {
        var index = Find(runs, offset);
        while (into.Length > 0)
        {
            if (index >= runs.Count)
                throw new IOException("The file's cluster chain is shorter than its size: the FAT is corrupt.");
            var run = runs[index++];
            var within = offset - run.FileOffset;
            var n = (int)Math.Min(into.Length, run.Bytes - within);
            ReadAt(_handle, run.ImageOffset + within, into[..n]);
            into = into[n..];
            offset += n;
        }
    }

    private static int Find(IReadOnlyList<FatRun> runs, long offset)
    {
        int low = 0, high = runs.Count - 1;
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (runs[middle].FileOffset > offset) high = middle - 1;
            else if (runs[middle].FileOffset + runs[middle].Bytes <= offset) low = middle + 1;
            else return middle;
        }
        return runs.Count;
    }

    private bool IsEnd(uint cluster) => _bits switch
    {
        12 => cluster >= 0xFF8,
        16 => cluster >= 0xFFF8,
        _ => cluster >= 0x0FFFFFF8,
    };

    private static void ReadAt(SafeFileHandle handle, long offset, Span<byte> into)
    {
        while (into.Length > 0)
        {
            var n = RandomAccess.Read(handle, into, offset);
            if (n == 0) throw new IOException($"The image ends at byte {offset}, within its boot partition.");
            into = into[n..];
            offset += n;
        }
    }

    /// <summary>Walks one chain with a small window on the table, as chains mostly run forward.</summary>
    private sealed class FatCursor(FatVolume volume)
    {
        private readonly byte[] _window = new byte[4096];
        private long _windowAt = -1;
        private int _windowBytes;

        public uint Next(uint cluster)
        {
            if (volume._bits == 12)
            {
                var at = cluster + (cluster / 2);
                var pair = (uint)(Byte(at) | (Byte(at + 1) << 8));
                return (cluster & 1) != 0 ? pair >> 4 : pair & 0xFFF;
            }
            if (volume._bits == 16) return (uint)(Byte(cluster * 2L) | (Byte((cluster * 2L) + 1) << 8));
            var i = cluster * 4L;
            return (uint)(Byte(i) | (Byte(i + 1) << 8) | (Byte(i + 2) << 16) | (Byte(i + 3) << 24)) & 0x0FFFFFFF;
        }

        private int Byte(long index)
        {
            if (_windowAt < 0 || index < _windowAt || index >= _windowAt + _windowBytes)
            {
                _windowAt = index / _window.Length * _window.Length;
                _windowBytes = (int)Math.Min(_window.Length, volume._length - volume._fatOffset - _windowAt);
                if (_windowBytes <= 0) throw new IOException("The FAT leaves its volume: it is corrupt.");
                volume.Read(volume._fatOffset + _windowAt, _window.AsSpan(0, _windowBytes));
                if (index >= _windowAt + _windowBytes)
                    throw new IOException("The FAT leaves its volume: it is corrupt.");
            }
            return _window[index - _windowAt];
        }
    }
}
