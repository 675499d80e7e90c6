namespace Bramble.Manager.Hosting;

/// <summary>
/// Runs the daemon's loops. A loop that ends before it was told to is fatal to the process, which says which one:
/// systemd starts it again, and everything durable goes on from the store.
/// </summary>
public sealed partial class Supervisor(ILogger<Supervisor> logger)
{
    private readonly List<Task> _loops = [];
    private readonly TaskCompletionSource<string> _fatal = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes with the name of a loop that ended on its own.</summary>
    public Task<string> Fatal => _fatal.Task;

    public void Run(string name, Func<CancellationToken, Task> loop, CancellationToken cancellation) =>
        _loops.Add(Task.Run(async () =>
        {
            try
            {
                await loop(cancellation).ConfigureAwait(false);
                if (cancellation.IsCancellationRequested) return;
                LogEnded(name);
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                LogBroke(e, name);
            }
            _fatal.TrySetResult(name);
        }, CancellationToken.None));

    public Task WhenAllEnded() => Task.WhenAll(_loops);

    [LoggerMessage(4001, LogLevel.Critical, "The loop '{Name}' ended without being told to")]
    private partial void LogEnded(string name);

    [LoggerMessage(4002, LogLevel.Critical, "The loop '{Name}' broke")]
    private partial void LogBroke(Exception exception, string name);
}
