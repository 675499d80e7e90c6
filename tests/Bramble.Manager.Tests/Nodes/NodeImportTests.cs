using System.Net;
using Bramble.Contracts.Nodes;
using Bramble.Manager.Nodes;
using Bramble.Manager.Tests.Api;
using Bramble.Wire;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Bramble.Manager.Tests.Nodes;

/// <summary>Many nodes at once: all of them or none, and twice is the same as once.</summary>
public sealed class NodeImportTests(TestImages images) : IAsyncLifetime
{
    private ApiRig _api = null!;

    public async ValueTask InitializeAsync() => _api = await ApiRig.StartAsync(await images.StoreAsync());

    public ValueTask DisposeAsync() => _api.DisposeAsync();

    [Fact]
    public async Task Nodes_are_added_changed_and_left_and_a_second_time_all_are_the_same()
    {
        await _api.Rig.AddAsync(1);
        await _api.Rig.AddAsync(2, spec => spec with { ReservedAddress = IPv4Address.Parse("10.77.0.12") },
            status => status with { Phase = NodePhase.Adopted });
        await _api.Rig.AddAsync(3, spec => spec with { Adopted = false },
            status => status with { Phase = NodePhase.Discovered, Verdict = "waits" });
        const string nodes = """
            [{"line":1,"mac":"B8:27:EB:00:00:01","name":"head","address":"10.77.0.11","labels":{"stack":"0"}},
             {"line":2,"mac":"b8:27:eb:00:00:02","name":"node-02","address":"10.77.0.12"},
             {"line":3,"mac":"b8:27:eb:00:00:03"},
             {"line":4,"mac":"b8:27:eb:00:00:04"},
             {"line":5,"mac":"b8:27:eb:00:00:05","name":"node-04","number":5}]
            """;
        var first = await ImportAsync(nodes);
        Assert.Equal(
            [
                "1 changed 1 head 10.77.0.11 name node-01 → head, address none → 10.77.0.11, label stack=0",
                "2 same 2 node-02 10.77.0.12", "3 changed 3 node-03 adopted",
                // 4 is free; the name node-04 is not, since a later line asks for it.
                "4 added 4 node-05", "5 added 5 node-04",
            ], Told(first));
        await _api.Rig.RestartAsync();
        Assert.Equal(["head", "node-02", "node-03", "node-05", "node-04"],
            _api.Rig.Nodes.All.OrderBy(n => n.Number).Select(n => n.Name));
        Assert.All(_api.Rig.Nodes.All, node => Assert.True(node.Spec.Adopted));
        Assert.Equal(NodePhase.Adopted, _api.Rig.Node(3).Status.Phase);
    }

    [Fact]
    public async Task The_same_import_again_changes_nothing_and_says_so()
    {
        const string nodes = """
            [{"line":1,"mac":"b8:27:eb:00:00:01","name":"a","number":9,"address":"10.77.0.9","labels":{"x":"1"}},
             {"line":2,"mac":"b8:27:eb:00:00:02"}]
            """;
        await ImportAsync(nodes);
        var before = _api.Rig.Nodes.All.ToList();
        var again = await ImportAsync(nodes);
        Assert.True(again.Done);
        Assert.All(again.Outcomes, outcome => Assert.Equal(NodeImportVerdict.Same, outcome.Verdict));
        Assert.Equal(before, _api.Rig.Nodes.All);
        var events = await _api.Rig.Events.TailAsync(100, null);
        Assert.Equal("piman-hosts hosts.csv: 2 added, 0 changed", Assert.Single(events, e => e.Kind == "nodes.imported")
            .Message);
        Assert.Equal(2, events.Count(e => e.Kind == "node.added"));
    }

