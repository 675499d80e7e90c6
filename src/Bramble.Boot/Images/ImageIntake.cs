using System.Security.Cryptography;

namespace Bramble.Boot.Images;

/// <summary>What came in.</summary>
/// <param name="ContentSha256">Of the bytes as they were given, before decompression.</param>
internal sealed record IntakeResult(string ContentSha256, IReadOnlyList<string> Notes);

/// <summary>
/// Takes a file as people have it — a disk image or a root tarball, compressed or not, told apart by content rather
/// than by name — and leaves a raw disk in the work directory.
/// </summary>
internal sealed class ImageIntake(string work, SpaceGuard space, TarDisk tarDisk)
{
    private const int TarBlock = 512;

    public async Task<IntakeResult> TakeAsync(
        Stream content, string hint, IProgress<ImageProgress>? progress, CancellationToken cancellation)
    {
        long? total = content.CanSeek ? content.Length : null;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long reported = 0;
        void Count(long done)
        {
            if (done - reported < 16 << 20) return;
            reported = done;
            progress?.Report(new ImageProgress("reading", done, total));
        }
        var head = await IntakeStream.PeekAsync(content, 16, cancellation).ConfigureAwait(false);
        var source = new IntakeStream(content, head, hash, Count);
        IReadOnlyList<string> notes;
        if (Decompressor(head, hint) is { } command)
        {
            var filter = StreamFilter.Start(command[0], command[1..], source, null, null, cancellation);
            await using var _ = filter.ConfigureAwait(false);
            try
            {
                notes = await TakePlainAsync(filter.Output, hint, progress, cancellation).ConfigureAwait(false);
            }
            catch (Exception e) when (e is ImageException or IOException)
            {
                // A cut download first shows as a tar or a disk that ends early; the decompressor knows the cause.
                var rest = await IntakeStream.PeekAsync(filter.Output, 1 << 16, cancellation).ConfigureAwait(false);
                if (rest.Length < 1 << 16)
                    await filter.FinishAsync($"{hint} is truncated or corrupt").ConfigureAwait(false);
                throw;
            }
            await DrainAsync(filter.Output, cancellation).ConfigureAwait(false);
            await filter.FinishAsync($"{hint} is truncated or corrupt; download it again and check its checksum")
                .ConfigureAwait(false);
        }
        else
        {
            notes = await TakePlainAsync(source, hint, progress, cancellation).ConfigureAwait(false);
        }
        // The checksum is of the whole file, also of what the decompressor left unread.
        await DrainAsync(source, cancellation).ConfigureAwait(false);
        return new IntakeResult(Convert.ToHexStringLower(hash.GetHashAndReset()), notes);
    }

    private async Task<IReadOnlyList<string>> TakePlainAsync(
        Stream plain, string hint, IProgress<ImageProgress>? progress, CancellationToken cancellation)
    {
        var head = await IntakeStream.PeekAsync(plain, TarBlock, cancellation).ConfigureAwait(false);
        if (head.Length == 0) throw new ImageException($"{hint} is empty.");
        var all = new IntakeStream(plain, head, null, null);
        if (IsTar(head)) return await tarDisk.MakeAsync(all, hint, progress, cancellation).ConfigureAwait(false);
        await SparseFile.WriteAsync(all, Path.Combine(work, ImageStore.RawName), space, null, cancellation)
            .ConfigureAwait(false);
        return [];
    }

    private static string[]? Decompressor(ReadOnlySpan<byte> head, string hint)
    {
        if (head.StartsWith(new byte[] { 0x1F, 0x8B })) return ["gzip", "-dc"];
        if (head.StartsWith(new byte[] { 0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0 }))
            return ["xz", "-dc", "-T0"];
        if (head.StartsWith(new byte[] { 0x28, 0xB5, 0x2F, 0xFD })) return ["zstd", "-dcq", "--long=31"];
        var format = head.StartsWith("BZh"u8) ? "bzip2"
            : head.StartsWith("PK\x03\x04"u8) ? "zip"
            : head.StartsWith(new byte[] { 0x37, 0x7A, 0xBC, 0xAF }) ? "7z"
            : head.StartsWith(new byte[] { 0x51, 0x46, 0x49, 0xFB }) ? "qcow2"
            : null;
        return format is null ? null : throw new ImageException(
            $"{hint} is in {format} format, which is not read. Unpack it to a raw .img first " +
            (format == "qcow2" ? "(qemu-img convert -O raw)." : "and add that."));
    }

    /// <summary>A tar header carries the sum of its own bytes, its sum field taken as blanks (POSIX.1-1988
    /// ustar).</summary>
    private static bool IsTar(ReadOnlySpan<byte> head)
    {
        if (head.Length < TarBlock) return false;
        var stated = 0;
        foreach (var b in head.Slice(148, 8))
        {
            if (b is >= (byte)'0' and <= (byte)'7') stated = (stated * 8) + b - '0';
            else if (b is not (0 or (byte)' ')) return false;
        }
        var sum = 8 * ' ';
        for (var i = 0; i < TarBlock; i++)
            if (i is < 148 or >= 156) sum += head[i];
        return stated != 0 && sum == stated;
    }

    private static async Task DrainAsync(Stream stream, CancellationToken cancellation)
    {
        var buffer = new byte[1 << 16];
        while (await stream.ReadAsync(buffer, cancellation).ConfigureAwait(false) > 0)
        {
            // Only its end matters.
        }
    }
}
