using System.Net;
using System.Text.Json.Nodes;

namespace Bramble.Manager.Tests.Api;

/// <summary>Nodes, power and events as the API shows and changes them.</summary>
public sealed class ApiNodesTests(TestImages images) : IAsyncLifetime
{
    private ApiRig _api = null!;

    public async ValueTask InitializeAsync() => _api = await ApiRig.StartAsync(await images.StoreAsync());

    public ValueTask DisposeAsync() => _api.DisposeAsync();

    [Fact]
    public async Task A_node_is_made_shown_changed_and_listed()
    {
        var made = await _api.DoAsync("POST", "/api/v1/nodes",
            """{"mac":"b8-27-eb-00-00-01","name":"pi-01","address":"10.77.0.9"}""");
        Assert.Equal(("pi-01", "b8:27:eb:00:00:01", "adopted", "rack", "10.77.0.9"),
            ((string)made["name"]!, (string)made["mac"]!,
            (string)made["phase"]!, (string)made["network"]!, (string)made["spec"]!["reservedAddress"]!));
        await _api.RefusedAsync(HttpStatusCode.Conflict, "POST", "/api/v1/nodes", """{"mac":"b8:27:eb:00:00:01"}""");
        var changed = await _api.DoAsync("PATCH", "/api/v1/nodes/pi-01",
            """{"name":"head","number":7,"image":"debian","labels":{"role":"head"}}""");
        Assert.Equal(("head", 7, "debian"),
            ((string)changed["name"]!, (int)changed["number"]!, (string)changed["spec"]!["image"]!));
        Assert.Equal("head", (string)(await _api.GetAsync("/api/v1/nodes/7"))["name"]!);
        Assert.Single((await _api.GetAsync("/api/v1/nodes?select=role=head&select=7")).AsArray());
        Assert.Equal(HttpStatusCode.OK,
            (await _api.SendAsync("GET", "/api/v1/nodes/head/timeline", _api.Viewer)).StatusCode);
    }

    [Theory]
    [InlineData("""{"number":-3}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"name":"Pi 1"}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"name":""}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"labels":{"":"x"}}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"disk":"the big one"}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"reservedAddress":"10.77.0.1"}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"powerDevice":"sw9"}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"name":"node-02"}""", HttpStatusCode.Conflict)]
    [InlineData("""{"number":2}""", HttpStatusCode.Conflict)]
    public async Task A_change_that_makes_no_sense_is_refused_and_changes_nothing(string patch, HttpStatusCode status)
    {
        await _api.Rig.AddAsync(1);
        await _api.Rig.AddAsync(2);
        var before = _api.Rig.Node(1);
        await _api.RefusedAsync(status, "PATCH", "/api/v1/nodes/node-01", patch);
        Assert.Equal(before, _api.Rig.Node(1));
    }

    [Fact]
    public async Task A_selector_of_several_is_no_single_node()
    {
        await _api.Rig.AddAsync(1);
        await _api.Rig.AddAsync(2);
        Assert.Equal("'1-2' is 2 nodes; one is needed here",
            await _api.RefusedAsync(HttpStatusCode.BadRequest, "GET", "/api/v1/nodes/1-2"));
    }

    [Fact]
    public async Task Power_is_read_from_the_device_and_its_trouble_is_told()
    {
        await _api.PowerRig.AddAsync();
        await _api.Rig.AddAsync(2);
        var views = (await _api.GetAsync("/api/v1/power")).AsArray();
        Assert.Equal(["on sw1/1 on as scripted", "none / on no power port is known"], views.Select(v =>
            $"{v!["state"]} {v["device"]}/{v["port"]} {v["wanted"]} {v["detail"]}"));
        _api.PowerRig.Driver.Broken = "sw1 does not answer";
        var view = (await _api.GetAsync("/api/v1/power?select=1"))[0]!;
        Assert.Equal(("unknown", "sw1 does not answer"), ((string)view["state"]!, (string)view["detail"]!));
    }

    [Theory]
    [InlineData("off", "turned off at sw1/1", "1 off")]
    [InlineData("on", "turned on at sw1/1", "1 on")]
    public async Task A_wish_about_power_is_answered_when_the_port_is_as_wished(
        string verb, string message, string command)
    {
        await _api.PowerRig.AddAsync();
        var answer = _api.DoAsync("POST", $"/api/v1/power/{verb}", """{"select":["1"]}""");
        await TickUntilAsync(answer);
        Assert.Equal(message, (string)(await answer)["outcomes"]![0]!["message"]!);
        Assert.Equal([command], _api.PowerRig.Driver.Commands);
    }

