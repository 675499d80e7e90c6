namespace Bramble.Manager.Store;

public sealed partial class Database
{
    [LoggerMessage(1001, LogLevel.Error,
        "The store takes no writes: {Why}. Until it does, what has to be durable is refused, and the rest waits")]
    private partial void LogTrouble(Exception exception, string why);

    [LoggerMessage(1005, LogLevel.Error,
        "The store has taken no writes for {Seconds:0} s: {Why}. {Refused} writes were refused, {Held} wait")]
    private partial void LogStillTrouble(double seconds, string why, long refused, int held);

    [LoggerMessage(1006, LogLevel.Warning,
        "The store takes writes again, after {Seconds:0} s in which {Refused} were refused and {Dropped} dropped")]
    private partial void LogMended(double seconds, long refused, long dropped);

    [LoggerMessage(1002, LogLevel.Error, "A background write failed")]
    private partial void LogPostFailed(Exception exception);

    [LoggerMessage(1004, LogLevel.Error, "A transaction could not be rolled back")]
    private partial void LogRollbackFailed(Exception exception);

    [LoggerMessage(1003, LogLevel.Warning, "The write queue is full; a background write was dropped")]
    private partial void LogQueueFull();

    [LoggerMessage(1007, LogLevel.Error, "The store {File} is damaged: {Why}. What is sound of it is being saved")]
    private static partial void LogDamaged(ILogger logger, string file, string why);

    [LoggerMessage(1008, LogLevel.Warning, "{Summary}")]
    private static partial void LogSalvaged(ILogger logger, string summary);
}
