using Bramble.Wire;
using Microsoft.Extensions.Logging;

namespace Bramble.Boot.Dhcp;

public sealed partial class LeaseCommitter
{
    [LoggerMessage(2150, LogLevel.Debug, "{Count} leases durable in {Milliseconds:0.0} ms")]
    private partial void LogCommitted(int count, double milliseconds);

    [LoggerMessage(2151, LogLevel.Error,
        "{Count} leases could not be stored; their clients get no answer until they can. Check the disk and the store")]
    private partial void LogFailed(Exception cause, int count);

    [LoggerMessage(2152, LogLevel.Error, "The answer to {Mac} for {Address} failed after its lease was stored")]
    private partial void LogWaiterFailed(Exception cause, MacAddress mac, IPv4Address address);
}
