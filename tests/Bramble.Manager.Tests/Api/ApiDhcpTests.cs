using System.Net;
using System.Text.Json.Nodes;
using Bramble.Boot.Dhcp;
using Bramble.Contracts.Nodes;
using Bramble.Manager.Configuration;
using Bramble.Wire.Dhcp;

namespace Bramble.Manager.Tests.Api;

/// <summary>What DHCP would answer, over the API.</summary>
public sealed class ApiDhcpTests : IAsyncLifetime
{
    private ApiRig _api = null!;

    public async ValueTask InitializeAsync()
    {
        var network = Sample.Network with
        {
            Options = new DhcpOptionSet("network rack",
                [new DhcpOptionRule(DhcpOption.InterfaceMtu, new byte[] { 0x23, 0x28 })]),
        };
        _api = await ApiRig.StartAsync(options: Sample.Options(network: network) with
        {
            Nodes = [new NodeOptions
            {
                Mac = Sample.Mac(1),
                Options = new DhcpOptionSet("node shelf-3",
                    [new DhcpOptionRule(DhcpOption.DomainName, "own.example"u8.ToArray())]),
            }],
        });
    }

    public ValueTask DisposeAsync() => _api.DisposeAsync();

    private async Task<JsonNode> ExplainAsync(string json)
    {
        var answer = await _api.SendAsync("POST", "/api/v1/dhcp/explain", _api.Viewer, json);
        var text = await answer.Content.ReadAsStringAsync(Scratch.Cancellation);
        Assert.True(answer.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }

    private static string Rule(JsonNode answer, int number) => (string)answer["options"]!.AsArray()
        .Single(o => (int)o!["number"]! == number)!["rule"]!;

    [Fact]
    public async Task A_nodes_DISCOVER_is_explained_option_by_option()
    {
        await _api.Rig.AddAsync(1, status: s => s with { Phase = NodePhase.Running, Network = "rack", Family = "Pi4" });
        var one = (await ExplainAsync($$"""{"mac":"{{Sample.Mac(1)}}"}"""))[0]!;
        Assert.Equal("answered", (string)one["outcome"]!);
        Assert.Equal("Raspberry Pi 4, serial eb000001", (string)one["board"]!);
        var answer = one["answer"]!;
        Assert.Equal("OFFER", (string)answer["message"]!);
        Assert.Equal("10.77.0.100", (string)answer["yourAddress"]!);
        Assert.Equal("Pi boot", Rule(answer, 43));
        Assert.Equal("RFC 2131: always", Rule(answer, 53));
        Assert.Contains(one["notes"]!.AsArray(), n => (string)n! == "node node-01");
        Assert.True(DhcpPacket.TryRead(Convert.FromHexString((string)answer["packet"]!), out _, out _));
        Assert.Equal(0, _api.Leases.Known);
    }

    [Fact]
    public async Task An_installed_systems_options_name_network_and_node()
    {
        await _api.Rig.AddAsync(1);
        var packet = new DhcpPacket { Mac = Sample.Mac(1) };
        packet.Options.Set(DhcpOption.MessageType, (byte)1).Set(DhcpOption.ParameterRequestList, [12, 15, 26]);
        var one = (await ExplainAsync(
            $$"""{"packets":["{{Convert.ToHexString(packet.ToArray())}}"],"network":"rack"}"""))[0]!;
        var answer = one["answer"]!;
        Assert.Equal("node shelf-3", Rule(answer, 15));
        Assert.Equal("network rack", Rule(answer, 26));
        Assert.Equal("node node-01: name", Rule(answer, 12));
        Assert.Equal("9000", (string)answer["options"]!.AsArray().Single(o => (int)o!["number"]! == 26)!["value"]!);
    }

    [Fact]
    public async Task A_stranger_is_explained_and_not_taken_down()
    {
        var one = (await ExplainAsync("""{"mac":"dc:a6:32:00:00:09"}"""))[0]!;
        Assert.Equal(("ignored", "AwaitsAdoption"), ((string)one["outcome"]!, (string)one["reason"]!));
        Assert.Equal(0, _api.Rig.Nodes.Count);
    }

    [Theory]
    [InlineData("{}", 400, "give either")]
    [InlineData("""{"mac":"b8:27:eb:00:00:01","packets":["00"]}""", 400, "give either")]
    [InlineData("""{"mac":"nonsense"}""", 400, "is not a MAC address")]
    [InlineData("""{"mac":"b8:27:eb:00:00:01","architecture":65536}""", 400, "0 to 65535")]
    [InlineData("""{"mac":"b8:27:eb:00:00:01","network":"cellar"}""", 404, "there are rack")]
    [InlineData("""{"packets":["zz"]}""", 400, "hexadecimal")]
    public async Task A_question_that_cannot_be_understood_is_refused(string json, int status, string complaint)
    {
        var answer = await _api.SendAsync("POST", "/api/v1/dhcp/explain", _api.Viewer, json);
        Assert.Equal((HttpStatusCode)status, answer.StatusCode);
        Assert.Contains(complaint, await answer.Content.ReadAsStringAsync(Scratch.Cancellation));
    }

    [Fact]
    public async Task Counts_are_there_for_each_network_and_in_the_status()
    {
        var counts = await _api.GetAsync("/api/v1/dhcp");
        Assert.Equal("rack", (string)counts[0]!["network"]!);
        var manager = await _api.GetAsync("/api/v1/manager");
        Assert.Equal(0, (long)manager["counters"]!["dhcp.rack.received"]!);
    }
}
