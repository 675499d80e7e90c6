using Bramble.Boot.Dhcp;
using Bramble.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using static Bramble.Boot.Tests.Dhcp.Nets;

namespace Bramble.Boot.Tests.Dhcp;

public sealed class LeaseCommitterTests
{
    private readonly ManualTimeProvider _clock = new();
    private readonly FakeStore _store = new();
    private readonly LeaseTable _leases;
    private readonly LeaseCommitter _committer;

    public LeaseCommitterTests()
    {
        _leases = new LeaseTable(_clock);
        _committer = new LeaseCommitter(_store, _leases, _clock, NullLogger<LeaseCommitter>.Instance);
    }

    [Fact]
    public async Task Each_failure_of_the_store_is_told_and_the_next_batch_tries_again()
    {
        using var end = new CancellationTokenSource();
        var running = _committer.RunAsync(end.Token);
        Exception[] failures =
        [
            new IOException("database is locked"),
            new UnauthorizedAccessException("attempt to write a readonly database"),
            new IOException("database or disk is full"),
            new OperationCanceledException("the store's own time-out"),
        ];
        foreach (var failure in failures)
        {
            _store.Before = () => Task.FromException(failure);
            Assert.Same(failure, await CommitAsync());
        }
        _store.Before = () => Task.CompletedTask;
        Assert.Null(await CommitAsync());
        await end.CancelAsync();
        await running.WithinAsync("the committer's end");
    }

    [Fact]
    public async Task An_address_that_was_given_away_while_the_store_was_slow_is_not_answered()
    {
        using var end = new CancellationTokenSource();
        var running = _committer.RunAsync(end.Token);
        var disk = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _store.Before = () => disk.Task;
        var slow = CommitAsync();
        _clock.Advance(LeaseTable.OfferHold);
        Assert.Equal(ClaimOutcome.Granted, _leases.Claim(Rack, Mac(2), null, Address(100), renewal: false));
        disk.SetResult();
        Assert.IsType<InvalidOperationException>(await slow);
        Assert.False(_leases.TryFind(Mac(1), out _));
        await end.CancelAsync();
        await running.WithinAsync("the committer's end");
    }

    [Fact]
    public void A_full_line_refuses()
    {
        var lease = Lease();
        for (var i = 0; i < LeaseCommitter.Capacity; i++) Assert.True(_committer.TryCommit(lease, _ => { }));
        Assert.False(_committer.TryCommit(lease, _ => { }));
    }

    [Fact]
    public async Task A_waiter_that_throws_harms_nobody()
    {
        Assert.True(_committer.TryCommit(Lease(), _ => throw new InvalidOperationException("a bug")));
        using var end = new CancellationTokenSource();
        var running = _committer.RunAsync(end.Token);
        Assert.Null(await CommitAsync());
        await end.CancelAsync();
        await running.WithinAsync("the committer's end");
    }

    private Lease Lease() => new("rack", Mac(1), Address(100))
    {
        BoundAt = _clock.GetUtcNow(),
        ExpiresAt = _clock.GetUtcNow().AddHours(1),
    };

    private async Task<Exception?> CommitAsync()
    {
        Assert.Equal(ClaimOutcome.Granted, _leases.Claim(Rack, Mac(1), null, Address(100), renewal: false));
        var done = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        Assert.True(_committer.TryCommit(Lease(), done.SetResult));
        return await done.Task.WithinAsync("word of the lease");
    }
}
