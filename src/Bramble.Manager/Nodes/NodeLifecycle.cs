using Bramble.Contracts.Nodes;
using Bramble.Manager.Configuration;

namespace Bramble.Manager.Nodes;

/// <summary>What the reconciler should do about a node now.</summary>
public enum NodeNeed
{
    Nothing,

    /// <summary>It was running and has been silent too long.</summary>
    DeclareLost,

    /// <summary>Its boot or install has stopped.</summary>
    DeclareStopped,

    /// <summary>Stopped or lost, and the watchdog may spend a power cycle on it.</summary>
    PowerCycle,
}

/// <summary>How a node's status changes with what happens to it. Pure: no clock, no store, no I/O.</summary>
public static class NodeLifecycle
{
    public static NodeStatus BootStarted(NodeStatus status, long bootId) => status with
    {
        BootId = bootId,
        Phase = NodePhase.Booting,
        Verdict = "",
    };

    /// <summary>The installed system reported in with its credential.</summary>
    public static NodeStatus Reported(NodeStatus status, string kernelId, DateTimeOffset now) => status with
    {
        Phase = NodePhase.Running,
        Verdict = "",
        LastReportAt = now,
        LastSeenAt = now,
        ReportedKernelId = kernelId,
        Watchdog = new WatchdogRecord(),
        Attempt = status.Attempt is { } attempt && attempt.Generation <= (status.Installed?.Generation ?? 0)
            ? null : status.Attempt,
    };

    public static NodeStatus Stopped(NodeStatus status, string verdict) => status with
    {
        Phase = NodePhase.Failed,
        Verdict = verdict,
    };

    public static NodeStatus Lost(NodeStatus status, TimeSpan silence, bool turnedOff = false) => status with
    {
        Phase = NodePhase.Lost,
        Verdict = turnedOff ? "its power was turned off, as asked"
            : $"it was running and has not reported for {silence.TotalSeconds:0} s",
    };

    /// <summary>Whether the wanted installation is not yet on the disk.</summary>
    public static bool NeedsInstall(NodeSpec spec, NodeStatus status) =>
        status.Installed is not { } installed || installed.Generation < spec.Generation;

    /// <summary>What to do about a node, from its wish, its state and the time alone.</summary>
    /// <param name="hasPower">Whether its port can be switched.</param>
    /// <param name="listeningSince">
    /// A daemon that was down heard nobody: silence counts from its start at the earliest.
    /// </param>
    public static NodeNeed Decide(
        NodeSnapshot node, BrambleOptions options, bool hasPower, DateTimeOffset listeningSince, DateTimeOffset now)
    {
        var (spec, status) = (node.Spec, node.Status);
        if (!spec.Adopted || status.Power is not null) return NodeNeed.Nothing;
        // Off because it was asked for: it goes silent, and nothing is to be done about it.
        if (!spec.PowerOn && status.Phase != NodePhase.Running) return NodeNeed.Nothing;
        var silence = now - Heard(status.LastSeenAt ?? status.PhaseSince, listeningSince, now);
        switch (status.Phase)
        {
            case NodePhase.Running
                when now - Heard(status.LastReportAt ?? now, listeningSince, now) > options.Lifecycle.LostAfter:
                return NodeNeed.DeclareLost;
            case NodePhase.Booting or NodePhase.Installing or NodePhase.Rescue
                when silence > options.Lifecycle.StallAfter:
                return NodeNeed.DeclareStopped;
            // One that waits for an operator in the initramfs is failed, but says so every few seconds.
            case NodePhase.Failed when silence <= options.Lifecycle.StallAfter:
                return NodeNeed.Nothing;
            case NodePhase.Failed or NodePhase.Lost when hasPower && options.Watchdog.Enabled:
                return WatchdogMay(status, options, now) ? NodeNeed.PowerCycle : NodeNeed.Nothing;
            default:
                return NodeNeed.Nothing;
        }
    }

    /// <summary>
    /// When it was last heard. A time in the future is from before the clock was set back, and tells nothing.
    /// </summary>
    private static DateTimeOffset Heard(DateTimeOffset at, DateTimeOffset listeningSince, DateTimeOffset now) =>
        at > listeningSince && at <= now ? at : listeningSince;

    /// <summary>
    /// A node whose install was given up is left alone: power does not mend a disk. Each further cycle waits twice as
    /// long as the one before.
    /// </summary>
    private static bool WatchdogMay(NodeStatus status, BrambleOptions options, DateTimeOffset now)
    {
        if (status.Attempt is { Failed: true, RetryAt: null }) return false;
        var spent = status.Watchdog.Tries;
        if (spent >= options.Watchdog.Tries) return false;
        var backOff = options.Lifecycle.StallAfter * (1 << Math.Min(spent, 6)) / 2;
        return status.Watchdog.LastAt is not { } last || last > now || now - last >= backOff;
    }
}
