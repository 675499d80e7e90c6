using System.CommandLine;
using System.Globalization;
using Bramble.Cli.Api;
using Bramble.Cli.Output;
using Bramble.Contracts.Api;
using Bramble.Contracts.Nodes;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Bramble.Cli.Nodes;

/// <summary>A node's boots, step by step, each with its verdict last.</summary>
internal static class TimelineCommand
{
    public static Command Create(CommandSet set)
    {
        var node = NodeArguments.One(set);
        var boots = new Option<int>("--boots")
        {
            Description = "How many boots, newest first",
            HelpName = "N",
            DefaultValueFactory = _ => 1,
        };
        var watch = new Option<bool>("--watch", "-w") { Description = "Go on showing it until interrupted" };
        var command = new HelpfulCommand("timeline", "Show how a node booted, step by step, and where it stopped",
            "Each line is a packet, a file or a step of the installer, at its time since the boot's first packet. The\n"
            + "last line is the verdict. Marks: ✓ done, ? probed for and not needed, · ignored, ✗ failed.",
            "bramble timeline shelf-3\n"
            + "bramble timeline 3 --boots 2")
        {
            node, boots, watch,
        };
        return set.Handle(command, async (session, cancellation) =>
        {
            if (session.Value(boots) < 1) throw new UsageException("--boots must be at least 1");
            var path = ApiPath.With(ApiPath.Of(ApiRoutes.Timeline, session.Value(node)!),
                ("boots", session.Value(boots).ToString(CultureInfo.InvariantCulture)));
            Task<Answer<TimelineView>> Fetch(CancellationToken token) =>
                session.Api.GetAsync(path, ContractsJson.Default.TimelineView, token);
            if (session.Value(watch)) return await Watch.RunAsync(session, Fetch, Shape, Key, cancellation);
            var answer = await Fetch(cancellation);
            session.Printer.Show(answer.Raw, () => Shape(answer.Value));
            return ExitCode.Ok;
        });
    }

    private static Rows Shape(TimelineView timeline)
    {
        if (timeline.Boots.Count == 0)
            return new Rows(new Text($"{Human.Clean(timeline.Name)} has not been seen booting"));
        var parts = new List<IRenderable>();
        foreach (var boot in timeline.Boots)
        {
            if (parts.Count > 0) parts.Add(Text.Empty);
            parts.Add(new Text(
                $"{Human.Clean(timeline.Name)}: boot of {Human.Time(boot.StartedAt)}, {boot.Outcome} after "
                + $"{Offset(boot.LastAt - boot.StartedAt)} s", Styles.Head));
            if (boot.Steps.Count > 0) parts.Add(Steps(boot).Shape);
            var verdict = boot.Verdict.Length > 0 ? Human.Clean(boot.Verdict) : "it goes on";
            parts.Add(new Text($"→ {verdict}", boot.Outcome switch
            {
                "running" => Styles.Good,
                "stopped" => Styles.Bad,
                _ => Styles.Busy,
            }));
        }
        return new Rows(parts);
    }

    private static Sheet Steps(BootView boot)
    {
        var sheet = new Sheet("TIME", "STAGE", "", "WHAT", "COUNT", "DETAIL");
        foreach (var step in boot.Steps)
        {
            var (mark, look) = step.Outcome switch
            {
                "ok" => ("✓", Styles.Good),
                "probe" => ("?", Styles.Faint),
                "ignored" => ("·", Styles.Odd),
                "failed" => ("✗", Styles.Bad),
                var other => (other, Style.Plain),
            };
            sheet.Add($"+{Offset(step.At - boot.StartedAt)} s", step.Stage, new Cell(mark, look), step.What,
                step.Count > 1 ? $"{step.Count}×" : "", new Cell(step.Detail, step.Outcome == "failed" ? look : null));
        }
        return sheet;
    }

    private static string Offset(TimeSpan span) => span.TotalSeconds.ToString("0.000", CultureInfo.InvariantCulture);

    private static string Key(TimelineView timeline) => string.Join('\n', timeline.Boots.SelectMany(boot =>
        boot.Steps.Select(s => $"{s.At:O} {s.Stage} {s.What} {s.Outcome} {s.Detail} {s.Count}")
            .Append($"{boot.Id} {boot.Outcome} {boot.Verdict}")));
}
