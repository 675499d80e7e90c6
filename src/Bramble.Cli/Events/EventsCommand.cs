using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Bramble.Cli.Api;
using Bramble.Cli.Completion;
using Bramble.Cli.Output;
using Bramble.Contracts.Api;

namespace Bramble.Cli.Events;

/// <summary>The event log, as it was or as it is written.</summary>
internal static class EventsCommand
{
    public static Command Create(CommandSet set)
    {
        var watch = new Option<bool>("--watch", "-w") { Description = "Go on showing new events until interrupted" };
        var node = new Option<string?>("--node") { Description = "Only events of this node" };
        LiveNames.OfNodes(set, node);
        var after = new Option<long?>("--after") { Description = "Only events after this id", HelpName = "ID" };
        var limit = new Option<int?>("--limit") { Description = "At most this many", HelpName = "N" };
        var command = new HelpfulCommand("events", "Show what happened, to which node, and why",
            "With --watch, new events as they happen; after a break of the connection or a restart of the manager it\n"
            + "resumes where it was, so that no event is lost. -o json then prints one event a line.",
            "bramble events --watch --node shelf-3\n"
            + "bramble events --after 1200 -o json")
        {
            watch, node, after, limit,
        };
        return set.Handle(command, async (session, cancellation) =>
        {
            var which = ("node", session.Value(node));
            if (session.Value(watch)) return await WatchAsync(session, which, session.Value(after), cancellation);
            var path = ApiPath.With(ApiRoutes.Events,
                which, ("after", Text(session.Value(after))), ("limit", Text(session.Value(limit))));
            var answer = await session.Api.GetAsync(path, ContractsJson.Default.IReadOnlyListEventView, cancellation);
            session.Printer.Show(answer.Raw, () =>
            {
                var sheet = new Sheet("ID", "TIME", "KIND", "NODE", "ACTOR", "MESSAGE");
                foreach (var e in answer.Value)
                    sheet.Add(e.Id, Human.Time(e.At), e.Kind, e.NodeName, e.Actor, e.Message);
                return sheet;
            });
            return ExitCode.Ok;
        });
    }

    private static async Task<int> WatchAsync(
        Session session, (string, string?) node, long? after, CancellationToken cancellation)
    {
        var feed = new EventFeed(session, ApiPath.With(ApiRoutes.EventStream, node), Text(after));
        await foreach (var raw in feed.ReadAsync(cancellation))
            session.Printer.ShowNext(raw, () => Line(raw));
        return ExitCode.Ok;
    }

    private static Spectre.Console.Text Line(JsonElement raw)
    {
        var e = raw.Deserialize(ContractsJson.Default.EventView)!;
        var node = e.NodeName is { Length: > 0 } name ? $" {name}:" : "";
        return new Spectre.Console.Text(
            Human.Clean($"{Human.Time(e.At)}  {e.Kind,-16} {node} {e.Message} ({e.Actor})"));
    }

    private static string? Text<T>(T? number)
        where T : struct, IFormattable => number?.ToString(null, CultureInfo.InvariantCulture);
}
