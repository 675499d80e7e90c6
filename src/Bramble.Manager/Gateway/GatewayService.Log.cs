using Bramble.Wire;

namespace Bramble.Manager.Gateway;

public sealed partial class GatewayService
{
    [LoggerMessage(2520, LogLevel.Information, "Boards of {Network} get out by {Uplink}, masqueraded")]
    private partial void LogOpen(IPv4Prefix network, string uplink);

    [LoggerMessage(2521, LogLevel.Warning,
        "The gateway of network {Network} is shut: {Missing}. It opens by itself when that is mended")]
    private partial void LogNoUplink(string network, string missing);

    [LoggerMessage(2522, LogLevel.Error, "The gateway could not be set up, or taken back: {Error}. Trying again")]
    private partial void LogFailed(string error);

    [LoggerMessage(2523, LogLevel.Warning,
        "The firewall's table '{Table}' drops what is forwarded unless it says otherwise: boards get out only if it "
        + "accepts them too")]
    private partial void LogFirewall(string table);
}
