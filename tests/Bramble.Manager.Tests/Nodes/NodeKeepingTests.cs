using Dapper;

namespace Bramble.Manager.Tests.Nodes;

/// <summary>What becomes of a node's changes that the store refuses.</summary>
public sealed class NodeKeepingTests : IAsyncDisposable
{
    private readonly Rig _rig = new();

    public ValueTask DisposeAsync() => _rig.DisposeAsync();

    private Task BreakAsync() => _rig.Database.PutAsync(c => c.Execute("ALTER TABLE nodes RENAME TO elsewhere"));

    private Task MendAsync() => _rig.Database.PutAsync(c => c.Execute("ALTER TABLE elsewhere RENAME TO nodes"));

    [Fact]
    public async Task A_wish_that_is_refused_is_not_carried_out_all_the_same()
    {
        var node = await _rig.AddAsync(1);
        await BreakAsync();
        var (_, durable) = _rig.Nodes.Update(
            node.Id, n => n with { Name = "other", Spec = n.Spec with { Generation = 7 } }, "me");
        // What a board says meanwhile is true all the same.
        _rig.Nodes.Seen(node.Id, status => status with { LastSeenAt = Sample.Start });
        await Assert.ThrowsAnyAsync<Exception>(() => durable);
        Assert.Equal((node.Name, node.Spec.Generation), (_rig.Node(node.Id).Name, _rig.Node(node.Id).Spec.Generation));
        Assert.Equal(Sample.Start, _rig.Node(node.Id).Status.LastSeenAt);
        await MendAsync();
        _rig.Nodes.FlushSeen();
        await _rig.SettledAsync();
        await _rig.RestartAsync();
        Assert.Equal((node.Name, node.Spec.Generation), (_rig.Node(node.Id).Name, _rig.Node(node.Id).Spec.Generation));
    }

    [Fact]
    public async Task An_observation_that_is_refused_is_not_kept_until_it_is_written()
    {
        var node = await _rig.AddAsync(1);
        Assert.True(_rig.Nodes.IsKept(node.Id));
        await BreakAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => _rig.SetAsync(node.Id, s => s with { BootId = 5 }));
        Assert.False(_rig.Nodes.IsKept(node.Id));
        await Assert.ThrowsAnyAsync<Exception>(() => _rig.Nodes.KeptAsync(node.Id));
        await MendAsync();
        await _rig.Nodes.KeptAsync(node.Id);
        Assert.True(_rig.Nodes.IsKept(node.Id));
        await _rig.RestartAsync();
        Assert.Equal(5, _rig.Node(node.Id).Status.BootId);
    }

    [Fact]
    public async Task What_was_refused_is_written_by_itself_when_the_store_takes_it()
    {
        await BreakAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => _rig.AddAsync(1));
        await MendAsync();
        _rig.Nodes.FlushSeen();
        await _rig.SettledAsync();
        await _rig.RestartAsync();
        Assert.Equal(Sample.Mac(1), Assert.Single(_rig.Nodes.All).Mac);
    }

    [Fact]
    public async Task A_node_that_could_not_be_forgotten_is_there_and_can_be_forgotten_later()
    {
        var node = await _rig.AddAsync(1);
        await BreakAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => _rig.Nodes.RemoveAsync(node.Id, "me"));
        Assert.Equal(node.Id, _rig.Nodes.Find(node.Mac)?.Id);
        Assert.Equal(node.Id, _rig.Nodes.Find(node.Id)?.Id);
        await MendAsync();
        await _rig.Nodes.RemoveAsync(node.Id, "me");
        await _rig.RestartAsync();
        Assert.Empty(_rig.Nodes.All);
        Assert.NotEqual(node.Id, (await _rig.AddAsync(1)).Id);
    }
}
