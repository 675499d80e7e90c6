using Bramble.Contracts.Nodes;

namespace Bramble.Cli.Nodes;

/// <summary>When a wait for a node is over.</summary>
internal enum WaitState
{
    Going,
    Reached,
    Failed,
}

/// <summary>What a wait is for.</summary>
/// <param name="Word">The state waited for, for the last line.</param>
/// <param name="ByPower">Looks at the power ports instead of the nodes' phases.</param>
/// <param name="Reached">Given the node before the deed (null if it was not there) and now.</param>
internal sealed record NodeGoalTest(string Word, Func<NodeView?, NodeView, bool> Reached, bool ByPower = false)
{
    /// <summary>Running what is wanted: an install raises the wanted generation, its end the installed one.</summary>
    public static readonly NodeGoalTest Installed = new("running", (_, now) => now.Phase == NodePhase.Running
        && now.Installed is { } installed && installed.Generation >= now.Spec.Generation);

    /// <summary>Running again: a node that has not yet left <c>running</c> has not restarted.</summary>
    public static readonly NodeGoalTest Restarted = new("running", (before, now) => now.Phase == NodePhase.Running
        && (before?.Phase != NodePhase.Running || before.PhaseSince != now.PhaseSince));

    public static readonly NodeGoalTest Running = new("running", (_, now) => now.Phase == NodePhase.Running);

    public static readonly NodeGoalTest InRescue = new("in rescue", (_, now) => now.Phase == NodePhase.Rescue);

    public static readonly NodeGoalTest PoweredOff = new("off", (_, _) => false, ByPower: true);

    /// <summary>A failure from before the deed is not its failure.</summary>
    public WaitState Look(NodeView? before, NodeView now)
    {
        if (Reached(before, now)) return WaitState.Reached;
        var stale = before?.Phase == NodePhase.Failed && before.PhaseSince == now.PhaseSince;
        return now.Phase == NodePhase.Failed && !stale ? WaitState.Failed : WaitState.Going;
    }
}
