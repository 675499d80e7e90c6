namespace Bramble.Contracts.Events;

/// <summary>One entry of the event log: what happened, to which node, and why.</summary>
/// <param name="Id">Rising; the resume point of the event stream.</param>
/// <param name="Kind">
/// Stable and dotted: <c>node.phase</c>, <c>image.added</c>, <c>power.cycled</c>, <c>api.denied</c>.
/// </param>
/// <param name="Actor">Who caused it: a token's name, <c>reconciler</c>, <c>watchdog</c>, <c>board</c>.</param>
public sealed record EventView(
    long Id, DateTimeOffset At, string Kind, long? NodeId, string? NodeName, string Actor, string Message);
