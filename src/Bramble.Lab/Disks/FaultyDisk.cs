using Bramble.Lab.Boards;

namespace Bramble.Lab.Disks;

/// <summary>
/// Puts a fault before a disk. The fault is looked up at each call, so it can come and go while boards run.
/// </summary>
internal sealed class FaultyDisk(IBoardDisk disk, Func<DiskFault> fault) : IBoardDisk
{
    private long? _spoilt;

    public long Size => fault() == DiskFault.Small ? disk.Size / 2 / 512 * 512 : disk.Size;

    public bool IsReadOnly => disk.IsReadOnly || fault() == DiskFault.ReadOnly;

    public bool IsMissing => fault() == DiskFault.Missing;

    public bool IsBlank => disk.IsBlank;

    public bool NeedsData => disk.NeedsData;

    public InstalledRoot? Root
    {
        get => disk.Root;
        set => disk.Root = value;
    }

    public ValueTask WriteAsync(
        long offset, int length, ReadOnlyMemory<byte> data, ChunkDigest? digest, CancellationToken cancellation)
    {
        switch (fault())
        {
            case DiskFault.ReadOnly:
                throw new IOException("Operation not permitted");
            case DiskFault.Small when offset + length > Size:
                throw new IOException("No space left on device");
            case DiskFault.Full when offset > 0:
                // A card that lies about its size takes the beginning and refuses the rest.
                throw new IOException("No space left on device");
            case DiskFault.Missing:
                throw new IOException("No such device or address");
        }
        return disk.WriteAsync(offset, length, data, digest, cancellation);
    }

    public async ValueTask<bool> HoldsAsync(
        long offset, int length, ChunkDigest? digest, CancellationToken cancellation)
    {
        switch (fault())
        {
            case DiskFault.BadOnce when _spoilt is null:
                _spoilt = offset;
                return false;
            case DiskFault.Bad when offset == 0:
                return false;
        }
        return await disk.HoldsAsync(offset, length, digest, cancellation).ConfigureAwait(false);
    }

    public void Dispose() => disk.Dispose();
}
