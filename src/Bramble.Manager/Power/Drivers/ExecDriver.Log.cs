namespace Bramble.Manager.Power.Drivers;

internal sealed partial class ExecDriver
{
    [LoggerMessage(4120, LogLevel.Information, "Power device {Device}: port {Port} turned {Action} by its program")]
    private partial void LogSet(string device, string port, string action);
}
