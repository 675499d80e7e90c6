using Bramble.Wire;
using Microsoft.Extensions.Logging;

namespace Bramble.Boot.Dhcp;

internal sealed partial class DhcpHandler
{
    [LoggerMessage(2102, LogLevel.Information, "{Network}: {What} to {Mac}: {Detail}")]
    private partial void LogAnswered(string network, string what, MacAddress mac, string detail);

    [LoggerMessage(2103, LogLevel.Information, "{Network}: {What} from {Mac}: {Detail}")]
    private partial void LogNoted(string network, string what, MacAddress mac, string detail);

    [LoggerMessage(2104, LogLevel.Debug, "{Network}: {What} of {Mac} unanswered ({Reason}): {Why}")]
    private partial void LogIgnored(string network, string what, MacAddress mac, DhcpIgnoreReason reason, string why);

    [LoggerMessage(2105, LogLevel.Warning, "{Network}: {What} of {Mac} unanswered ({Reason}): {Why}")]
    private partial void LogUnanswered(
        string network, string what, MacAddress mac, DhcpIgnoreReason reason, string why);

    [LoggerMessage(2106, LogLevel.Error, "{Network}: a packet from {Source} could not be handled")]
    private partial void LogFault(Exception cause, string network, IPv4Address source);

    [LoggerMessage(2107, LogLevel.Warning, "{Network}: {Message}")]
    private partial void LogTaken(string network, string message);
}
