using Bramble.Contracts.Nodes;

namespace Bramble.System.Tests.Rack;

/// <summary>The main job, end to end: from power-on to running, over real DHCP, TFTP, HTTP and SNMP.</summary>
public sealed class BootTests
{
    private static readonly string[] s_allModels = ["--models", "3b,3b+,4,4-old,5"];

    [Fact]
    public async Task Boards_of_every_model_come_up_and_are_installed_anew_as_often_as_asked()
    {
        if (PreparedState.Unavailable is { } why) Assert.Skip(why);
        await using var rack = await VirtualRack.StartAsync(5, s_allModels);
        var nodes = await rack.UntilAllRunAsync(5);
        Assert.Equal(5, nodes.Select(n => n.Address).Distinct().Count());
        Assert.All(nodes, node =>
        {
            Assert.NotEmpty(node.Model);
            Assert.True(node.MemoryBytes > 0, node.Model);
            Assert.Equal("demo", node.Installed?.Image);
            Assert.StartsWith("ssh-ed25519 AAAA", node.SshHostKey, StringComparison.Ordinal);
        });
        foreach (var node in nodes)
        {
            var boot = await rack.NewestBootAsync(node);
            Assert.Equal("running", boot.Outcome);
            string[] stages = [.. boot.Steps.Select(step => step.Stage).Distinct()];
            Assert.Subset(stages.ToHashSet(), new HashSet<string> { "dhcp", "tftp", "installer", "system" });
        }
        for (var generation = 2; generation <= 3; generation++)
        {
            var asked = await rack.ActAsync("reinstall", [.. nodes.Select(n => $"{n.Number}")]);
            Assert.All(asked.Outcomes, outcome => Assert.True(outcome.Accepted, outcome.Message));
            var wanted = generation;
            await rack.UntilAsync(
                now => now.All(n => n.Phase == NodePhase.Running && n.Installed?.Generation == wanted),
                $"generation {generation} on every node");
        }
        var boards = await rack.LabAsync("list");
        Assert.All(boards, board => Assert.Equal(3, board.Installs));
    }

    [Fact]
    public async Task Two_boards_with_the_same_serial_and_a_lossy_wire_all_come_up()
    {
        if (PreparedState.Unavailable is { } why) Assert.Skip(why);
        await using var rack = await VirtualRack.StartAsync(
            6, ["--models", "4,5", "--same-serial", "1,2", "--loss", "3"], stallAfter: "40s");
        await rack.UntilAllRunAsync(6, seconds: 240);
    }
}
