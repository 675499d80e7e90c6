using System.Collections.Concurrent;

namespace Bramble.Testing;

/// <summary>
/// Runs asynchronous work on the calling thread alone: what it opens after an await is opened there too, inside the
/// network namespace that the thread is in.
/// </summary>
public sealed class OneThread : SynchronizationContext, IDisposable
{
    private readonly BlockingCollection<(SendOrPostCallback Call, object? State)> _calls = [];

    /// <summary>Returns when the work has ended; throws what it threw.</summary>
    public static void Run(Func<Task> work)
    {
        var former = Current;
        using var thread = new OneThread();
        SetSynchronizationContext(thread);
        try
        {
            var done = work();
            done.ContinueWith(_ => thread._calls.CompleteAdding(), TaskScheduler.Default);
            foreach (var (call, state) in thread._calls.GetConsumingEnumerable()) call(state);
            done.GetAwaiter().GetResult();
        }
        finally
        {
            SetSynchronizationContext(former);
        }
    }

    public override void Post(SendOrPostCallback d, object? state)
    {
        try
        {
            _calls.Add((d, state));
        }
        catch (InvalidOperationException)
        {
            // The work has ended; what is posted afterwards is nobody's.
        }
    }

    public void Dispose() => _calls.Dispose();
}
