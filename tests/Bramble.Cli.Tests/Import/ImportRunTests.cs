using System.Text.Json;
using Bramble.Contracts.Api;
using Bramble.Contracts.Nodes;
using Microsoft.AspNetCore.Http;

namespace Bramble.Cli.Tests.Import;

/// <summary>Dry run, question, deed: what a person sees of an import, and what the manager is asked to do.</summary>
public sealed class ImportRunTests
{
    private const string Path = "/api/v1/nodes/import";

    [Fact]
    public async Task A_dry_run_shows_what_each_line_becomes_and_does_nothing()
    {
        await using var manager = await StartAsync(NodeImportVerdict.Added, NodeImportVerdict.Same);
        var ran = await ImportAsync(manager, "b8:27:eb:00:00:01;10.77.0.5;pi1;0\nb8:27:eb:00:00:02;;;\n", "--dry-run");
        Assert.Equal(0, ran.Code);
        Assert.Contains("hosts.csv:1  added   1    pi1   b8:27:eb:00:00:01  10.77.0.5", ran.Out,
            StringComparison.Ordinal);
        Assert.Contains("hosts.csv:2  same", ran.Out, StringComparison.Ordinal);
        Assert.Contains("dry run: nothing was done", ran.Error, StringComparison.Ordinal);
        Assert.True(Assert.Single(Requests(manager)).DryRun);
    }

    [Fact]
    public async Task Without_a_terminal_it_needs_yes_and_asks_nothing_of_the_manager()
    {
        await using var manager = await StartAsync(NodeImportVerdict.Added);
        var ran = await ImportAsync(manager, "b8:27:eb:00:00:01;;;\n");
        Assert.Equal(2, ran.Code);
        Assert.Contains("say --yes to do it", ran.Error, StringComparison.Ordinal);
        Assert.Empty(manager.Asked);
    }

    [Fact]
    public async Task On_a_terminal_it_shows_the_lines_and_asks()
    {
        await using var manager = await StartAsync(NodeImportVerdict.Added);
        var file = Write(manager, "b8:27:eb:00:00:01;;;\n");
        string[] typed = ["import", "piman-hosts", file, "--no-color"];
        var no = await new CliRun(manager) { OnTerminal = true, Input = "n\n" }.RunAsync(typed);
        Assert.Equal(1, no.Code);
        Assert.Contains("import: 1 added. Go on? [y/N]", no.Error, StringComparison.Ordinal);
        Assert.Contains("hosts.csv:1  added", no.Error, StringComparison.Ordinal);
        Assert.All(Requests(manager), request => Assert.True(request.DryRun));
        var yes = await new CliRun(manager) { OnTerminal = true, Input = "y\n" }.RunAsync(typed);
        Assert.Equal(0, yes.Code);
        Assert.Contains("imported: 1 added", yes.Error, StringComparison.Ordinal);
        Assert.False(Requests(manager).Last().DryRun);
    }

    [Theory]
    [InlineData("b8:27:eb:00:00:01;;;\nno line at all\n", NodeImportVerdict.Added)]
    [InlineData("b8:27:eb:00:00:01;;;\n", NodeImportVerdict.Conflict)]
    [InlineData("b8:27:eb:00:00:01;;;\n", NodeImportVerdict.Bad)]
    public async Task One_line_that_cannot_be_taken_keeps_all_back(string text, NodeImportVerdict verdict)
    {
        await using var manager = await StartAsync(verdict);
        var ran = await ImportAsync(manager, text, "--yes");
        Assert.Equal(1, ran.Code);
        Assert.Contains("1 line cannot be taken over, so nothing was done", ran.Error, StringComparison.Ordinal);
        Assert.All(Requests(manager), request => Assert.True(request.DryRun));
    }

    [Fact]
    public async Task Bad_lines_are_left_out_if_wished()
    {
        await using var manager = await StartAsync(NodeImportVerdict.Added, NodeImportVerdict.Conflict);
        var ran = await ImportAsync(manager, "b8:27:eb:00:00:01;;;\nnonsense\nb8:27:eb:00:00:02;;;\n",
            "--yes", "--skip-bad");
        Assert.Equal(0, ran.Code);
        Assert.Contains("imported: 1 added, 1 conflict, 1 bad", ran.Error, StringComparison.Ordinal);
        Assert.Equal([(true, true), (false, true)], Requests(manager).Select(r => (r.DryRun, r.SkipBad)));
        Assert.Equal("piman-hosts hosts.csv", Requests(manager).Last().Source);
    }

    [Fact]
    public async Task What_is_there_already_is_said_and_asked_of_nobody()
    {
        await using var manager = await StartAsync(NodeImportVerdict.Same);
        var ran = await ImportAsync(manager, "b8:27:eb:00:00:01;;;\n", "--yes");
        Assert.Equal(0, ran.Code);
        Assert.Contains("nothing to do: 1 are there as the file has them", ran.Error, StringComparison.Ordinal);
        Assert.Single(Requests(manager));
    }

    [Fact]
    public async Task Programs_get_the_outcomes_as_the_api_states_them()
    {
        await using var manager = await StartAsync(NodeImportVerdict.Added);
        var ran = await ImportAsync(manager, "b8:27:eb:00:00:01;;;\nnonsense\n", "--dry-run", "-o", "json");
        var result = JsonSerializer.Deserialize(ran.Out, ContractsJson.Default.NodeImportResult)!;
        Assert.Equal([(1, NodeImportVerdict.Added), (2, NodeImportVerdict.Bad)],
            result.Outcomes.Select(o => (o.Line, o.Verdict)));
    }

    private static Task<Ran> ImportAsync(ScriptedManager manager, string text, params string[] more) =>
        CliRun.RunAsync(manager, ["import", "piman-hosts", Write(manager, text), .. more]);

    private static string Write(ScriptedManager manager, string text)
    {
        var path = System.IO.Path.Combine(manager.Folder, "hosts.csv");
        File.WriteAllText(path, text);
        return path;
    }

    private static NodeImportRequest[] Requests(ScriptedManager manager) => [.. manager.Asked.Select(asked =>
        JsonSerializer.Deserialize(asked.Body, ContractsJson.Default.NodeImportRequest)!)];

    /// <summary>A manager that judges the nodes of a request in turn as told.</summary>
    private static async Task<ScriptedManager> StartAsync(params NodeImportVerdict[] verdicts)
    {
        var manager = await ScriptedManager.StartAsync();
        return manager.On("POST", Path, (context, body) =>
        {
            var request = JsonSerializer.Deserialize(body, ContractsJson.Default.NodeImportRequest)!;
            var outcomes = request.Nodes.Select((node, at) => new NodeImportOutcome(
                node.Line, verdicts[at], node.Mac, at + 1, node.Name, node.Address, "")).ToList();
            context.Response.ContentType = "application/json";
            return context.Response.WriteAsync(JsonSerializer.Serialize(
                new NodeImportResult(request.DryRun, !request.DryRun, outcomes),
                ContractsJson.Default.NodeImportResult));
        });
    }
}
