using System.Buffers.Binary;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace Bramble.Boot.Images;

/// <summary>
/// The checksums of an image's chunks, so that a board fetches, verifies and reads back one at a time, and leaves out
/// those that are zero. On disk: <c>BRCHUNK1</c>, chunk size (LE32), count (LE32), then for each chunk one byte of
/// flags (bit 0: all zero) and its SHA-256.
/// </summary>
public sealed class ChunkIndex
{
    /// <summary>The chunk size of new images.</summary>
    public const int DefaultChunkBytes = 4 << 20;

    private const int HeaderBytes = 16;
    private const int EntryBytes = 33;
    private const byte Zero = 1;

    private readonly byte[] _data;
    private readonly long _size;

    private ChunkIndex(byte[] data, long size) => (_data, _size) = (data, size);

    public int Count => (int)((_size + ChunkBytes - 1) / ChunkBytes);

    public int ChunkBytes => BinaryPrimitives.ReadInt32LittleEndian(_data.AsSpan(8));

    /// <summary>Octets of a chunk: the last may be short.</summary>
    public int Length(int chunk) => (int)Math.Min(ChunkBytes, _size - ((long)Check(chunk) * ChunkBytes));

    /// <summary>The SHA-256 of a chunk's bytes, also of a zero one.</summary>
    public ReadOnlyMemory<byte> Sha256(int chunk) =>
        _data.AsMemory(HeaderBytes + (Check(chunk) * EntryBytes) + 1, 32);

    /// <summary>Whether the chunk holds zeros alone and need not be fetched.</summary>
    public bool IsZero(int chunk) => (_data[HeaderBytes + (Check(chunk) * EntryBytes)] & Zero) != 0;

    /// <summary>Octets that a board fetches: those of the chunks that are not zero.</summary>
    public long DataBytes => Enumerable.Range(0, Count).Where(i => !IsZero(i)).Sum(i => (long)Length(i));

    /// <summary>Reads an index and holds it against the size of its image.</summary>
    /// <exception cref="ImageException">It is not an index, or of another image.</exception>
    internal static ChunkIndex Load(string path, long imageBytes)
    {
        var data = File.ReadAllBytes(path);
        if (data.Length < HeaderBytes || !data.AsSpan(0, 8).SequenceEqual("BRCHUNK1"u8))
            throw new ImageException($"{path} is no chunk index. Remove the image and add it again.");
        var chunk = BinaryPrimitives.ReadInt32LittleEndian(data.AsSpan(8));
        var count = BinaryPrimitives.ReadInt32LittleEndian(data.AsSpan(12));
        if (chunk < 512 || count != (imageBytes + chunk - 1) / chunk
            || data.Length != HeaderBytes + ((long)count * EntryBytes))
        {
            throw new ImageException(
                $"{path} does not belong to an image of {imageBytes} bytes. Remove the image and add it again.");
        }
        return new ChunkIndex(data, imageBytes);
    }

    /// <summary>Reads a raw image once; writes its index and returns the digest of the whole.</summary>
    internal static string Make(
        SafeFileHandle raw, string indexPath, int chunkBytes, Action<long>? progress, CancellationToken cancellation)
    {
        var size = RandomAccess.GetLength(raw);
        var count = (int)((size + chunkBytes - 1) / chunkBytes);
        var data = new byte[HeaderBytes + (count * EntryBytes)];
        "BRCHUNK1"u8.CopyTo(data);
        BinaryPrimitives.WriteInt32LittleEndian(data.AsSpan(8), chunkBytes);
        BinaryPrimitives.WriteInt32LittleEndian(data.AsSpan(12), count);
        using var whole = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[chunkBytes];
        byte[]? zeroHash = null;
        for (var i = 0; i < count; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            var chunk = buffer.AsSpan(0, (int)Math.Min(chunkBytes, size - ((long)i * chunkBytes)));
            for (var done = 0; done < chunk.Length;)
            {
                var n = RandomAccess.Read(raw, chunk[done..], ((long)i * chunkBytes) + done);
                if (n == 0) throw new IOException("The raw image shrank while it was read.");
                done += n;
            }
            whole.AppendData(chunk);
            var entry = data.AsSpan(HeaderBytes + (i * EntryBytes), EntryBytes);
            var zero = !chunk.ContainsAnyExcept((byte)0);
            if (zero && chunk.Length == chunkBytes)
                (zeroHash ??= SHA256.HashData(chunk)).CopyTo(entry[1..]);
            else
                SHA256.HashData(chunk, entry[1..]);
            if (zero) entry[0] = Zero;
            progress?.Invoke(((long)i * chunkBytes) + chunk.Length);
        }
        File.WriteAllBytes(indexPath, data);
        return Convert.ToHexStringLower(whole.GetHashAndReset());
    }

    private int Check(int chunk)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(chunk);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(chunk, Count);
        return chunk;
    }
}
