using System.Net;

namespace Bramble.Cli.Api;

/// <summary>A file as a request's body, of known length, that tells how much of it has gone.</summary>
internal sealed class FileUpload : HttpContent
{
    private const int ChunkBytes = 256 * 1024;

    private readonly Stream _file;
    private readonly Action<long> _sent;

    public FileUpload(Stream file, Action<long> sent)
    {
        _file = file;
        _sent = sent;
        Headers.ContentType = new("application/octet-stream");
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(
        Stream stream, TransportContext? context, CancellationToken cancellation)
    {
        var buffer = new byte[ChunkBytes];
        var done = 0L;
        int n;
        while ((n = await _file.ReadAsync(buffer, cancellation)) > 0)
        {
            await stream.WriteAsync(buffer.AsMemory(0, n), cancellation);
            done += n;
            _sent(done);
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        // A named pipe has none; it goes out in chunks.
        length = _file.CanSeek ? _file.Length : 0;
        return _file.CanSeek;
    }
}
