using System.Text.Json;
using Bramble.Cli.Output;
using Bramble.Contracts.Api;
using Bramble.Contracts.Nodes;

namespace Bramble.Cli.Import;

/// <summary>
/// One import, from what was read to what was done: the manager judges first, then a person, then all is done at once.
/// </summary>
internal sealed class ImportRun(Session session, ImportReading reading, string source, bool skipBad)
{
    public async Task<int> RunAsync(CancellationToken cancellation)
    {
        Confirmation.Require(session, $"import {source}");
        var plan = await SendAsync(dryRun: true, cancellation);
        var refused = plan.Outcomes.Count(IsRefused);
        var useful = plan.Outcomes.Count(IsDeed);
        var isStopped = refused > 0 && !skipBad;
        if (session.DryRun || isStopped || useful == 0)
        {
            Show(plan);
            SayLeftOut();
            session.Say(isStopped ? $"{Human.Plural(refused, "line")} cannot be taken over, so nothing was done; mend "
                    + "them, or leave them out with --skip-bad"
                : useful == 0 ? $"nothing to do: {Count(plan, NodeImportVerdict.Same)} are there as the file has them"
                : "dry run: nothing was done");
            return isStopped ? ExitCode.Failed : ExitCode.Ok;
        }
        if (!session.Yes)
        {
            session.Terminal.Error.Write(session.Printer.Render(Table(plan).Shape));
            SayLeftOut();
            if (!await Confirmation.AskAsync(session, $"import: {Summary(plan)}. Go on?", [], cancellation))
                return ExitCode.Failed;
        }
        var result = await SendAsync(dryRun: false, cancellation);
        Show(result);
        if (session.Yes) SayLeftOut();
        // Another hand may have been at the nodes since the question.
        session.Say(result.Done ? $"imported: {Summary(result)}"
            : "nothing was done: the nodes have changed meanwhile");
        return result.Done ? ExitCode.Ok : ExitCode.Failed;
    }

    private static bool IsRefused(NodeImportOutcome outcome) =>
        outcome.Verdict is NodeImportVerdict.Bad or NodeImportVerdict.Conflict;

    private static bool IsDeed(NodeImportOutcome outcome) =>
        outcome.Verdict is NodeImportVerdict.Added or NodeImportVerdict.Changed;

    /// <summary>The manager's word on the nodes, ours on all other lines, in the order of the file.</summary>
    private async Task<NodeImportResult> SendAsync(bool dryRun, CancellationToken cancellation)
    {
        var request = new NodeImportRequest
        {
            Source = $"{source} {reading.File}",
            // What is bad here keeps the rest from being done, as what is bad there does.
            DryRun = dryRun || (!skipBad && reading.Others.Any(IsRefused)),
            SkipBad = skipBad,
            Nodes = reading.Nodes,
        };
        var answer = await session.Api.PostAsync(ApiRoutes.NodeImport, request,
            ContractsJson.Default.NodeImportRequest, ContractsJson.Default.NodeImportResult, cancellation);
        return answer.Value with
        {
            Outcomes = [.. answer.Value.Outcomes.Concat(reading.Others).Select(WithNotes).OrderBy(o => o.Line)],
        };
    }

    private NodeImportOutcome WithNotes(NodeImportOutcome outcome)
    {
        var notes = reading.NotesOf(outcome.Line);
        if (notes.Length == 0) return outcome;
        return outcome with { Message = outcome.Message.Length > 0 ? $"{outcome.Message}; {notes}" : notes };
    }

    private void Show(NodeImportResult result)
    {
        var raw = JsonSerializer.SerializeToElement(result, ContractsJson.Default.NodeImportResult);
        session.Printer.Show(raw, () => Table(result));
    }

    private Sheet Table(NodeImportResult result)
    {
        var sheet = new Sheet("LINE", "RESULT", "NUM", "NAME", "MAC", "ADDRESS", "MESSAGE");
        foreach (var outcome in result.Outcomes)
        {
            sheet.Add($"{reading.File}:{outcome.Line}", Verdict(outcome.Verdict), outcome.Number?.ToString() ?? "",
                outcome.Name, outcome.Mac, outcome.Address, outcome.Message);
        }
        return sheet;
    }

    private static Cell Verdict(NodeImportVerdict verdict) => verdict switch
    {
        NodeImportVerdict.Added => new Cell("added", Styles.Good),
        NodeImportVerdict.Changed => new Cell("changed", Styles.Odd),
        NodeImportVerdict.Same => new Cell("same", Styles.Faint),
        NodeImportVerdict.Conflict => new Cell("conflict", Styles.Bad),
        NodeImportVerdict.Bad => new Cell("bad", Styles.Bad),
        _ => new Cell("skipped", Styles.Faint),
    };

    private void SayLeftOut()
    {
        if (reading.LeftOuts.Count == 0) return;
        session.Say($"{Human.Plural(reading.LeftOuts.Count, "other setting")} not taken over:");
        foreach (var (file, line, setting, advice) in reading.LeftOuts)
            session.Say($"  {file}:{line}: {setting}: {advice}");
    }

    private static int Count(NodeImportResult result, NodeImportVerdict verdict) =>
        result.Outcomes.Count(outcome => outcome.Verdict == verdict);

    private static string Summary(NodeImportResult result) => string.Join(", ",
        Enum.GetValues<NodeImportVerdict>().Select(verdict => (Word: Verdict(verdict).Text, Of: Count(result, verdict)))
            .Where(count => count.Of > 0).Select(count => $"{count.Of} {count.Word}"));
}
