using Bramble.Contracts.Events;
using Bramble.Manager.Events;

namespace Bramble.Manager.Tests.Events;

/// <summary>What happened stays on the record, in order, and whoever follows it misses nothing.</summary>
public sealed class EventLogTests : IAsyncDisposable
{
    private readonly Rig _rig = new();

    private EventLog Log => _rig.Events;

    public ValueTask DisposeAsync() => _rig.DisposeAsync();

    private void Add(int count, long? node = null)
    {
        for (var i = 0; i < count; i++) Log.Add(
            "test.kind", node, node is null ? null : $"n{node}", "me", $"entry {i}");
    }

    [Fact]
    public async Task Entries_survive_a_restart_with_all_that_they_say()
    {
        var first = Log.Add("node.added", 7, "pi-07", "token:me", "it came");
        Log.Add("image.added", null, null, "me", "debian");
        await _rig.RestartAsync();
        var entries = await Log.ReadAsync(0, 10, null);
        Assert.Equal(first, entries[0]);
        Assert.Equal(("image.added", null, null), (entries[1].Kind, entries[1].NodeId, entries[1].NodeName));
        Assert.Equal(3, Log.Add("x", null, null, "me", "").Id);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Pages_are_the_same_from_memory_and_from_the_store(bool restart)
    {
        Add(5);
        Add(3, node: 7);
        await _rig.SettledAsync();
        if (restart) await _rig.RestartAsync();
        Assert.Equal("3, 4", Ids(await Log.ReadAsync(2, 2, null)));
        Assert.Equal("6, 7", Ids(await Log.ReadAsync(2, 2, 7)));
        Assert.Equal("7, 8", Ids(await Log.TailAsync(2, null)));
        Assert.Equal("6, 7, 8", Ids(await Log.TailAsync(100, 7)));
        Assert.Empty(await Log.TailAsync(100, 99));
        Assert.Equal(8, (await Log.TailAsync(100, null)).Count);
        Assert.Empty(await Log.ReadAsync(8, 10, null));
    }

    [Fact]
    public async Task A_follower_gets_what_it_missed_and_what_comes_each_once_and_in_order()
    {
        Add(1500);
        await _rig.RestartAsync();
        Add(100);
        await using var entries = Log.FollowAsync(10, Scratch.Cancellation).GetAsyncEnumerator(Scratch.Cancellation);
        for (var id = 11; id <= 1600; id++) await ExpectAsync(id);
        Add(2);
        await ExpectAsync(1601);
        await ExpectAsync(1602);

        async Task ExpectAsync(long id)
        {
            Assert.True(await entries.MoveNextAsync());
            Assert.Equal(id, entries.Current.Id);
        }
    }

    [Fact]
    public async Task A_follower_that_is_too_slow_is_cut_off_and_can_resume()
    {
        await using var entries = Log.FollowAsync(0, Scratch.Cancellation).GetAsyncEnumerator(Scratch.Cancellation);
        Add(1);
        Assert.True(await entries.MoveNextAsync());
        var waiting = entries.MoveNextAsync();
        Add(6000);
        var got = 1L;
        for (var more = await waiting; more; more = await entries.MoveNextAsync()) got = entries.Current.Id;
        Assert.InRange(got, 2, 6000);
        await using var again = Log.FollowAsync(got, Scratch.Cancellation).GetAsyncEnumerator(Scratch.Cancellation);
        Assert.True(await again.MoveNextAsync());
        Assert.Equal(got + 1, again.Current.Id);
    }

    private static string Ids(IEnumerable<EventView> entries) => string.Join(", ", entries.Select(e => e.Id));
}
