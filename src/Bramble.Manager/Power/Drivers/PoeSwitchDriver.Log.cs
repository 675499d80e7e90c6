using Bramble.Wire;

namespace Bramble.Manager.Power.Drivers;

internal sealed partial class PoeSwitchDriver
{
    [LoggerMessage(4110, LogLevel.Information, "Switch {Device}: port {Port} turned {Action}")]
    private partial void LogSet(string device, string port, string action);

    [LoggerMessage(4111, LogLevel.Information, "Switch {Device}: {Mac} hangs at port {Port} (interface {IfIndex})")]
    private partial void LogFound(string device, MacAddress mac, string port, long ifIndex);

    [LoggerMessage(4112, LogLevel.Warning,
        "Switch {Device}: {Mac} is behind interface {IfIndex}, which with the port offset {Offset} is no PoE port: "
        + "perhaps the way to another switch, perhaps a wrong port offset or PoE group")]
    private partial void LogNoPort(string device, MacAddress mac, long ifIndex, int offset);
}
