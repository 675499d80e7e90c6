namespace Bramble.Contracts.Nodes;

/// <summary>
/// Many nodes at once, out of another system's files: all of them or none. The same request again changes nothing.
/// </summary>
public sealed record NodeImportRequest
{
    /// <summary>Where they come from, for the event log: <c>dnsmasq rack.conf</c>.</summary>
    public string Source { get; init; } = "";

    /// <summary>Say what would be done, do nothing.</summary>
    public bool DryRun { get; init; }

    /// <summary>Leave out what cannot be taken, where it would otherwise keep everything from being taken.</summary>
    public bool SkipBad { get; init; }

    public IReadOnlyList<NodeImportEntry> Nodes { get; init => field = value ?? []; } = [];
}

/// <summary>One node; a null member is left as it is, or made up for a new node.</summary>
/// <param name="Line">In the file, so that the outcome can be told by it.</param>
public sealed record NodeImportEntry(
    int Line, string Mac, string? Name = null, int? Number = null, string? Address = null,
    IReadOnlyDictionary<string, string>? Labels = null);

/// <param name="Done">Whether anything was done: not on a dry run, nor if something was refused.</param>
public sealed record NodeImportResult(bool DryRun, bool Done, IReadOnlyList<NodeImportOutcome> Outcomes);

/// <summary>What becomes of one line; name, number and address are those that the node has afterwards.</summary>
public sealed record NodeImportOutcome(
    int Line, NodeImportVerdict Verdict, string Mac, int? Number, string? Name, string? Address, string Message);

public enum NodeImportVerdict
{
    Added,

    Changed,

    /// <summary>It is so already.</summary>
    Same,

    /// <summary>Another node, or another line, has what this one wants.</summary>
    Conflict,

    /// <summary>The line cannot be understood, or asks for what cannot be.</summary>
    Bad,

    /// <summary>Nothing that Bramble could take over; no fault.</summary>
    Skipped,
}
