using Bramble.Boot;
using Bramble.Manager.Nodes.Timeline;
using Dapper;

namespace Bramble.Manager.Tests.Nodes.Timeline;

public sealed class BootTimelineTests : IAsyncDisposable
{
    private readonly Rig _rig = new();

    private DateTimeOffset Now => _rig.Clock.GetUtcNow();

    private BootTimeline Timeline => _rig.Timeline;

    public ValueTask DisposeAsync() => _rig.DisposeAsync();

    private void Add(string what, BootStage stage = BootStage.Dhcp) =>
        Timeline.Add(7, new BootStep(Now, stage, what, StepOutcome.Ok, "detail"));

    [Fact]
    public async Task Boots_survive_a_restart_newest_first()
    {
        Timeline.Start(7, Now);
        Add("DISCOVER");
        Timeline.End(7, BootOutcome.Running, "fine");
        _rig.Clock.Advance(TimeSpan.FromHours(1));
        Timeline.Start(7, Now);
        Add("start4.elf", BootStage.Tftp);
        Timeline.Flush();
        await _rig.RestartAsync();
        var boots = await Timeline.ReadAsync(7, 5);
        Assert.Equal(["going", "running"], boots.Select(b => b.Outcome));
        Assert.Equal(["start4.elf", "DISCOVER"], boots.Select(b => Assert.Single(b.Steps).What));
        Assert.Equal("fine", boots[1].Verdict);
        Assert.Equal((Sample.Start.AddHours(1), Sample.Start), (boots[0].StartedAt, boots[1].StartedAt));
        Add("config.txt", BootStage.Tftp);
        Assert.Equal(2, Timeline.Newest(7)!.Steps.Count);
    }

    [Fact]
    public async Task A_node_that_never_booted_has_no_boots()
    {
        Assert.Null(Timeline.Newest(7));
        Assert.Empty(await Timeline.ReadAsync(7, 5));
        Timeline.End(7, BootOutcome.Stopped, "nothing to end");
        Assert.True(Timeline.StartsNewBoot(7, Now));
    }

    [Fact]
    public void A_repeated_discover_is_the_same_boot_until_the_board_got_on_or_gave_up()
    {
        Timeline.Start(7, Now);
        Add("DISCOVER");
        _rig.Clock.Advance(TimeSpan.FromSeconds(5));
        Assert.False(Timeline.StartsNewBoot(7, Now));
        _rig.Clock.Advance(TimeSpan.FromSeconds(56));
        Assert.True(Timeline.StartsNewBoot(7, Now));
        Timeline.Start(7, Now);
        Add("config.txt", BootStage.Tftp);
        Assert.True(Timeline.StartsNewBoot(7, Now));
        Timeline.Start(7, Now);
        Timeline.End(7, BootOutcome.Running, "");
        Assert.True(Timeline.StartsNewBoot(7, Now));
    }

    [Fact]
    public void Boots_are_numbered_upwards_even_if_the_clock_is_set_back()
    {
        var first = Timeline.Start(7, Now);
        _rig.Clock.JumpWallClock(TimeSpan.FromDays(-1));
        var second = Timeline.Start(7, Now);
        Assert.True(second > first);
        Assert.True(Timeline.Start(7, Now, after: second + 500) > second + 500);
    }

    [Fact]
    public async Task A_boot_that_is_cut_off_by_the_next_ends_in_a_verdict_of_its_own()
    {
        Timeline.Start(7, Now);
        Add("config.txt", BootStage.Tftp);
        Timeline.Add(7, new BootStep(Now, BootStage.Tftp, "start4.elf", StepOutcome.Probe, ""));
        _rig.Clock.Advance(TimeSpan.FromSeconds(20));
        Timeline.Start(7, Now, "Pi4");
        await _rig.SettledAsync();
        var old = (await Timeline.ReadAsync(7, 2))[1];
        Assert.Equal(("stopped", "asked for start4.elf, which this image lacks, then it started again after 20 s"),
            (old.Outcome, old.Verdict));
    }

    [Fact]
    public async Task Only_the_last_boots_are_kept()
    {
        for (var i = 0; i < 30; i++)
        {
            Timeline.Start(7, Now);
            Timeline.Flush();
            _rig.Clock.Advance(TimeSpan.FromMinutes(5));
        }
        await _rig.SettledAsync();
        Assert.Equal(20, _rig.Database.Read(c => c.ExecuteScalar<int>("SELECT COUNT(*) FROM boots")));
        Assert.Equal(20, (await Timeline.ReadAsync(7, 100)).Count);
    }

    [Fact]
    public async Task What_did_not_change_is_not_written_again()
    {
        Timeline.Start(7, Now);
        Add("DISCOVER");
        Timeline.Flush();
        await _rig.SettledAsync();
        var writes = _rig.Database.Statistics.Writes;
        Timeline.Flush();
        await _rig.SettledAsync();
        Assert.Equal(writes + 1, _rig.Database.Statistics.Writes);
    }
}
