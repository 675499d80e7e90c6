using System.CommandLine;
using Bramble.Cli.Api;
using Bramble.Cli.Completion;
using Bramble.Contracts.Api;
using Bramble.Contracts.Nodes;

namespace Bramble.Cli.Nodes;

/// <summary>Changes what is wanted of one node.</summary>
internal static class NodeSetCommand
{
    public static Command Create(CommandSet set)
    {
        var node = NodeArguments.One(set);
        var name = new Option<string?>("--name") { Description = "Its name, which is its host name too" };
        var number = new Option<int?>("--number") { Description = "The small number that people type" };
        var image = new Option<string?>("--image") { Description = "The image to be installed; '' for none" };
        LiveNames.OfImages(set, image);
        var disk = new Option<string?>("--disk")
        {
            Description = "Disk rule: /dev/mmcblk0, or 'only >= 4GB'; '' for the usual",
        };
        var address = new Option<string?>("--address") { Description = "Reserved IPv4 address; '' for the pool's" };
        var device = new Option<string?>("--power-device")
        {
            Description = "Power device of the configuration; '' for none",
        };
        var port = new Option<string?>("--power-port") { Description = "Its port; '' to find it by the MAC address" };
        var label = new Option<string[]>("--label")
        {
            Description = "Set a label KEY=VALUE; 'KEY=' removes it; may be repeated",
            HelpName = "KEY=VALUE",
        };
        var command = new HelpfulCommand("set", "Change a node's name, number, image, address, power port or labels",
            "Changes only what is named. An empty value ('') clears. Changing the image installs nothing by itself.",
            "bramble node set b8:27:eb:12:34:56 --name shelf-3 --number 3 --label rack=a\n"
            + "bramble node set 3 --image debian12 --power-device poe1 --power-port 7")
        {
            node, name, number, image, disk, address, device, port, label,
        };
        return set.Handle(command, async (session, cancellation) =>
        {
            var labels = Labels(session.Value(label) ?? []);
            var patch = new NodePatch
            {
                Name = session.Value(name),
                Number = session.Value(number),
                Image = session.Value(image),
                Disk = session.Value(disk),
                ReservedAddress = session.Value(address),
                PowerDevice = session.Value(device),
                PowerPort = session.Value(port),
                Labels = labels.Count > 0 ? labels : null,
            };
            if (patch == new NodePatch())
                throw new UsageException("nothing to set; see 'bramble node set --help' for what there is");
            var path = ApiPath.Of(ApiRoutes.Node, session.Value(node)!);
            if (session.DryRun)
            {
                var now = await session.Api.GetAsync(path, ContractsJson.Default.NodeView, cancellation);
                session.Say($"dry run: would change node {now.Value.Name}: {Describe(patch)}");
                return ExitCode.Ok;
            }
            var answer = await session.Api.PatchAsync(
                path, patch, ContractsJson.Default.NodePatch, ContractsJson.Default.NodeView, cancellation);
            session.Printer.Show(
                answer.Raw, () => NodeShowCommand.Table(answer.Value, session.Terminal.Time.GetUtcNow()));
            return ExitCode.Ok;
        });
    }

    private static Dictionary<string, string> Labels(string[] typed)
    {
        var labels = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var text in typed)
        {
            var equals = text.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1) throw new UsageException($"'{text}' is no label; write KEY=VALUE, or KEY= to remove it");
            labels[text[..equals]] = text[(equals + 1)..];
        }
        return labels;
    }

    private static string Describe(NodePatch patch)
    {
        var changes = new List<string>();
        void Add(string what, string? value)
        {
            if (value is not null) changes.Add(value.Length > 0 ? $"{what} {value}" : $"no {what}");
        }
        Add("name", patch.Name);
        Add("number", patch.Number?.ToString());
        Add("image", patch.Image);
        Add("disk rule", patch.Disk);
        Add("reserved address", patch.ReservedAddress);
        Add("power device", patch.PowerDevice);
        Add("power port", patch.PowerPort);
        foreach (var (key, value) in patch.Labels ?? new Dictionary<string, string>())
            Add(value.Length > 0 ? "label" : $"label {key}", value.Length > 0 ? $"{key}={value}" : "");
        return string.Join(", ", changes);
    }
}
