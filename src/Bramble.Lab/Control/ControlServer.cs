using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Bramble.Lab.Control;

/// <summary>A Unix socket with one JSON request a line, each answered by one JSON line.</summary>
internal sealed class ControlServer : IDisposable
{
    private const int LongestLine = 1 << 20;

    private readonly Socket _socket;
    private readonly string _path;
    private readonly Func<ControlRequest, CancellationToken, Task<ControlAnswer>> _do;

    public ControlServer(string path, Func<ControlRequest, CancellationToken, Task<ControlAnswer>> @do)
    {
        _path = path;
        _do = @do;
        File.Delete(path);
        _socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        _socket.Bind(new UnixDomainSocketEndPoint(path));
        _socket.Listen(16);
    }

    /// <summary>Serves until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        try
        {
            while (true)
            {
                var client = await _socket.AcceptAsync(cancellation);
                _ = ServeAsync(client, cancellation);
            }
        }
        catch (OperationCanceledException)
        {
            // The lab is ending.
        }
    }

    /// <summary>Sends a request and waits for its answer.</summary>
    /// <exception cref="IOException">Nobody answers there.</exception>
    public static async Task<ControlAnswer> AskAsync(
        string path, ControlRequest request, CancellationToken cancellation)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation);
        }
        catch (SocketException e)
        {
            throw new IOException($"no lab answers at {path}: {e.Message}", e);
        }
        await using var stream = new NetworkStream(socket);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        await stream.WriteAsync(
            (byte[])[.. JsonSerializer.SerializeToUtf8Bytes(request, ControlJson.Default.ControlRequest), (byte)'\n'],
            cancellation);
        var line = await reader.ReadLineAsync(cancellation) ?? throw new IOException("the lab has ended");
        return JsonSerializer.Deserialize(line, ControlJson.Default.ControlAnswer)
            ?? throw new IOException("the lab's answer is empty");
    }

    public void Dispose()
    {
        _socket.Dispose();
        File.Delete(_path);
    }

    private async Task ServeAsync(Socket client, CancellationToken cancellation)
    {
        try
        {
            await using var stream = new NetworkStream(client, ownsSocket: true);
            using var reader = new StreamReader(stream, Encoding.UTF8);
            while (await reader.ReadLineAsync(cancellation) is { Length: <= LongestLine } line)
            {
                var answer = await AnswerAsync(line, cancellation);
                var octets = JsonSerializer.SerializeToUtf8Bytes(answer, ControlJson.Default.ControlAnswer);
                await stream.WriteAsync((byte[])[.. octets, (byte)'\n'], cancellation);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The asker has gone, or the lab is ending.
        }
    }

    private async Task<ControlAnswer> AnswerAsync(string line, CancellationToken cancellation)
    {
        try
        {
            return JsonSerializer.Deserialize(line, ControlJson.Default.ControlRequest) is { Op: not null } request
                ? await _do(request, cancellation)
                : new ControlAnswer(false, "the request has no op");
        }
        catch (JsonException e)
        {
            return new ControlAnswer(false, $"the request is no JSON: {e.Message}");
        }
        catch (IOException e)
        {
            return new ControlAnswer(false, e.Message);
        }
    }
}
