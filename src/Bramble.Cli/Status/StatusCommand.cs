using System.CommandLine;
using Bramble.Cli.Nodes;
using Bramble.Cli.Output;
using Bramble.Contracts.Api;
using Bramble.Contracts.Nodes;
using Spectre.Console;

namespace Bramble.Cli.Status;

/// <summary>The manager at a glance.</summary>
internal static class StatusCommand
{
    public static Command Create(CommandSet set)
    {
        var command = new HelpfulCommand("status", "The manager at a glance: networks, nodes by phase, counters",
            "Shows whether the manager is up, where it serves, and how many nodes are in which phase. With -o wide,\n"
            + "its counters too.",
            "bramble status");
        return set.Handle(command, async (session, cancellation) =>
        {
            var answer = await session.Api.GetAsync(ApiRoutes.Manager, ContractsJson.Default.ManagerView, cancellation);
            session.Printer.Show(answer.Raw, () => Shape(session, answer.Value));
            return ExitCode.Ok;
        });
    }

    private static Rows Shape(Session session, ManagerView manager)
    {
        var now = session.Terminal.Time.GetUtcNow();
        var head = new Sheet("", "");
        head.AddIf("Cluster", manager.Cluster);
        head.AddIf("Manager", $"brambled {manager.Version} at {session.Connection.Address.Text}");
        head.AddIf("Trouble", new Cell(manager.Trouble ?? "", Styles.Bad));
        foreach (var warning in manager.Warnings ?? []) head.AddIf("Warning", new Cell(warning, Styles.Odd));
        head.AddIf("Up", $"{Human.Age(manager.StartedAt, now)}, since {Human.Time(manager.StartedAt)}");
        head.AddIf("Nodes", $"{manager.NodesByPhase.Values.Sum()}");
        foreach (var phase in Enum.GetValues<NodePhase>())
        {
            if (manager.NodesByPhase.TryGetValue(NodeLook.Word(phase), out var count) && count > 0)
                head.Add(new Cell($"  {NodeLook.Word(phase)}", NodeLook.Of(phase)), count);
        }
        var networks = new Sheet("NETWORK", "INTERFACE", "ADDRESS", "DHCP", "ADOPT", "BOOT URL");
        foreach (var network in manager.Networks)
        {
            networks.Add(network.Name, network.Interface, network.Address, network.DhcpMode, network.Adopt,
                network.BootUrl);
        }
        List<Spectre.Console.Rendering.IRenderable> parts = [head.Shape, Text.Empty, networks.Shape];
        if (session.Printer.IsWide && manager.Counters.Count > 0)
        {
            var counters = new Sheet("COUNTER", "VALUE");
            foreach (var (name, value) in manager.Counters.OrderBy(c => c.Key, StringComparer.Ordinal))
                counters.Add(name, value);
            parts.AddRange([Text.Empty, counters.Shape]);
        }
        return new Rows(parts);
    }
}
