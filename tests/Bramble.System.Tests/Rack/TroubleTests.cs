using Bramble.Contracts.Nodes;

namespace Bramble.System.Tests.Rack;

/// <summary>Boards that fail: each ends in a verdict that says where and why, and goes on once it is mended.</summary>
public sealed class TroubleTests
{
    [Fact]
    public async Task Cutting_a_port_kills_the_board_and_power_on_brings_it_back()
    {
        if (PreparedState.Unavailable is { } why) Assert.Skip(why);
        await using var rack = await VirtualRack.StartAsync(3, ["--models", "4"]);
        await rack.UntilAllRunAsync(3);
        await rack.UntilAsync(now => now.All(n => n.Spec.PowerPort is not null), "ports found by MAC address");

        var off = await rack.PowerAsync("off", "1");
        Assert.True(off.Outcomes[0].Accepted, off.Outcomes[0].Message);
        Assert.Single(await rack.LabAsync("list"), board => !board.Power);
        await rack.UntilAsync(now => now[0].Phase == NodePhase.Lost, "a lost node");

        await rack.PowerAsync("on", "1");
        await rack.UntilAllRunAsync(3);

        var cycled = await rack.ActAsync("restart", "2", "3");
        Assert.All(cycled.Outcomes, outcome => Assert.True(outcome.Accepted, outcome.Message));
        await rack.UntilAsync(now => now.All(n => n.Phase == NodePhase.Booting || n.Number == 1), "two restarts");
        await rack.UntilAllRunAsync(3);
    }

    [Fact]
    public async Task A_board_that_hangs_gets_a_verdict_and_the_watchdog_power_cycles_it()
    {
        if (PreparedState.Unavailable is { } why) Assert.Skip(why);
        await using var rack = await VirtualRack.StartAsync(2, ["--models", "4"], stallAfter: "8s");
        await rack.UntilAllRunAsync(2);
        await rack.UntilAsync(now => now.All(n => n.Spec.PowerPort is not null), "ports found by MAC address");
        await rack.LabAsync("hang", ["1"], "tftp");
        await rack.LabAsync("cycle", ["1"]);
        var stopped = await rack.UntilAsync(
            now => now.Any(n => n.Phase == NodePhase.Failed), "a verdict on the board that hangs");
        Assert.Contains("silence", stopped.First(n => n.Phase == NodePhase.Failed).Verdict, StringComparison.Ordinal);
        var nodes = await rack.UntilAllRunAsync(2);
        Assert.All(nodes, node => Assert.Equal(0, node.WatchdogTries));
    }

    [Theory]
    [InlineData("small", "too small")]
    [InlineData("read-only", "write-protected")]
    [InlineData("missing", "no disk")]
    [InlineData("full", "No space left")]
    public async Task A_bad_disk_ends_in_a_clear_verdict_and_a_mended_one_installs(string fault, string word)
    {
        if (PreparedState.Unavailable is { } why) Assert.Skip(why);
        await using var rack = await VirtualRack.StartAsync(
            1, ["--models", "4", "--disk-size", "125829120", "--disk-fault", $"1@{fault}"],
            watchdog: "{enabled: false}",
            config: "install: {image: demo, disk: only}");
        var failed = await rack.UntilAsync(now => now.Any(n => n.Phase == NodePhase.Failed), "a verdict");
        Assert.Contains(word, failed[0].Verdict, StringComparison.OrdinalIgnoreCase);
        await rack.LabAsync("disk", ["1"], "none");
        await rack.ActAsync("reinstall", "1");
        await rack.LabAsync("cycle", ["1"]);
        await rack.UntilAllRunAsync(1);
    }
}
