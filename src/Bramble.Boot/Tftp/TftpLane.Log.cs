using System.Net.Sockets;
using Bramble.Boot.Sockets;
using Microsoft.Extensions.Logging;

namespace Bramble.Boot.Tftp;

internal sealed partial class TftpLane
{
    [LoggerMessage(2010, LogLevel.Debug, "Transfer of {Path} to {Peer} ended: {Outcome}, {Detail}")]
    private partial void LogEnded(UdpPeer peer, string path, StepOutcome outcome, string detail);

    [LoggerMessage(2011, LogLevel.Error, "Reading block {Block} of {Path} failed")]
    private partial void LogReadFailed(Exception exception, string path, long block);

    [LoggerMessage(2012, LogLevel.Debug, "A packet could not be sent: {Error}")]
    private partial void LogSendFailed(SocketError error);
}
