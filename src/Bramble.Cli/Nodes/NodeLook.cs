using Bramble.Cli.Output;
using Bramble.Contracts.Nodes;
using Spectre.Console;

namespace Bramble.Cli.Nodes;

/// <summary>How a node's state looks.</summary>
internal static class NodeLook
{
    public static Style Of(NodePhase phase) => phase switch
    {
        NodePhase.Running => Styles.Good,
        NodePhase.Booting or NodePhase.Installing => Styles.Busy,
        NodePhase.Failed or NodePhase.Lost => Styles.Bad,
        NodePhase.Discovered or NodePhase.Rescue => Styles.Odd,
        _ => Style.Plain,
    };

    public static string Word(NodePhase phase) => phase.ToString().ToLowerInvariant();

    /// <summary>What is installed, and what is wanted if that is something else.</summary>
    public static string Image(NodeView node) => (node.Installed?.Image, node.Spec.Image) switch
    {
        (null, null) => "",
        (null, var wanted) => $"(none) → {wanted}",
        (var there, null) => there,
        var (there, wanted) when there == wanted => there,
        var (there, wanted) => $"{there} → {wanted}",
    };

    /// <summary>How far it is while it goes on, else the sentence on its state.</summary>
    public static string State(NodeView node)
    {
        if (node.Progress is not { } progress) return node.Verdict ?? "";
        var share = progress.TotalBytes > 0
            ? $" {Human.Percent(progress.DoneBytes, progress.TotalBytes)} of {Human.Size(progress.TotalBytes)}"
            : "";
        return $"{progress.Step}{share}{(progress.Message is { Length: > 0 } said ? $": {said}" : "")}";
    }

    public static string Labels(IReadOnlyDictionary<string, string>? labels) => labels is null ? "" :
        string.Join(' ', labels.OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => $"{l.Key}={l.Value}"));

    public static string Port(NodeSpecView spec) =>
        spec.PowerDevice is { Length: > 0 } device ? $"{device}:{spec.PowerPort}" : "";
}
