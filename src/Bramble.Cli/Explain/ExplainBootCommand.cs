using System.CommandLine;
using Bramble.Cli.Api;
using Bramble.Cli.Completion;
using Bramble.Cli.Output;
using Bramble.Contracts.Api;
using Bramble.Contracts.Nodes;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Bramble.Cli.Explain;

/// <summary>Each file that a node would be given if it booted now, and where it comes from.</summary>
internal static class ExplainBootCommand
{
    public static Command Create(CommandSet set)
    {
        var node = new Argument<string>("node") { Description = "One node" };
        LiveNames.OfNodes(set, node);
        var show = new Option<string?>("--show")
        {
            Description = "Print this file as the node would get it, without its token",
            HelpName = "FILE",
        };
        var command = new HelpfulCommand("boot", "Explain which files a node would boot from",
            "Opens each file that decides this node's boot the way the TFTP and HTTP servers would, in the order in\n"
            + "which its firmware asks, and says where it comes from or why it is not given. Nothing is recorded.\n"
            + "Exit code 1 if a file is missing without which the boot stops.",
            "bramble explain boot shelf-3\n"
            + "bramble explain boot shelf-3 --show cmdline.txt")
        {
            node, show,
        };
        return set.Handle(command, async (session, cancellation) =>
        {
            var file = session.Value(show);
            var path = ApiPath.With(ApiPath.Of(ApiRoutes.BootExplain, session.Value(node)!), ("show", file));
            var answer = await session.Api.GetAsync(path, ContractsJson.Default.BootExplanationView, cancellation);
            var explained = answer.Value;
            if (file is not null)
            {
                if (explained.Text is not { } text)
                    throw new CliException(ExitCode.NotFound, $"{explained.Node} is given no text at '{file}'");
                foreach (var line in text.TrimEnd('\n').Split('\n')) session.Printer.Line(Human.Clean(line));
                return ExitCode.Ok;
            }
            session.Printer.Show(answer.Raw, () => Shape(explained));
            return explained.Files.Any(f => f is { Needed: true, Bytes: null }) ? ExitCode.Failed : ExitCode.Ok;
        });
    }

    private static Rows Shape(BootExplanationView explained)
    {
        var parts = new List<IRenderable>
        {
            new Text(Human.Clean($"{explained.Node}: {explained.Machine}"), Styles.Head),
            new Text(Human.Clean(explained.Image is { } image ? $"image {image}" : "no image")),
        };
        if (explained.Files.Count > 0)
        {
            var sheet = new Sheet("", "FILE", "BY", "BYTES", "FROM");
            foreach (var file in explained.Files)
            {
                sheet.Add(file.Bytes is not null ? "✓" : file.Needed ? "✗" : "?", file.Path, file.Door,
                    file.Bytes?.ToString("N0", System.Globalization.CultureInfo.InvariantCulture) ?? "", file.Source);
            }
            parts.AddRange([Text.Empty, sheet.Shape, Text.Empty]);
        }
        parts.Add(new Text(Human.Clean($"→ {explained.Then}")));
        return new Rows(parts);
    }
}
