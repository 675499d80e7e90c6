using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Bramble.Boot.Dhcp;

/// <summary>
/// Group commit: whatever waits is written as one batch by the one writer, so a thousand boards share a sync. What may
/// leave only after its lease is durable waits here. A store that fails is told to the waiters and the loop goes on:
/// clients ask again, and the next batch tries again.
/// </summary>
public sealed partial class LeaseCommitter(
    ILeaseStore store, LeaseTable leases, TimeProvider clock, ILogger<LeaseCommitter> logger)
{
    /// <summary>What may wait; more is refused, and the clients ask again.</summary>
    public const int Capacity = 8192;

    /// <summary>The most that one batch holds.</summary>
    public const int MaximumBatch = 1024;

    private readonly Channel<Waiting> _queue = Channel.CreateBounded<Waiting>(
        new BoundedChannelOptions(Capacity) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });

    private static readonly TimeSpan WarnAgain = TimeSpan.FromSeconds(10);

    private long _lastWarned;
    private long _batches;
    private long _committed;
    private long _failed;

    private readonly record struct Waiting(Lease Lease, Action<Exception?> Done);

    /// <summary>Batches written.</summary>
    public long Batches => Interlocked.Read(ref _batches);

    /// <summary>Leases made durable.</summary>
    public long Committed => Interlocked.Read(ref _committed);

    /// <summary>Leases that could not be made durable.</summary>
    public long Failed => Interlocked.Read(ref _failed);

    /// <summary>
    /// Puts a lease in line. Afterwards <paramref name="done"/> is called, with null once the lease is durable and in
    /// force, else with what went wrong; on the writer's thread, so it must not block. False if the line is full.
    /// </summary>
    public bool TryCommit(Lease lease, Action<Exception?> done) => _queue.Writer.TryWrite(new Waiting(lease, done));

    /// <summary>Writes until cancelled. One call for the life of the committer.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        var waiting = new List<Waiting>();
        try
        {
            while (await _queue.Reader.WaitToReadAsync(cancellation).ConfigureAwait(false))
            {
                waiting.Clear();
                while (waiting.Count < MaximumBatch && _queue.Reader.TryRead(out var next)) waiting.Add(next);
                await CommitAsync(waiting, cancellation).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // The end. Whoever still waits gets no answer and will ask whoever serves next.
        }
    }

    private async Task CommitAsync(List<Waiting> waiting, CancellationToken cancellation)
    {
        var batch = new Lease[waiting.Count];
        for (var i = 0; i < batch.Length; i++) batch[i] = waiting[i].Lease;
        var started = clock.GetTimestamp();
        Exception? failure = null;
        try
        {
            await store.CommitAsync(batch, cancellation).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception e)
        {
            failure = e;
        }
        if (failure is null)
        {
            Interlocked.Increment(ref _batches);
            Interlocked.Add(ref _committed, batch.Length);
            LogCommitted(batch.Length, clock.GetElapsedTime(started).TotalMilliseconds);
        }
        else
        {
            Interlocked.Add(ref _failed, batch.Length);
            // A rack that boots asks many times a second, and the cause stays the same.
            if (_lastWarned == 0 || clock.GetElapsedTime(_lastWarned) >= WarnAgain)
            {
                _lastWarned = Math.Max(1, clock.GetTimestamp());
                LogFailed(failure, batch.Length);
            }
        }
        foreach (var (lease, done) in waiting)
        {
            try
            {
                // In the order of the batch, before anybody hears of it.
                var gone = failure is null && !leases.Confirm(lease);
                done(gone ? new InvalidOperationException($"{lease.Address} was given to another meanwhile") : failure);
            }
            catch (Exception e)
            {
                LogWaiterFailed(e, lease.Mac, lease.Address);
            }
        }
    }
}
