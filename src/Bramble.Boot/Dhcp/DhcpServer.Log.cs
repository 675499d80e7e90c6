using Microsoft.Extensions.Logging;

namespace Bramble.Boot.Dhcp;

public sealed partial class DhcpServer
{
    [LoggerMessage(2100, LogLevel.Information, "DHCP on network {Network} ({Interface}, UDP {Port}, {Mode})")]
    private partial void LogListening(string network, string @interface, int port, DhcpMode mode);

    [LoggerMessage(2101, LogLevel.Warning,
        "DHCP does not serve network {Network}: {Cause}. Trying again in {Seconds} s")]
    private partial void LogNotServing(string network, string cause, double seconds);

    [LoggerMessage(2108, LogLevel.Warning, "{Message}")]
    private partial void LogOtherServer(string message);

    [LoggerMessage(2109, LogLevel.Information, "{Message}")]
    private partial void LogOtherServerGone(string message);

    [LoggerMessage(2110, LogLevel.Warning,
        "Addresses of network {Network} are offered untried: {Cause}. Trying again in {Seconds} s")]
    private partial void LogNoProbe(string network, string cause, double seconds);

    [LoggerMessage(2111, LogLevel.Debug,
        "Network {Network} is not watched for other servers: {Cause}. Trying again in {Seconds} s")]
    private partial void LogNoWatch(string network, string cause, double seconds);
}
