using Bramble.Manager.Nodes;
using Bramble.Manager.Power;

namespace Bramble.Manager.Tests.Power;

/// <summary>Ports come to be what is wanted of them, whatever happens to the daemon, the device or the clock.</summary>
public sealed class PowerReconcilerTests : IAsyncDisposable
{
    private readonly PowerRig _rig = new();

    private Rig Rig => _rig.Rig;

    private string Commands => string.Join(", ", _rig.Driver.Commands);

    private NodeStatus Status(long id = 1) => Rig.Node(id).Status;

    public ValueTask DisposeAsync() => _rig.DisposeAsync();

    private Task SettledAsync(string commands) => _rig.TickUntilAsync(
        () => Commands == commands && PowerReconciler.IsSettled(Rig.Node(1)),
            $"'{commands}' was done; so far '{Commands}'");

    [Fact]
    public async Task A_port_is_switched_once_for_each_wish()
    {
        await _rig.AddAsync();
        await _rig.TickAsync();
        Assert.Equal("", Commands);
        await _rig.WishAsync(1, on: false);
        await SettledAsync("1 off");
        await _rig.TickAsync();
        await _rig.WishAsync(1, on: true);
        await SettledAsync("1 off, 1 on");
        await _rig.TickAsync();
        Assert.Equal("1 off, 1 on", Commands);
        Assert.Equal(["power.off", "power.on"], (await Rig.Events.TailAsync(2, null)).Select(e => e.Kind));
        Assert.Equal(["off port sw1/1", "on port sw1/1"],
            Rig.Timeline.Newest(1)!.Steps.Select(s => $"{s.What} {s.Detail}"));
    }

