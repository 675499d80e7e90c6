namespace Bramble.Lab.Disks;

/// <summary>
/// A disk that remembers of each write where it went and its digest: a few kilobytes for an installed gigabyte, and
/// still the read-back compares what was written.
/// </summary>
internal sealed class DigestDisk(long size, bool readOnly = false) : IBoardDisk
{
    private readonly record struct Extent(int Length, ChunkDigest? Digest);

    private readonly Lock _lock = new();
    private readonly SortedList<long, Extent> _extents = [];

    public long Size => size;

    public bool IsReadOnly => readOnly;

    public bool NeedsData => false;

    public bool IsBlank
    {
        get
        {
            lock (_lock) return !_extents.Any(extent => extent.Key < 65536 && extent.Value.Digest is not null);
        }
    }

    public InstalledRoot? Root { get; set; }

    public ValueTask WriteAsync(
        long offset, int length, ReadOnlyMemory<byte> data, ChunkDigest? digest, CancellationToken cancellation)
    {
        if (readOnly) throw new IOException("Operation not permitted");
        if (offset < 0 || offset + length > size) throw new IOException("No space left on device");
        lock (_lock)
        {
            Root = null;
            // What lay there in part is lost as a whole: its digest says nothing about the rest.
            for (var i = FirstAfter(offset); i < _extents.Count && _extents.GetKeyAtIndex(i) < offset + length;)
                _extents.RemoveAt(i);
            _extents[offset] = new Extent(length, digest);
        }
        return ValueTask.CompletedTask;
    }

    public ValueTask<bool> HoldsAsync(long offset, int length, ChunkDigest? digest, CancellationToken cancellation)
    {
        lock (_lock)
        {
            var holds = _extents.TryGetValue(offset, out var extent) && extent.Length == length
                && Equals(extent.Digest, digest);
            return ValueTask.FromResult(holds);
        }
    }

    public void Dispose()
    {
        // Nothing but memory.
    }

    /// <summary>The index of the first extent that ends after an offset.</summary>
    private int FirstAfter(long offset)
    {
        int low = 0, high = _extents.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_extents.GetKeyAtIndex(middle) + _extents.GetValueAtIndex(middle).Length <= offset) low = middle + 1;
            else high = middle;
        }
        return low;
    }
}
