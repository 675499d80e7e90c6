using Bramble.Contracts.Nodes;
using Bramble.Manager.Configuration;
using Bramble.Manager.Nodes;

namespace Bramble.Manager.Tests.Nodes;

/// <summary>
/// What is to be done about a node follows from its wish, its state and the time. Times are seconds ago.
/// </summary>
public sealed class NodeLifecycleTests
{
    private static readonly DateTimeOffset s_now = Sample.Start.AddDays(1);

    private static readonly BrambleOptions s_options = Sample.Options() with
    {
        Lifecycle = new LifecycleOptions
        {
            LostAfter = TimeSpan.FromSeconds(100),
            StallAfter = TimeSpan.FromSeconds(180),
        },
        Watchdog = new WatchdogOptions { Enabled = true, Tries = 3 },
    };

    private static DateTimeOffset Ago(double seconds) => s_now.AddSeconds(-seconds);

    private static NodeNeed Decide(NodeStatus status, NodeSpec? spec = null, bool power = true,
        double listening = 100_000, BrambleOptions? options = null) => NodeLifecycle.Decide(
            Sample.Node(1, spec, status), options ?? s_options, power, Ago(listening), s_now);

    [Theory]
    [InlineData(NodePhase.Running, 99, NodeNeed.Nothing)]
    [InlineData(NodePhase.Running, 101, NodeNeed.DeclareLost)]
    [InlineData(NodePhase.Booting, 179, NodeNeed.Nothing)]
    [InlineData(NodePhase.Booting, 181, NodeNeed.DeclareStopped)]
    [InlineData(NodePhase.Installing, 181, NodeNeed.DeclareStopped)]
    [InlineData(NodePhase.Rescue, 181, NodeNeed.DeclareStopped)]
    [InlineData(NodePhase.Discovered, 100_000, NodeNeed.Nothing)]
    [InlineData(NodePhase.Adopted, 100_000, NodeNeed.Nothing)]
    [InlineData(NodePhase.Failed, 181, NodeNeed.PowerCycle)]
    [InlineData(NodePhase.Lost, 101, NodeNeed.PowerCycle)]
    public void Silence_means_something_in_each_phase(NodePhase phase, double silence, NodeNeed need) =>
        Assert.Equal(need, Decide(new NodeStatus
        {
            Phase = phase,
            PhaseSince = Ago(100_000),
            LastSeenAt = Ago(silence),
            LastReportAt = Ago(silence),
        }));

    [Fact]
    public void A_board_that_never_spoke_in_its_phase_is_silent_since_the_phase_began()
    {
        var status = new NodeStatus { Phase = NodePhase.Booting, PhaseSince = Ago(181) };
        Assert.Equal(NodeNeed.DeclareStopped, Decide(status));
        Assert.Equal(NodeNeed.Nothing, Decide(status with { PhaseSince = Ago(10) }));
    }

    [Theory]
    [InlineData(NodePhase.Running, 100, NodeNeed.Nothing)]
    [InlineData(NodePhase.Running, 101, NodeNeed.DeclareLost)]
    [InlineData(NodePhase.Booting, 180, NodeNeed.Nothing)]
    [InlineData(NodePhase.Booting, 181, NodeNeed.DeclareStopped)]
    public void A_daemon_that_was_down_counts_silence_from_its_own_start(
        NodePhase phase, double listening, NodeNeed need) =>
        Assert.Equal(need, Decide(
            new NodeStatus { Phase = phase, LastSeenAt = Ago(50_000), LastReportAt = Ago(50_000) },
                listening: listening));

    [Theory]
    [InlineData(NodePhase.Running, NodeNeed.DeclareLost)]
    [InlineData(NodePhase.Booting, NodeNeed.DeclareStopped)]
    public void A_sign_of_life_from_the_future_is_none_the_clock_was_set_back(NodePhase phase, NodeNeed need) =>
        Assert.Equal(need, Decide(
            new NodeStatus { Phase = phase, LastSeenAt = Ago(-5000), LastReportAt = Ago(-5000) }, listening: 200));

    [Fact]
    public void Nothing_is_done_about_a_node_that_is_not_ours_is_meant_to_be_off_or_is_being_cycled()
    {
        var silent = new NodeStatus { Phase = NodePhase.Lost, LastSeenAt = Ago(9000), LastReportAt = Ago(9000) };
        Assert.Equal(NodeNeed.Nothing, Decide(silent, new NodeSpec { Adopted = false }));
        Assert.Equal(NodeNeed.Nothing, Decide(silent, new NodeSpec { Adopted = true, PowerOn = false }));
        Assert.Equal(NodeNeed.Nothing, Decide(silent with { Power = new PowerOperation("", s_now, s_now, false) }));
        Assert.Equal(NodeNeed.PowerCycle, Decide(silent));
    }

