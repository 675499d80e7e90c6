using System.Net.Sockets;
using Bramble.Boot.Sockets;
using Microsoft.Extensions.Logging;

namespace Bramble.Boot.Dns;

public sealed partial class DnsServer
{
    [LoggerMessage(2220, LogLevel.Debug, "Ignored a packet of {Peer}: {Reason}")]
    private partial void LogIgnored(UdpPeer peer, string reason);

    [LoggerMessage(2221, LogLevel.Debug, "An answer to {Peer} could not be sent: {Error}")]
    private partial void LogSendFailed(UdpPeer peer, SocketError error);

    [LoggerMessage(2222, LogLevel.Error, "A question of {Peer} could not be answered")]
    private partial void LogBroken(Exception exception, UdpPeer peer);
}
