using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Bramble.Boot.Sockets;

/// <summary>
/// Keeps one well-known port open for a server: opens it, hands the socket to the server's loop, and opens it again
/// with back-off when the interface or the address goes away.
/// </summary>
internal sealed partial class PortDoor(
    string protocol, LocalBinding binding, ProtocolType transport, int port, TimeProvider clock, ILogger logger)
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan WatchInterval = TimeSpan.FromSeconds(5);

    private readonly ILogger _logger = logger;

    private readonly TaskCompletionSource<IPEndPoint> _listening =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    public LocalBinding Binding { get; } = binding;

    /// <summary>Completes when the port is open for the first time; is cancelled if that never happens.</summary>
    public Task<IPEndPoint> Listening => _listening.Task;

    /// <summary>Runs the loop on an open socket until cancelled; a socket fault starts it anew.</summary>
    public async Task RunAsync(Func<Socket, CancellationToken, Task> serve, CancellationToken cancellation)
    {
        var wait = FirstWait;
        try
        {
            while (true)
            {
                try
                {
                    using var socket = Binding.Open(transport, port);
                    var local = (IPEndPoint)socket.LocalEndPoint!;
                    LogListening(protocol, Binding, local.Port);
                    _listening.TrySetResult(local);
                    wait = FirstWait;
                    await ServeAsync(socket, serve, cancellation);
                }
                catch (SocketException e)
                {
                    LogClosed(protocol, Binding, port, e.SocketErrorCode, e.Message, wait.TotalSeconds);
                }
                await Task.Delay(wait, clock, cancellation);
                wait = wait * 2 < LongestWait ? wait * 2 : LongestWait;
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            _listening.TrySetCanceled(cancellation);
        }
        catch (Exception e)
        {
            _listening.TrySetException(e);
            throw;
        }
    }

    private async Task ServeAsync(
        Socket socket, Func<Socket, CancellationToken, Task> serve, CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var serving = serve(socket, stop.Token);
        var watching = WatchAsync(stop.Token);
        try
        {
            await await Task.WhenAny(serving, watching);
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll(serving, watching).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Ends with an exception when the interface is no longer the one that the socket was bound to.</summary>
    private async Task WatchAsync(CancellationToken cancellation)
    {
        var index = Binding.InterfaceIndex;
        using var timer = new PeriodicTimer(WatchInterval, clock);
        while (await timer.WaitForNextTickAsync(cancellation))
        {
            if (Binding.InterfaceIndex == index) continue;
            throw new SocketException(
                (int)SocketError.NetworkDown, $"the interface {Binding.Interface} went away or is another one now");
        }
    }
}
