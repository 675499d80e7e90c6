using System.CommandLine;
using Bramble.Cli.Completion;

namespace Bramble.Cli.Nodes;

/// <summary>The arguments by which nodes are named, with the live names for the shell to complete.</summary>
internal sealed class NodeArguments
{
    public const string Ways =
        "A node is named by its name, number, MAC address or serial; several by a range of numbers (2-9), a label\n"
        + "(rack=a) or a phase (phase=lost).";

    private readonly Argument<string[]> _nodes;
    private readonly Option<bool> _all = new("--all") { Description = "All nodes" };

    public NodeArguments(CommandSet set, Command command)
    {
        _nodes = new Argument<string[]>("NODE")
        {
            Description = "Names, numbers, ranges (2-9), MACs, serials, labels (rack=a), phases (phase=lost)",
            Arity = ArgumentArity.ZeroOrMore,
        };
        LiveNames.OfNodes(set, _nodes);
        command.Add(_nodes);
        command.Add(_all);
    }

    /// <summary>Exactly one node.</summary>
    public static Argument<string> One(CommandSet set)
    {
        var node = new Argument<string>("NODE") { Description = "Its name, number, MAC address or serial" };
        LiveNames.OfNodes(set, node);
        return node;
    }

    /// <summary>What was typed. Nothing is an error, never "all".</summary>
    public Selection Read(Session session)
    {
        var selection = ReadOrNone(session);
        return selection.IsEmpty
            ? throw new UsageException("no node is named; name some (shelf-3, 2-9, rack=a, phase=lost), or say --all")
            : selection;
    }

    /// <summary>For commands that only look.</summary>
    public Selection ReadOrNone(Session session)
    {
        var selection = new Selection(Selectors.Expand(session.Value(_nodes) ?? []), session.Value(_all));
        return selection is { All: true, Select.Count: > 0 }
            ? throw new UsageException("--all and named nodes together contradict each other; leave one out")
            : selection;
    }
}
