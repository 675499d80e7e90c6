using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Bramble.Manager.Hosting;

/// <summary>
/// sd_notify(3): tells systemd that the daemon is ready, alive, or stopping. Does nothing outside systemd.
/// </summary>
public sealed class Systemd(TimeProvider clock)
{
    private readonly string? _socket = Environment.GetEnvironmentVariable("NOTIFY_SOCKET");

    public void Ready() => Send("READY=1");

    public void Stopping() => Send("STOPPING=1");

    /// <summary>
    /// Keeps the watchdog fed at half its interval while the check holds; a hung daemon is then restarted.
    /// </summary>
    public async Task FeedWatchdogAsync(Func<bool> isAlive, CancellationToken cancellation)
    {
        if (!long.TryParse(Environment.GetEnvironmentVariable("WATCHDOG_USEC"), NumberStyles.None,
            CultureInfo.InvariantCulture, out var microseconds) || microseconds == 0)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, clock, cancellation).ConfigureAwait(false);
            return;
        }
        using var timer = new PeriodicTimer(TimeSpan.FromMicroseconds(microseconds / 2.0), clock);
        while (await timer.WaitForNextTickAsync(cancellation).ConfigureAwait(false))
            if (isAlive()) Send("WATCHDOG=1");
    }

    private void Send(string state)
    {
        if (string.IsNullOrEmpty(_socket)) return;
        // A leading @ stands for the abstract namespace, whose names begin with NUL.
        var address = new UnixDomainSocketEndPoint(_socket[0] == '@' ? "\0" + _socket[1..] : _socket);
        using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        try
        {
            socket.SendTo(Encoding.ASCII.GetBytes(state), address);
        }
        catch (SocketException)
        {
            // systemd went away or refuses: nothing that the daemon could do better.
        }
    }
}
