using System.Buffers;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace Bramble.Lab.Disks;

/// <summary>A disk in a sparse file: what a board writes can be looked at, and is really read back.</summary>
internal sealed class FileDisk : IBoardDisk
{
    private const int PieceSize = 1 << 17;

    private static readonly byte[] Zeros = new byte[PieceSize];

    private readonly SafeFileHandle _file;

    public FileDisk(string path, long size, bool readOnly = false)
    {
        _file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite);
        if (RandomAccess.GetLength(_file) != size) RandomAccess.SetLength(_file, size);
        Size = size;
        IsReadOnly = readOnly;
    }

    public long Size { get; }

    public bool IsReadOnly { get; }

    public bool NeedsData => true;

    public bool IsBlank
    {
        get
        {
            var start = new byte[65536];
            var n = RandomAccess.Read(_file, start, 0);
            return !start.AsSpan(0, n).ContainsAnyExcept((byte)0);
        }
    }

    public InstalledRoot? Root { get; set; }

    public async ValueTask WriteAsync(
        long offset, int length, ReadOnlyMemory<byte> data, ChunkDigest? digest, CancellationToken cancellation)
    {
        if (IsReadOnly) throw new IOException("Operation not permitted");
        if (offset < 0 || offset + length > Size) throw new IOException("No space left on device");
        Root = null;
        if (digest is not null)
        {
            await RandomAccess.WriteAsync(_file, data, offset, cancellation).ConfigureAwait(false);
            return;
        }
        for (var done = 0; done < length; done += PieceSize)
        {
            await RandomAccess.WriteAsync(
                _file, Zeros.AsMemory(0, Math.Min(PieceSize, length - done)), offset + done, cancellation)
                .ConfigureAwait(false);
        }
    }

    public async ValueTask<bool> HoldsAsync(
        long offset, int length, ChunkDigest? digest, CancellationToken cancellation)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(PieceSize);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        try
        {
            var zeros = true;
            for (var done = 0; done < length;)
            {
                var n = await RandomAccess.ReadAsync(
                    _file, buffer.AsMemory(0, Math.Min(PieceSize, length - done)), offset + done, cancellation)
                    .ConfigureAwait(false);
                if (n == 0) return false;
                hash.AppendData(buffer.AsSpan(0, n));
                zeros = zeros && !buffer.AsSpan(0, n).ContainsAnyExcept((byte)0);
                done += n;
            }
            return digest is null ? zeros : ChunkDigest.Of(hash.GetHashAndReset()).Equals(digest);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    public void Dispose() => _file.Dispose();
}
