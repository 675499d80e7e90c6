namespace Bramble.Contracts.Nodes;

/// <summary>What can be asked of one or many nodes: <c>POST /api/v1/nodes/actions/{verb}</c>.</summary>
public enum NodeVerb
{
    Adopt,
    Forget,

    /// <summary>Install if the wanted image is not what is installed.</summary>
    Install,

    /// <summary>Install again, whatever is installed.</summary>
    Reinstall,

    /// <summary>Power-cycle, or restart by the means there is.</summary>
    Restart,
    Rescue,

    /// <summary>Back to running from rescue or wait; clears a failure so that the next boot tries anew.</summary>
    Boot,
    Wait,
}

/// <summary>A wish about the selected nodes.</summary>
public sealed record NodeActionRequest
{
    /// <summary>
    /// Names, numbers, MAC addresses, serials, <c>key=value</c> labels, or phases as <c>phase=lost</c>.
    /// </summary>
    public IReadOnlyList<string> Select { get; init => field = value ?? []; } = [];

    public bool All { get; init; }

    /// <summary>Say what would be done, do nothing.</summary>
    public bool DryRun { get; init; }

    /// <summary>For install and reinstall: the image, kept in the spec.</summary>
    public string? Image { get; init; }

    /// <summary>For install and reinstall: the disk rule, kept in the spec.</summary>
    public string? Disk { get; init; }
}

/// <summary>What was done, or would be, for each selected node.</summary>
public sealed record NodeActionResult(bool DryRun, IReadOnlyList<NodeActionOutcome> Outcomes);

public sealed record NodeActionOutcome(long Id, int Number, string Name, bool Accepted, string Message);
