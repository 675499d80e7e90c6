using System.Security.Cryptography;

namespace Bramble.Boot.Images;

/// <summary>A forward-only stream over another: hashes and counts what goes by, after an optional prefix.</summary>
internal sealed class IntakeStream(Stream inner, byte[] prefix, IncrementalHash? hash, Action<long>? count) : Stream
{
    private int _prefixDone;
    private long _done;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Reads the first bytes of a stream, fewer only at its end.</summary>
    public static async Task<byte[]> PeekAsync(Stream stream, int bytes, CancellationToken cancellation)
    {
        var head = new byte[bytes];
        var n = await stream.ReadAtLeastAsync(head, bytes, throwOnEndOfStream: false, cancellation)
            .ConfigureAwait(false);
        return head[..n];
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int n;
        if (_prefixDone < prefix.Length)
        {
            n = Math.Min(buffer.Length, prefix.Length - _prefixDone);
            prefix.AsMemory(_prefixDone, n).CopyTo(buffer);
            _prefixDone += n;
        }
        else
        {
            n = await inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        }
        hash?.AppendData(buffer.Span[..n]);
        _done += n;
        count?.Invoke(_done);
        return n;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush() => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
