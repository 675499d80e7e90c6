namespace Bramble.Contracts.Nodes;

/// <summary>A node's boots, newest first.</summary>
public sealed record TimelineView(long NodeId, string Name, IReadOnlyList<BootView> Boots);

/// <summary>One boot from its first packet to running, or to where it stopped.</summary>
/// <param name="Outcome"><c>going</c>, <c>running</c>, <c>stopped</c>.</param>
/// <param name="Verdict">Where and why it ended, in one sentence; empty while it goes on.</param>
public sealed record BootView(
    long Id, DateTimeOffset StartedAt, DateTimeOffset LastAt, string Outcome, string Verdict,
    IReadOnlyList<TimelineStep> Steps);

/// <param name="Stage"><c>dhcp tftp http time installer system power</c>.</param>
/// <param name="Outcome"><c>ok probe ignored failed</c>.</param>
/// <param name="Count">How many like steps in a row this line stands for.</param>
public sealed record TimelineStep(
    DateTimeOffset At, string Stage, string What, string Outcome, string Detail, int Count);
