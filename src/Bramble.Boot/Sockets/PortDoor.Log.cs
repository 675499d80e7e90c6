using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Bramble.Boot.Sockets;

internal sealed partial class PortDoor
{
    [LoggerMessage(2050, LogLevel.Information, "{Protocol} is served at {Binding}, port {Port}")]
    private partial void LogListening(string protocol, LocalBinding binding, int port);

    [LoggerMessage(2051, LogLevel.Error,
        "{Protocol} at {Binding}, port {Port} is not served: {Error}, {Message}. Trying again in {Seconds} s. "
        + "Is the interface up, the address on it, and no other server on the port (ss -ulpn)?")]
    private partial void LogClosed(
        string protocol, LocalBinding binding, int port, SocketError error, string message, double seconds);
}