    [Fact]
    public async Task A_cycle_is_off_for_its_time_and_on_again()
    {
        await _rig.AddAsync();
        await _rig.Ports.BeginCycleAsync(1, "asked for", "me");
        await _rig.TickUntilAsync(() => Status().Power is { OffDone: true }, "it is off");
        Rig.Clock.Advance(TimeSpan.FromSeconds(4.9));
        await _rig.TickAsync();
        Assert.Equal("1 off", Commands);
        Rig.Clock.Advance(TimeSpan.FromSeconds(0.2));
        await SettledAsync("1 off, 1 on");
        Assert.Null(Status().Power);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_cycle_that_a_killed_daemon_began_is_carried_on(bool offDone)
    {
        await _rig.AddAsync();
        await _rig.Ports.BeginCycleAsync(1, "asked for", "me");
        if (offDone) await _rig.TickUntilAsync(() => Status().Power is { OffDone: true }, "it is off");
        await Rig.SettledAsync();
        await _rig.RestartAsync();
        Assert.Equal(offDone, Status().Power!.OffDone);
        await _rig.TickUntilAsync(() => Status().Power is { OffDone: true }, "it is off");
        Rig.Clock.Advance(TimeSpan.FromSeconds(6));
        await SettledAsync("1 off, 1 on");
        await _rig.RestartAsync();
        Assert.Null(Status().Power);
    }

    [Fact]
    public async Task A_clock_that_is_set_back_leaves_no_board_dark()
    {
        await _rig.AddAsync();
        await _rig.Ports.BeginCycleAsync(1, "asked for", "me");
        await _rig.TickUntilAsync(() => Status().Power is { OffDone: true }, "it is off");
        Rig.Clock.JumpWallClock(TimeSpan.FromHours(-9));
        await SettledAsync("1 off, 1 on");
    }

    [Fact]
    public async Task A_cycle_that_is_asked_for_during_another_command_is_not_lost()
    {
        await _rig.AddAsync();
        _rig.Driver.Gate = new TaskCompletionSource();
        await _rig.WishAsync(1, on: false);
        await _rig.TickUntilAsync(() => Commands == "1 off", "it has begun");
        await _rig.WishAsync(1, on: true);
        await _rig.Ports.BeginCycleAsync(1, "asked for", "me");
        _rig.Driver.Gate.SetResult();
        _rig.Driver.Gate = null;
        await _rig.TickUntilAsync(() => Status().Power is { OffDone: true }, "the cycle has begun");
        Rig.Clock.Advance(TimeSpan.FromSeconds(6));
        await SettledAsync("1 off, 1 off, 1 on");
    }

    [Fact]
    public async Task A_second_cycle_during_the_first_is_the_first()
    {
        await _rig.AddAsync();
        await _rig.Ports.BeginCycleAsync(1, "one", "me");
        await _rig.Ports.BeginCycleAsync(1, "two", "me");
        Assert.Equal("one", Status().Power!.Why);
        await _rig.Ports.BeginCycleAsync(99, "nobody", "me");
    }

    [Fact]
    public async Task A_failure_is_told_with_its_cause_and_tried_again_ever_more_slowly_until_it_works()
    {
        await _rig.AddAsync();
        var began = Rig.Clock.GetUtcNow();
        _rig.Driver.Broken = "sw1 does not answer";
        await _rig.WishAsync(1, on: false);
        foreach (var (tries, pause) in new[] { (1, 2), (2, 4), (3, 8), (4, 16), (5, 32), (6, 60), (7, 60) })
        {
            await _rig.TickUntilAsync(
                () => _rig.Driver.Commands.Count == tries && _rig.Ports.FailureSince(1, began) is not null,
                $"try {tries}");
            await _rig.TickAsync();
            Rig.Clock.Advance(TimeSpan.FromSeconds(pause - 0.5));
            await _rig.TickAsync();
            Assert.Equal(tries, _rig.Driver.Commands.Count);
            Rig.Clock.Advance(TimeSpan.FromSeconds(0.5));
        }
        Assert.Equal("sw1 does not answer", _rig.Ports.FailureSince(1, began));
        Assert.Null(_rig.Ports.FailureSince(1, Rig.Clock.GetUtcNow().AddHours(1)));
        Assert.Single(await Rig.Events.TailAsync(100, null), e => e.Kind == "power.failed");
        var step = Rig.Timeline.Newest(1)!.Steps.Single();
        Assert.Equal(("off", "failed", "sw1 does not answer"), (step.What, step.Outcome, step.Detail));
        _rig.Driver.Broken = null;
        await _rig.TickUntilAsync(() => PowerReconciler.IsSettled(Rig.Node(1)), "it works again");
    }

    [Fact]
    public async Task A_port_that_takes_the_command_and_stays_as_it_was_is_a_failure()
    {
        await _rig.AddAsync();
        _rig.Driver.Stuck = true;
        await _rig.WishAsync(1, on: false);
        await _rig.TickUntilAsync(() => _rig.Ports.FailureSince(1, default) is not null, "it failed");
        Assert.Equal("port sw1/1 took the command and stayed on: as scripted", _rig.Ports.FailureSince(1, default));
    }

    [Fact]
    public async Task A_device_that_never_answers_is_given_up_after_a_minute()
    {
        await _rig.AddAsync();
        _rig.Driver.Gate = new TaskCompletionSource();
        await _rig.WishAsync(1, on: false);
        await _rig.TickUntilAsync(() => Commands == "1 off", "it has begun");
        Rig.Clock.Advance(TimeSpan.FromSeconds(61));
        await _rig.TickUntilAsync(() => _rig.Ports.FailureSince(1, default) is not null, "it was given up");
        Assert.Equal("sw1/1 did not answer in a minute", _rig.Ports.FailureSince(1, default));
    }

    [Fact]
    public async Task One_port_is_spoken_to_by_one_at_a_time_and_several_at_once()
    {
        _rig.Driver.Gate = new TaskCompletionSource();
        var same = Enumerable.Range(0, 4).Select(
            i => _rig.Power.SetAsync(new("sw1", "1"), i % 2 == 0, Scratch.Cancellation)).ToArray();
        Assert.Equal(1, _rig.Driver.Most);
        var other = _rig.Power.SetAsync(new("sw1", "2"), true, Scratch.Cancellation);
        Assert.Equal(2, _rig.Driver.Most);
        _rig.Driver.Gate.SetResult();
        await Task.WhenAll([.. same, other]);
        Assert.Equal(2, _rig.Driver.Most);
    }

    [Fact]
    public async Task A_node_without_a_port_is_looked_for_and_no_more_often_than_needed()
    {
        await Rig.AddAsync(1);
        var asked = 0;
        _rig.Driver.Finds = _ =>
        {
            asked++;
            return asked < 3 ? null : new PowerPort("sw1", "17");
        };
        for (var i = 1; i <= 3; i++)
        {
            await _rig.TickUntilAsync(() => asked == i, $"look {i}");
            await _rig.TickAsync();
            Assert.Equal(i, asked);
            Rig.Clock.Advance(TimeSpan.FromSeconds(30));
        }
        await Scratch.UntilAsync(() => Status().FoundPowerPort == "17", "it was found");
        Assert.Equal(new PowerPort("sw1", "17"), PowerService.PortOf(Rig.Node(1)));
        Assert.True(_rig.Power.Controls(Rig.Node(1)));
        await _rig.TickAsync();
        Assert.Equal(3, asked);
    }

    [Fact]
    public async Task A_port_of_a_device_that_is_not_configured_is_a_failure_in_words()
    {
        var e = await Assert.ThrowsAsync<PowerException>(
            () => _rig.Power.ReadAsync(new("sw9", "1"), Scratch.Cancellation));
        Assert.Equal("there is no power device 'sw9' in the configuration", e.Message);
    }
}
