namespace Bramble.Manager.Store;

public sealed partial class Database
{
    [LoggerMessage(1001, LogLevel.Error, "{Count} writes were not kept: {Why}")]
    private partial void LogCommitFailed(Exception exception, int count, string why);

    [LoggerMessage(1002, LogLevel.Error, "A background write failed")]
    private partial void LogPostFailed(Exception exception);

    [LoggerMessage(1004, LogLevel.Error, "A transaction could not be rolled back")]
    private partial void LogRollbackFailed(Exception exception);

    [LoggerMessage(1003, LogLevel.Warning, "The write queue is full; a background write was dropped")]
    private partial void LogQueueFull();
}