    [Fact]
    public void The_watchdog_needs_a_port_and_leave()
    {
        var silent = new NodeStatus { Phase = NodePhase.Lost, LastSeenAt = Ago(9000) };
        Assert.Equal(NodeNeed.Nothing, Decide(silent, power: false));
        Assert.Equal(NodeNeed.Nothing,
            Decide(silent, options: s_options with { Watchdog = new() { Enabled = false } }));
        Assert.Equal(NodeNeed.Nothing, Decide(silent, options: s_options with { Watchdog = new() { Tries = 0 } }));
    }

    [Theory]
    [InlineData(0, null, true)]
    [InlineData(1, 179, false)]
    [InlineData(1, 180, true)]
    [InlineData(2, 359, false)]
    [InlineData(2, 360, true)]
    [InlineData(3, 100_000, false)]
    [InlineData(1, -600, true)]
    public void Each_further_cycle_waits_twice_as_long_and_their_number_is_bounded(int spent, int? lastAgo, bool cycles)
    {
        var status = new NodeStatus
        {
            Phase = NodePhase.Failed,
            LastSeenAt = Ago(9000),
            Watchdog = new WatchdogRecord(spent, lastAgo is { } ago ? Ago(ago) : null),
        };
        Assert.Equal(cycles ? NodeNeed.PowerCycle : NodeNeed.Nothing, Decide(status));
    }

    [Fact]
    public void A_long_back_off_does_not_overflow()
    {
        var options = s_options with { Watchdog = new WatchdogOptions { Tries = 1000 } };
        var status = new NodeStatus { Phase = NodePhase.Failed, LastSeenAt = Ago(90_000),
            Watchdog = new(999, Ago(80_000)) };
        Assert.Equal(NodeNeed.PowerCycle, Decide(status, options: options));
    }

    [Fact]
    public void A_board_that_waits_for_an_operator_and_says_so_is_not_power_cycled()
    {
        // "no image is chosen": failed, but alive in the initramfs, asking every ten seconds.
        var asking = new NodeStatus { Phase = NodePhase.Failed, LastSeenAt = Ago(9) };
        Assert.Equal(NodeNeed.Nothing, Decide(asking));
        Assert.Equal(NodeNeed.PowerCycle, Decide(asking with { LastSeenAt = Ago(181) }));
    }

    [Fact]
    public void A_node_whose_install_was_given_up_is_left_alone()
    {
        var attempt = new InstallAttempt { Generation = 1, Image = "i", Digest = "d", Disk = "/dev/sda",
            Failed = true };
        var status = new NodeStatus { Phase = NodePhase.Failed, LastSeenAt = Ago(9000), Attempt = attempt };
        Assert.Equal(NodeNeed.Nothing, Decide(status));
        Assert.Equal(NodeNeed.PowerCycle, Decide(status with { Attempt = attempt with { RetryAt = Ago(5) } }));
    }

    [Theory]
    [InlineData(1, null, true)]
    [InlineData(1, 1, false)]
    [InlineData(2, 1, true)]
    [InlineData(1, 2, false)]
    public void A_node_needs_an_install_until_its_generation_has_caught_up(long wanted, int? installed, bool needs) =>
        Assert.Equal(needs, NodeLifecycle.NeedsInstall(
            new NodeSpec { Generation = wanted },
                new NodeStatus { Installed = installed is { } g ? Record(g) : null }));

    [Fact]
    public void A_report_makes_a_node_running_and_settles_its_accounts()
    {
        var before = new NodeStatus
        {
            Phase = NodePhase.Failed,
            Verdict = "it stopped",
            Watchdog = new WatchdogRecord(2, s_now),
            Installed = Record(3),
            Attempt = new InstallAttempt { Generation = 3, Image = "i", Digest = "d", Disk = "/dev/sda" },
        };
        var after = NodeLifecycle.Reported(before, "kernel-1", s_now);
        Assert.Equal((NodePhase.Running, "", "kernel-1", 0),
            (after.Phase, after.Verdict, after.ReportedKernelId, after.Watchdog.Tries));
        Assert.Equal((s_now, s_now), (after.LastReportAt, after.LastSeenAt));
        Assert.Null(after.Attempt);
        var newer = before with { Attempt = before.Attempt with { Generation = 4 } };
        Assert.NotNull(NodeLifecycle.Reported(newer, "kernel-1", s_now).Attempt);
    }

    [Fact]
    public void A_new_boot_wipes_the_old_verdict()
    {
        var after = NodeLifecycle.BootStarted(
            new NodeStatus { Phase = NodePhase.Failed, Verdict = "x", BootId = 1 }, 7);
        Assert.Equal((NodePhase.Booting, "", 7), (after.Phase, after.Verdict, after.BootId));
        Assert.Equal("it was running and has not reported for 120 s",
            NodeLifecycle.Lost(after, TimeSpan.FromMinutes(2)).Verdict);
        Assert.Equal((NodePhase.Failed, "why"),
            (NodeLifecycle.Stopped(after, "why").Phase, NodeLifecycle.Stopped(after, "why").Verdict));
    }

    private static InstallRecord Record(long generation) =>
        new("debian", "d1", "/dev/sda", 2, "ext4", generation, Sample.Start);
}
