using System.CommandLine;
using Bramble.Cli.Api;
using Bramble.Cli.Output;
using Bramble.Contracts.Api;
using Bramble.Contracts.Nodes;

namespace Bramble.Cli.Nodes;

/// <summary>The list that is looked at most.</summary>
internal static class NodeLsCommand
{
    public static Command Create(CommandSet set)
    {
        var watch = new Option<bool>("--watch", "-w") { Description = "Go on showing it until interrupted" };
        var command = new HelpfulCommand("ls", "List the nodes",
            "Lists all nodes, or those named. --watch shows the list in place on a terminal, else anew at a change.\n"
            + NodeArguments.Ways,
            "bramble node ls --watch\n"
            + "bramble node ls phase=failed -o wide")
        {
            watch,
        };
        var nodes = new NodeArguments(set, command);
        return set.Handle(command, async (session, cancellation) =>
        {
            var path = ApiPath.With(ApiRoutes.Nodes, nodes.ReadOrNone(session).Query);
            Task<Answer<IReadOnlyList<NodeView>>> Fetch(CancellationToken token) =>
                session.Api.GetAsync(path, ContractsJson.Default.IReadOnlyListNodeView, token);
            if (session.Value(watch))
            {
                return await Watch.RunAsync(
                    session, Fetch, list => Table(session, list).Shape, list => Key(list), cancellation);
            }
            var answer = await Fetch(cancellation);
            session.Printer.Show(answer.Raw, () => Table(session, answer.Value));
            if (answer.Value.Count == 0) session.Say("no nodes");
            return ExitCode.Ok;
        });
    }

    private static Sheet Table(Session session, IReadOnlyList<NodeView> nodes)
    {
        var now = session.Terminal.Time.GetUtcNow();
        var wide = session.Printer.IsWide;
        string[] more = wide ? ["MAC", "SERIAL", "NETWORK", "POWER"] : [];
        var sheet = new Sheet(
            ["NUM", "NAME", "PHASE", "SINCE", "ADDRESS", "MODEL", "MEM", "IMAGE", .. more, "PROGRESS/VERDICT"]);
        foreach (var node in nodes.OrderBy(n => n.Number))
        {
            var look = NodeLook.Of(node.Phase);
            List<Cell> cells =
            [
                node.Number, node.Name, new(NodeLook.Word(node.Phase), look), Human.Age(node.PhaseSince, now),
                node.Address, node.Model, Human.Memory(node.MemoryBytes), NodeLook.Image(node),
            ];
            if (wide) cells.AddRange([node.Mac, node.Serial, node.Network, Power(node.Spec)]);
            cells.Add(new Cell(NodeLook.State(node), node.Phase is NodePhase.Failed or NodePhase.Lost ? look : null));
            sheet.Add([.. cells]);
        }
        return sheet;
    }

    private static string Power(NodeSpecView spec) =>
        NodeLook.Port(spec) is { Length: > 0 } port ? $"{spec.Power} {port}" : spec.Power;

    /// <summary>What is news to a reader: not ages, and not the seconds at which a node last reported.</summary>
    private static string Key(IReadOnlyList<NodeView> nodes) => string.Join('\n', nodes.Select(node =>
        $"{node.Number} {node.Name} {node.Phase} {node.Address} {NodeLook.Image(node)} {NodeLook.State(node)}"));
}
