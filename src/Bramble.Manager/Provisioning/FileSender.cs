using System.Net.Sockets;

namespace Bramble.Manager.Provisioning;

/// <summary>Sends pieces of files on a socket by sendfile(2), each within a time.</summary>
internal sealed class FileSender : IDisposable
{
    private readonly Socket _socket;
    private readonly TimeSpan _timeout;
    private readonly SocketAsyncEventArgs _operation = new();
    private readonly ITimer _limit;
    private readonly CancellationTokenRegistration _closed;
    private TaskCompletionSource? _sent;

    public FileSender(Socket socket, TimeProvider clock, TimeSpan timeout, CancellationToken closed)
    {
        (_socket, _timeout) = (socket, timeout);
        _operation.Completed += (_, _) => Complete();
        // What is under way cannot be taken back: the end of the connection ends it.
        _limit = clock.CreateTimer(_ => socket.Dispose(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _closed = closed.Register(socket.Dispose);
    }

    /// <exception cref="SocketException">The connection broke, or the client took it too slowly.</exception>
    /// <exception cref="IOException">The file is shorter than it was.</exception>
    public async Task SendAsync(SendPacketsElement[] elements, int octets)
    {
        _sent = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _limit.Change(_timeout, Timeout.InfiniteTimeSpan);
        _operation.SendPacketsElements = elements;
        try
        {
            if (!_socket.SendPacketsAsync(_operation)) Complete();
        }
        catch (ObjectDisposedException e)
        {
            throw new IOException("the connection has ended", e);
        }
        await _sent.Task.ConfigureAwait(false);
        _limit.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        if (_operation.BytesTransferred != octets)
            throw new IOException($"{_operation.BytesTransferred} octets of {octets} sent: the file was cut short");
    }

    public void Dispose()
    {
        _closed.Dispose();
        _limit.Dispose();
        _operation.Dispose();
    }

    private void Complete()
    {
        if (_operation.SocketError == SocketError.Success) _sent!.SetResult();
        else _sent!.SetException(new SocketException((int)_operation.SocketError));
    }
}
