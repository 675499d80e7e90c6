using Bramble.Contracts.Nodes;
using Bramble.Manager.Configuration;
using Bramble.Manager.Nodes;
using Bramble.Manager.Provisioning;
using Bramble.Wire;

namespace Bramble.Manager.Tests.Nodes;

/// <summary>Nodes of the configuration file are first values: there from the start, and overruled by the API.</summary>
public sealed class ConfiguredNodesTests : IAsyncDisposable
{
    private readonly Rig _rig = new();

    private readonly NodeOptions _configured = new()
    {
        Mac = Sample.Mac(1),
        Name = "pi-01",
        Number = 7,
        Address = IPv4Address.Parse("10.77.0.9"),
        Image = "debian",
        Disk = new DiskRule { Path = "/dev/sda" },
        Labels = new Dictionary<string, string> { ["role"] = "head" },
    };

    public ValueTask DisposeAsync() => _rig.DisposeAsync();

    private Task ApplyAsync(params NodeOptions[] nodes) =>
        ConfiguredNodes.ApplyAsync(_rig.Options with { Nodes = nodes }, _rig.Nodes);

    [Fact]
    public async Task A_configured_node_is_there_before_it_was_ever_heard()
    {
        await ApplyAsync(_configured);
        await _rig.RestartAsync();
        var node = _rig.Nodes.Find(Sample.Mac(1))!;
        Assert.Equal(("pi-01", 7, true, "debian", "/dev/sda", "10.77.0.9", "rack", NodePhase.Adopted),
            (node.Name, node.Number, node.Spec.Adopted, node.Spec.Image, node.Spec.Disk,
                node.Spec.ReservedAddress.ToString(), node.Status.Network, node.Status.Phase));
    }

    [Fact]
    public async Task What_was_set_through_the_api_stays_over_a_restart()
    {
        await ApplyAsync(_configured);
        await _rig.Nodes.Update(
            1, n => n with { Name = "renamed", Spec = n.Spec with { Image = "raspios" } }, "test").Durable;
        var writes = _rig.Database.Statistics.Writes;
        await ApplyAsync(_configured);
        Assert.Equal(("renamed", "raspios"), (_rig.Node(1).Name, _rig.Node(1).Spec.Image));
        Assert.Equal(writes, _rig.Database.Statistics.Writes);
    }

    [Fact]
    public async Task A_board_that_waited_to_be_adopted_is_adopted_when_it_is_listed()
    {
        await _rig.AddAsync(1, s => s with { Adopted = false }, s =>
            s with { Phase = NodePhase.Discovered, Verdict = "waits" });
        await ApplyAsync(_configured);
        Assert.Equal((true, NodePhase.Adopted, ""),
            (_rig.Node(1).Spec.Adopted, _rig.Node(1).Status.Phase, _rig.Node(1).Status.Verdict));
    }

    [Fact]
    public async Task A_name_that_another_node_has_by_now_is_said_in_words()
    {
        await _rig.AddAsync(2);
        var e = await Assert.ThrowsAsync<InvalidDataException>(() => ApplyAsync(_configured with { Name = "node-01" }));
        Assert.StartsWith("nodes: b8:27:eb:00:00:01 cannot be taken over from the configuration: the name 'node-01' "
            + "belongs to node 1 (b8:27:eb:00:00:02); change it", e.Message, StringComparison.Ordinal);
    }
}