    [Theory]
    [InlineData("""{"line":2,"mac":"b8:27:eb"}""", "2 bad 'b8:27:eb' is not a board's MAC address")]
    [InlineData("""{"line":2,"mac":"01:00:5e:00:00:01"}""", "is not a board's MAC address")]
    [InlineData("""{"line":2,"mac":"b8:27:eb:00:00:02","address":"192.168.1.1"}""",
        "2 bad 192.168.1.1 192.168.1.1 lies in none of the networks 10.77.0.1/24")]
    [InlineData("""{"line":2,"mac":"b8:27:eb:00:00:02","address":"10.77.0.1"}""", "is the manager's")]
    [InlineData("""{"line":2,"mac":"b8:27:eb:00:00:02","name":"a_b"}""", "'a_b' is no host name")]
    [InlineData("""{"line":2,"mac":"b8:27:eb:00:00:02","number":0}""", "0 is out of range")]
    [InlineData("""{"line":2,"mac":"b8:27:eb:00:00:02","labels":{"a=b":"c"}}""", "cannot be the name of a label")]
    [InlineData("""{"line":2,"mac":"B8-27-EB-00-00-01"}""", "2 conflict b8:27:eb:00:00:01 is in line 1 already")]
    [InlineData("""{"line":2,"mac":"b8:27:eb:00:00:02","name":"a"}""", "the name 'a' belongs to line 1")]
    [InlineData("""{"line":2,"mac":"b8:27:eb:00:00:02","address":"10.77.0.11"}""",
        "the address 10.77.0.11 is reserved for line 1")]
    [InlineData("""{"line":2,"mac":"b8:27:eb:00:00:02","number":9}""",
        "the number 9 belongs to 'old' (b8:27:eb:00:00:09)")]
    public async Task One_line_that_cannot_be_keeps_all_from_being_done_unless_it_is_skipped(string entry, string says)
    {
        await _api.Rig.AddAsync(9);
        await _api.DoAsync("PATCH", "/api/v1/nodes/node-01", """{"name":"old","number":9}""");
        var nodes = """[{"line":1,"mac":"b8:27:eb:00:00:01","name":"a","address":"10.77.0.11"},""" + entry + "]";
        var refused = await ImportAsync(nodes);
        Assert.False(refused.Done);
        Assert.Contains(says, Told(refused)[1], StringComparison.Ordinal);
        Assert.Single(_api.Rig.Nodes.All);
        var dry = await ImportAsync(nodes, ""","dryRun":true,"skipBad":true""");
        Assert.False(dry.Done);
        Assert.Single(_api.Rig.Nodes.All);
        var done = await ImportAsync(nodes, ""","skipBad":true""");
        Assert.True(done.Done);
        Assert.Equal(["a", "old"], _api.Rig.Nodes.All.Select(n => n.Name).Order());
    }

    [Fact]
    public async Task A_store_that_does_not_take_it_leaves_everything_as_it_was()
    {
        await _api.Rig.AddAsync(1);
        var before = _api.Rig.Nodes.All.ToList();
        await using (var other = new SqliteConnection($"Data Source={_api.Rig.Database.File};Pooling=False"))
        {
            other.Open();
            other.Execute("BEGIN EXCLUSIVE");
            await _api.RefusedAsync(HttpStatusCode.ServiceUnavailable, "POST", "/api/v1/nodes/import",
                """
                {"nodes":[{"line":1,"mac":"b8:27:eb:00:00:01","name":"head","address":"10.77.0.11"},
                    {"line":2,"mac":"b8:27:eb:00:00:02"}]}
                """, _api.Operator);
            other.Execute("ROLLBACK");
        }
        Assert.Equal(before, _api.Rig.Nodes.All);
        Assert.Null(_api.Rig.Nodes.Find(Sample.Mac(2)));
        await Scratch.UntilAsync(() => _api.Rig.Database.Trouble is null, "the trouble is over");
        await _api.Rig.RestartAsync();
        Assert.Equal(before.Select(n => (n.Id, n.Name)), _api.Rig.Nodes.All.Select(n => (n.Id, n.Name)));
    }

    [Fact]
    public async Task A_viewer_imports_nothing_and_ten_thousand_lines_are_the_bound()
    {
        await _api.RefusedAsync(HttpStatusCode.Forbidden, "POST", "/api/v1/nodes/import", """{"nodes":[]}""",
            _api.Viewer);
        var many = string.Join(',', Enumerable.Range(1, NodeImport.Bound + 1)
            .Select(i => $$"""{"line":{{i}},"mac":"x"}"""));
        Assert.Contains("10000 are allowed", await _api.RefusedAsync(HttpStatusCode.BadRequest, "POST",
            "/api/v1/nodes/import", $$"""{"nodes":[{{many}}]}""", _api.Operator), StringComparison.Ordinal);
    }

    private async Task<NodeImportResult> ImportAsync(string nodes, string more = "")
    {
        var answer = await _api.DoAsync("POST", "/api/v1/nodes/import",
            $$"""{"source":"piman-hosts hosts.csv","nodes":{{nodes}}{{more}}}""");
        return System.Text.Json.JsonSerializer.Deserialize(
            answer.ToJsonString(), Contracts.Api.ContractsJson.Default.NodeImportResult)!;
    }

    private static string[] Told(NodeImportResult result) => [.. result.Outcomes.Select(o => string.Join(' ',
        new[] { $"{o.Line}", o.Verdict.ToString().ToLowerInvariant(), $"{o.Number}", o.Name, o.Address, o.Message }
            .Where(word => word is { Length: > 0 })))];
}
