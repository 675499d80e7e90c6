using System.Net.Sockets;
using Bramble.Boot.Sockets;
using Microsoft.Extensions.Logging;

namespace Bramble.Boot.Ntp;

public sealed partial class NtpServer
{
    [LoggerMessage(2100, LogLevel.Debug, "Ignored a packet of {Peer}: {Reason} ({Detail})")]
    private partial void LogIgnored(UdpPeer peer, string reason, string detail);

    [LoggerMessage(2101, LogLevel.Debug, "A reply could not be sent: {Error}")]
    private partial void LogSendFailed(SocketError error);
}
