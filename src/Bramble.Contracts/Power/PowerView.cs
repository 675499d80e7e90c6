namespace Bramble.Contracts.Power;

/// <summary>The power of one node's port as read just now.</summary>
/// <param name="State"><c>on off fault unknown none</c>.</param>
/// <param name="Wanted"><c>on</c> or <c>off</c>.</param>
public sealed record PowerView(
    long NodeId, string Name, string Device, string Port, string State, string Wanted, double? Watts, string Detail);

/// <summary>What can be done to a port.</summary>
public enum PowerVerb
{
    On,
    Off,
    Cycle,
}

/// <summary>The same selection as for node actions.</summary>
public sealed record PowerRequest
{
    public IReadOnlyList<string> Select { get; init => field = value ?? []; } = [];

    public bool All { get; init; }

    public bool DryRun { get; init; }
}
