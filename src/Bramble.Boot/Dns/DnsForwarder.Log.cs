using System.Net;
using System.Net.Sockets;
using Bramble.Wire.Dns;
using Microsoft.Extensions.Logging;

namespace Bramble.Boot.Dns;

public sealed partial class DnsForwarder
{
    [LoggerMessage(2210, LogLevel.Warning,
        "No upstream name server answers ({Servers}); the first question without an answer is {Question}. Names of the "
        + "cluster are served all the same")]
    private partial void LogSilent(string servers, DnsQuestion question);

    [LoggerMessage(2211, LogLevel.Information, "The upstream name server {Server} answers again")]
    private partial void LogHeard(IPEndPoint server);

    [LoggerMessage(2212, LogLevel.Debug, "The upstream name server {Server} is not reachable: {Error}")]
    private partial void LogUnreachable(IPEndPoint server, SocketError error);

    [LoggerMessage(2213, LogLevel.Error, "The question {Question} could not be passed on")]
    private partial void LogBroken(Exception exception, DnsQuestion question);
}
