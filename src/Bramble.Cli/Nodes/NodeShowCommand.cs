using System.CommandLine;
using Bramble.Cli.Api;
using Bramble.Cli.Output;
using Bramble.Contracts.Api;
using Bramble.Contracts.Nodes;

namespace Bramble.Cli.Nodes;

/// <summary>All about one node.</summary>
internal static class NodeShowCommand
{
    public static Command Create(CommandSet set)
    {
        var node = NodeArguments.One(set);
        var command = new HelpfulCommand("show", "Show all about one node",
            "Shows what is wanted of the node, what was observed, its disks and what is installed.",
            "bramble node show shelf-3\n"
            + "bramble node show 3 -o json | jq -r .sshHostKey")
        {
            node,
        };
        return set.Handle(command, async (session, cancellation) =>
        {
            var answer = await session.Api.GetAsync(
                ApiPath.Of(ApiRoutes.Node, session.Value(node)!), ContractsJson.Default.NodeView, cancellation);
            session.Printer.Show(answer.Raw, () => Table(answer.Value, session.Terminal.Time.GetUtcNow()));
            return ExitCode.Ok;
        });
    }

    public static Sheet Table(NodeView node, DateTimeOffset now)
    {
        var sheet = new Sheet("", "");
        sheet.AddIf("Name", node.Name);
        sheet.AddIf("Number", node.Number);
        var since = node.PhaseSince == default ? "" : $" for {Human.Age(node.PhaseSince, now)}";
        sheet.AddIf("Phase", new Cell($"{NodeLook.Word(node.Phase)}{since}", NodeLook.Of(node.Phase)));
        sheet.AddIf("Verdict", node.Verdict);
        if (node.Progress is not null) sheet.AddIf("Progress", NodeLook.State(node));
        sheet.AddIf("Board", $"{node.Maker} {node.Model}".Trim());
        sheet.AddIf("Memory", Human.Memory(node.MemoryBytes));
        sheet.AddIf("Architecture", node.Architecture);
        sheet.AddIf("MAC", node.Mac);
        sheet.AddIf("Serial", node.Serial);
        sheet.AddIf("Network", node.Network);
        sheet.AddIf("Address", node.Address);
        sheet.AddIf("Reserved address", node.Spec.ReservedAddress);
        sheet.AddIf("Goal", node.Spec.Goal.ToString().ToLowerInvariant());
        sheet.AddIf("Image wanted", node.Spec.Image);
        if (node.Installed is { } installed)
        {
            sheet.AddIf("Image installed", $"{installed.Image} on {installed.Disk}, {Human.Time(installed.At)}");
            sheet.AddIf("Image digest", installed.Digest);
        }
        sheet.AddIf("Disk rule", node.Spec.Disk);
        foreach (var disk in node.Disks ?? [])
        {
            var locked = disk.ReadOnly ? ", write-protected" : "";
            sheet.AddIf("Disk", $"{disk.Path} {Human.Size(disk.SizeBytes)} {disk.Bus}{locked} {disk.Serial}".Trim());
        }
        sheet.AddIf("Power", $"{node.Spec.Power} {NodeLook.Port(node.Spec)}".Trim());
        sheet.AddIf("Labels", NodeLook.Labels(node.Spec.Labels));
        sheet.AddIf("SSH host key", node.SshHostKey);
        sheet.AddIf("Last seen", Human.Time(node.LastSeenAt));
        sheet.AddIf("Last report", Human.Time(node.LastReportAt));
        if (node.WatchdogTries > 0) sheet.AddIf("Watchdog tries", node.WatchdogTries);
        return sheet;
    }
}
