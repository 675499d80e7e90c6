using Bramble.Boot.Sockets;
using Microsoft.Extensions.Logging;

namespace Bramble.Boot.Tftp;

public sealed partial class TftpServer
{
    [LoggerMessage(2000, LogLevel.Debug, "{Peer} asked for '{Path}', refused: {Reason}")]
    private partial void LogRefused(UdpPeer peer, string path, string reason);

    [LoggerMessage(2001, LogLevel.Error, "Opening {Path} failed")]
    private partial void LogOpenFailed(Exception exception, string path);

    [LoggerMessage(2002, LogLevel.Error, "Answering a request of {Peer} failed")]
    private partial void LogRequestFailed(Exception exception, UdpPeer peer);
}