    [Fact]
    public async Task A_cycle_is_answered_when_the_port_is_on_again()
    {
        await _api.PowerRig.AddAsync();
        var answer = _api.DoAsync("POST", "/api/v1/power/cycle", """{"all":true}""");
        await TickUntilAsync(answer);
        Assert.Equal("power-cycled at sw1/1", (string)(await answer)["outcomes"]![0]!["message"]!);
        Assert.Equal(["1 off", "1 on"], _api.PowerRig.Driver.Commands);
    }

    [Fact]
    public async Task A_port_that_cannot_be_switched_is_said_with_its_cause()
    {
        await _api.PowerRig.AddAsync();
        _api.PowerRig.Driver.Broken = "sw1 does not answer";
        var answer = _api.DoAsync("POST", "/api/v1/power/off", """{"all":true}""");
        await TickUntilAsync(answer);
        var outcome = (await answer)["outcomes"]![0]!;
        Assert.Equal((false, "sw1 does not answer (tried again until it works)"),
            ((bool)outcome["accepted"]!, (string)outcome["message"]!));
    }

    [Fact]
    public async Task A_node_without_a_port_and_a_dry_run_touch_nothing()
    {
        await _api.PowerRig.AddAsync();
        await _api.Rig.AddAsync(2);
        var outcomes = (await _api.DoAsync(
            "POST", "/api/v1/power/off", """{"all":true,"dryRun":true}"""))["outcomes"]!.AsArray();
        Assert.Equal((true, "would be turned off at sw1/1"),
            ((bool)outcomes[0]!["accepted"]!, (string)outcomes[0]!["message"]!));
        Assert.False((bool)outcomes[1]!["accepted"]!);
        await _api.PowerRig.TickAsync();
        Assert.Empty(_api.PowerRig.Driver.Commands);
    }

    [Fact]
    public async Task Events_are_read_in_pages_and_followed_live_from_where_one_was()
    {
        await _api.Rig.AddAsync(1);
        await _api.Rig.AddAsync(2);
        var all = (await _api.GetAsync("/api/v1/events")).AsArray();
        var last = (long)all[^1]!["id"]!;
        Assert.Single((await _api.GetAsync("/api/v1/events?limit=1")).AsArray());
        using var response = await _api.SendAsync("GET", "/api/v1/events/stream", _api.Viewer, null, "text/plain",
            ("Last-Event-ID", $"{last - 1}"));
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(Scratch.Cancellation));
        Assert.Equal((last, "node.added", "node-02"), await NextAsync(reader));
        _api.Rig.Events.Add("test.kind", null, null, "me", "live\nand well");
        Assert.Equal((last + 1, "test.kind", null), await NextAsync(reader));
    }

    [Theory]
    [InlineData("99999")]
    [InlineData("-5")]
    [InlineData("x")]
    public async Task A_stream_from_an_id_that_never_was_goes_on_with_what_comes(string id)
    {
        var last = _api.Rig.Events.LastId;
        using var response = await _api.SendAsync("GET", "/api/v1/events/stream", _api.Viewer, null, "text/plain",
            ("Last-Event-ID", id));
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(Scratch.Cancellation));
        Assert.Equal("retry: 2000", await reader.ReadLineAsync(Scratch.Cancellation));
        _api.Rig.Events.Add("test.kind", null, null, "me", "");
        var (got, _, _) = await NextAsync(reader);
        while (got <= last) (got, _, _) = await NextAsync(reader);
        Assert.Equal(last + 1, got);
    }

    private static async Task<(long Id, string Kind, string? Node)> NextAsync(StreamReader reader)
    {
        long id = 0;
        while (await reader.ReadLineAsync(Scratch.Cancellation) is { } line)
        {
            if (line.StartsWith("id: ", StringComparison.Ordinal)) id = long.Parse(line[4..]);
            if (!line.StartsWith("data: ", StringComparison.Ordinal)) continue;
            var data = JsonNode.Parse(line[6..])!;
            Assert.Equal(id, (long)data["id"]!);
            return (id, (string)data["kind"]!, (string?)data["nodeName"]);
        }
        throw new EndOfStreamException();
    }

    private Task TickUntilAsync(Task<JsonNode> answer) => Scratch.UntilAsync(() =>
    {
        _api.PowerRig.Ports.Tick(Scratch.Cancellation);
        _api.Rig.Clock.Advance(TimeSpan.FromMilliseconds(100));
        return answer.IsCompleted;
    }, "it was answered");
}
