namespace Bramble.Manager.Backups;

internal sealed partial class RestoreSwap
{
    [LoggerMessage(2601, LogLevel.Warning,
        "A restore that was interrupted has been carried on; the state before it lies in {Directory}")]
    public static partial void LogCarriedOn(ILogger logger, string directory);
}
