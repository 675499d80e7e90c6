using Bramble.Manager.Configuration;
using Bramble.Manager.Nodes.Timeline;
using Bramble.Manager.Power;

namespace Bramble.Manager.Nodes;

/// <summary>
/// The clock of the lifecycle: once a second it re-reads every node and acts on the difference between what is wanted
/// and what is seen. Holds no state of its own, so it may be killed at any instruction.
/// </summary>
public sealed partial class NodeReconciler(
    BrambleOptions options, NodeRegistry nodes, BootTimeline timeline, PowerService power,
    PowerReconciler powerReconciler, TimeProvider clock, ILogger<NodeReconciler> logger)
{
    private static readonly TimeSpan s_tick = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_hung = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan s_jump = TimeSpan.FromSeconds(5);

    private DateTimeOffset _listeningSince = clock.GetUtcNow();
    private DateTimeOffset _lastTick = clock.GetUtcNow();
    private long _lastTickAt = clock.GetTimestamp();
    private int _ticks;

    /// <summary>
    /// Whether it still goes round. One that hangs leaves systemd's watchdog unfed, and is started anew.
    /// </summary>
    public bool IsAlive => clock.GetElapsedTime(Interlocked.Read(ref _lastTickAt)) < s_hung;

    public async Task RunAsync(CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(s_tick, clock);
        while (await timer.WaitForNextTickAsync(cancellation).ConfigureAwait(false)) Tick(cancellation);
    }

    /// <summary>One look at everything.</summary>
    public void Tick(CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        WatchClock(now);
        foreach (var node in nodes.All) Reconcile(node, now);
        powerReconciler.Tick(cancellation);
        timeline.Flush();
        if (++_ticks % 10 == 0) nodes.FlushSeen();
    }

    /// <summary>
    /// A clock that is set forward makes the whole rack look silent, and would have it power-cycled: silence counts
    /// from the jump at the earliest.
    /// </summary>
    private void WatchClock(DateTimeOffset now)
    {
        var jump = now - _lastTick - clock.GetElapsedTime(_lastTickAt);
        (_lastTick, _lastTickAt) = (now, clock.GetTimestamp());
        if (jump.Duration() < s_jump) return;
        _listeningSince = now;
        LogClockJumped(jump.TotalSeconds);
    }

    private void Reconcile(NodeSnapshot node, DateTimeOffset now)
    {
        switch (NodeLifecycle.Decide(node, options, power.Controls(node), _listeningSince, now))
        {
            case NodeNeed.DeclareLost:
                var silence = now - node.Status.LastReportAt!.Value;
                nodes.Observe(node.Id, status => NodeLifecycle.Lost(status, silence, turnedOff: !node.Spec.PowerOn),
                    "reconciler");
                break;
            case NodeNeed.DeclareStopped:
                var verdict = BootVerdict.Explain(timeline.Newest(node.Id)?.Steps ?? [], node.Status.Family,
                    now - (node.Status.LastSeenAt ?? node.Status.PhaseSince));
                timeline.End(node.Id, BootOutcome.Stopped, verdict);
                nodes.Observe(node.Id, status => NodeLifecycle.Stopped(status, verdict), "reconciler");
                break;
            case NodeNeed.PowerCycle:
                SpendPowerCycle(node, now);
                break;
        }
    }

    private void SpendPowerCycle(NodeSnapshot node, DateTimeOffset now)
    {
        var tries = node.Status.Watchdog.Tries + 1;
        LogCycle(node.Name, tries, options.Watchdog.Tries, node.Status.Verdict);
        nodes.Observe(node.Id, status => status with { Watchdog = new WatchdogRecord(tries, now) }, "watchdog");
        _ = powerReconciler.BeginCycleAsync(node.Id,
            $"watchdog, try {tries} of {options.Watchdog.Tries}: {NodeRegistry.Word(node.Status.Phase)}", "watchdog");
    }

    [LoggerMessage(2302, LogLevel.Warning,
        "The clock was set by {Seconds} s: how long nodes have been silent counts from now")]
    private partial void LogClockJumped(double seconds);

    [LoggerMessage(2301, LogLevel.Warning, "{Node}: power cycle {Try} of {Tries}: {Why}")]
    private partial void LogCycle(string node, int @try, int tries, string why);
}
