using Bramble.Boot;
using Bramble.Contracts.Nodes;
using Bramble.Manager.Configuration;
using Bramble.Manager.Nodes;
using Bramble.Manager.Tests.Power;

namespace Bramble.Manager.Tests.Nodes;

/// <summary>
/// The lifecycle as time passes: silence is noticed, explained, and power is spent on it with measure.
/// </summary>
public sealed class NodeReconcilerTests : IAsyncDisposable
{
    private readonly PowerRig _rig = new(Sample.Options() with { Watchdog = new WatchdogOptions { Tries = 3 } });

    private Rig Rig => _rig.Rig;

    private NodeStatus Status => Rig.Node(1).Status;

    public ValueTask DisposeAsync() => _rig.DisposeAsync();

    /// <summary>Lets time pass, a tick each second; what a tick begins has ended before the next.</summary>
    private async Task PassAsync(double seconds, Action? each = null)
    {
        for (var i = 0; i < seconds; i++)
        {
            Rig.Clock.Advance(TimeSpan.FromSeconds(1));
            each?.Invoke();
            _rig.Lifecycle.Tick(Scratch.Cancellation);
            if (Status.Power is not null) await Rig.SettledAsync();
        }
        await Rig.SettledAsync();
    }

    [Fact]
    public async Task A_running_node_that_falls_silent_is_lost_and_power_cycled()
    {
        await _rig.AddAsync();
        await PassAsync(100);
        Assert.Equal(NodePhase.Running, Status.Phase);
        await PassAsync(2);
        Assert.Equal((NodePhase.Lost, "it was running and has not reported for 101 s"), (Status.Phase, Status.Verdict));
        Assert.Equal(1, Status.Watchdog.Tries);
        await PassAsync(30);
        Assert.Equal(["1 off", "1 on"], _rig.Driver.Commands);
    }

    [Fact]
    public async Task A_boot_that_stalls_ends_in_a_verdict_on_the_node_and_on_its_timeline()
    {
        await _rig.AddAsync(phase: NodePhase.Booting);
        Rig.Timeline.Start(1, Rig.Clock.GetUtcNow());
        Rig.Timeline.Add(1, new BootStep(Rig.Clock.GetUtcNow(), BootStage.Dhcp, "DISCOVER", StepOutcome.Ok, ""));
        Rig.Timeline.Add(1, new BootStep(Rig.Clock.GetUtcNow(), BootStage.Tftp, "start4.elf", StepOutcome.Probe, ""));
        await PassAsync(181);
        const string verdict = "asked for start4.elf, which this image lacks, then silence for 181 s";
        Assert.Equal((NodePhase.Failed, verdict), (Status.Phase, Status.Verdict));
        Assert.Equal(("stopped", verdict), (Rig.Timeline.Newest(1)!.Outcome, Rig.Timeline.Newest(1)!.Verdict));
    }

    [Fact]
    public async Task The_watchdog_spends_its_tries_ever_more_slowly_and_then_leaves_the_node_to_people()
    {
        await _rig.AddAsync(phase: NodePhase.Booting);
        var cycles = new List<double>();
        var start = Rig.Clock.GetUtcNow();
        await PassAsync(3600, () =>
        {
            if (Status.Watchdog.Tries > cycles.Count) cycles.Add((Rig.Clock.GetUtcNow() - start).TotalSeconds);
        });
        Assert.Equal(3, cycles.Count);
        Assert.InRange(cycles[1] - cycles[0], 180, 190);
        Assert.InRange(cycles[2] - cycles[1], 360, 370);
        Assert.Equal(3, _rig.Driver.Commands.Count(c => c == "1 off"));
        Assert.Equal(3, _rig.Driver.Commands.Count(c => c == "1 on"));
        Assert.Equal(NodePhase.Failed, Status.Phase);
    }

    [Fact]
    public async Task A_node_that_reports_again_has_all_its_tries_again()
    {
        await _rig.AddAsync();
        await PassAsync(110);
        Assert.Equal(1, Status.Watchdog.Tries);
        await Rig.SetAsync(1, s => NodeLifecycle.Reported(s, "k", Rig.Clock.GetUtcNow()));
        Assert.Equal((NodePhase.Running, 0), (Status.Phase, Status.Watchdog.Tries));
    }

    [Fact]
    public async Task A_daemon_that_was_down_for_a_week_gives_every_node_time_to_report()
    {
        await _rig.AddAsync();
        await Rig.SettledAsync();
        Rig.Clock.Advance(TimeSpan.FromDays(7));
        await _rig.RestartAsync();
        await PassAsync(100);
        Assert.Equal(NodePhase.Running, Status.Phase);
        await PassAsync(2);
        Assert.Equal(NodePhase.Lost, Status.Phase);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(-5)]
    public async Task A_clock_that_is_set_loses_nobody_who_reports_and_still_notices_who_does_not(int hours)
    {
        await _rig.AddAsync();
        await PassAsync(20);
        Rig.Clock.JumpWallClock(TimeSpan.FromHours(hours));
        await PassAsync(90);
        Assert.Equal(NodePhase.Running, Status.Phase);
        Assert.Empty(_rig.Driver.Commands);
        await PassAsync(20);
        Assert.Equal(NodePhase.Lost, Status.Phase);
    }

    [Fact]
    public async Task A_node_that_reports_is_never_touched()
    {
        await _rig.AddAsync();
        await PassAsync(600, () => Rig.Nodes.Seen(1, s => s with { LastReportAt = Rig.Clock.GetUtcNow() }));
        Assert.Equal(NodePhase.Running, Status.Phase);
        Assert.Empty(_rig.Driver.Commands);
    }

    [Fact]
    public async Task Times_of_last_sight_and_timelines_reach_the_store_by_themselves()
    {
        await _rig.AddAsync();
        Rig.Nodes.Seen(1, s => s with { LastReportAt = Rig.Clock.GetUtcNow().AddSeconds(1) });
        Rig.Timeline.Start(1, Rig.Clock.GetUtcNow());
        await PassAsync(10);
        await _rig.RestartAsync();
        Assert.Equal(Sample.Start.AddSeconds(1), Status.LastReportAt);
        Assert.NotNull(Rig.Timeline.Newest(1));
    }

    [Fact]
    public async Task A_reconciler_that_stops_going_round_is_no_longer_alive()
    {
        await _rig.AddAsync();
        await PassAsync(60);
        Assert.True(_rig.Lifecycle.IsAlive);
        Rig.Clock.Advance(TimeSpan.FromSeconds(21));
        Assert.False(_rig.Lifecycle.IsAlive);
        _rig.Lifecycle.Tick(Scratch.Cancellation);
        Assert.True(_rig.Lifecycle.IsAlive);
    }
}
