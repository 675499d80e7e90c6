using Bramble.Cli.Api;
using Bramble.Cli.Output;
using Bramble.Contracts.Nodes;

namespace Bramble.Cli.Nodes;

/// <summary>
/// Something done to selected nodes: dry run, question, deed, table of outcomes, and the wait for its end. All verbs on
/// nodes and on their power take this one path.
/// </summary>
internal sealed class NodeDeed
{
    /// <summary>As typed: <c>reinstall</c>, <c>power off</c>.</summary>
    public required string Verb { get; init; }

    /// <summary>Asks on a terminal, and needs --yes elsewhere.</summary>
    public bool Asks { get; init; }

    public required Func<Selection, bool, CancellationToken, Task<Answer<NodeActionResult>>> Send { get; init; }

    /// <summary>What --wait waits for; null if it was not asked for.</summary>
    public NodeGoalTest? WaitFor { get; init; }

    public async Task<int> RunAsync(Session session, Selection selection, CancellationToken cancellation)
    {
        if (Asks) Confirmation.Require(session, Verb);
        if (session.DryRun)
        {
            var plan = await Send(selection, true, cancellation);
            if (!plan.Value.DryRun)
                throw new CliException(ExitCode.Failed, "the manager did not take this for a dry run");
            return Show(session, plan);
        }
        if (Asks && !session.Yes)
        {
            var plan = await Send(selection, true, cancellation);
            if (!plan.Value.Outcomes.Any(o => o.Accepted)) return Show(session, plan);
            var count = plan.Value.Outcomes.Count(o => o.Accepted);
            if (!await Confirmation.AskAsync(session, $"{Verb}: {Human.Plural(count, "node")}. Go on?",
                plan.Value.Outcomes.Select(Describe), cancellation))
                return ExitCode.Failed;
            // What was agreed to is done, even if meanwhile the selectors would match other nodes.
            selection = new Selection([.. plan.Value.Outcomes.Select(o => o.Name)], All: false);
        }
        var wait = WaitFor is null ? null : await NodeWait.BeginAsync(session, selection, WaitFor, cancellation);
        var result = await Send(selection, false, cancellation);
        var code = Show(session, result);
        if (wait is null) return code;
        var ended = await wait.FollowAsync([.. result.Value.Outcomes.Where(o => o.Accepted)], cancellation);
        return code == ExitCode.Ok ? ended : code;
    }

    private static string Describe(NodeActionOutcome outcome) =>
        $"{outcome.Number,3}  {outcome.Name}  {(outcome.Accepted ? "" : "refused: ")}{outcome.Message}".TrimEnd();

    private static int Show(Session session, Answer<NodeActionResult> result)
    {
        var outcomes = result.Value.Outcomes;
        session.Printer.Show(result.Raw, () =>
        {
            var sheet = new Sheet("NUM", "NAME", "RESULT", "MESSAGE");
            foreach (var outcome in outcomes)
            {
                sheet.Add(outcome.Number, outcome.Name,
                    outcome switch
                    {
                        { Accepted: false } => new Cell("refused", Styles.Bad),
                        _ when result.Value.DryRun => new Cell("would", Styles.Odd),
                        _ => new Cell("ok", Styles.Good),
                    },
                    outcome.Message);
            }
            return sheet;
        });
        if (outcomes.Count == 0)
        {
            session.Say("no node matches");
            return ExitCode.NotFound;
        }
        if (result.Value.DryRun) session.Say("dry run: nothing was done");
        return outcomes.All(o => o.Accepted) ? ExitCode.Ok : ExitCode.Failed;
    }
}
