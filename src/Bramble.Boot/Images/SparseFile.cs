using Microsoft.Win32.SafeHandles;

namespace Bramble.Boot.Images;

/// <summary>Writes a stream to a file, leaving holes where it is zero.</summary>
internal static class SparseFile
{
    /// <summary>No board's disk is larger; a decompression bomb stops here.</summary>
    public const long MaxBytes = 1L << 40;

    private const int Block = 1 << 16;
    private const long CheckEvery = 64 << 20;

    /// <returns>The length of the file.</returns>
    /// <exception cref="ImageException">The disk is nearly full, or the stream never ends.</exception>
    public static async Task<long> WriteAsync(
        Stream from, string path, SpaceGuard space, Action<long>? progress, CancellationToken cancellation)
    {
        using var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write);
        var buffer = new byte[1 << 20];
        long at = 0, sinceCheck = CheckEvery;
        while (true)
        {
            var n = await from.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellation)
                .ConfigureAwait(false);
            if (n == 0) break;
            if (at + n > MaxBytes)
                throw new ImageException(
                    $"The image is larger than {MaxBytes >> 40} TiB once decompressed: not a board's disk.");
            if ((sinceCheck += n) >= CheckEvery)
            {
                space.Need(CheckEvery);
                sinceCheck = 0;
            }
            WriteBlocks(file, buffer.AsSpan(0, n), at);
            at += n;
            progress?.Invoke(at);
        }
        RandomAccess.SetLength(file, at);
        return at;
    }

    private static void WriteBlocks(SafeFileHandle file, ReadOnlySpan<byte> data, long at)
    {
        for (var i = 0; i < data.Length; i += Block)
        {
            var block = data.Slice(i, Math.Min(Block, data.Length - i));
            if (block.ContainsAnyExcept((byte)0)) RandomAccess.Write(file, block, at + i);
        }
    }
}
