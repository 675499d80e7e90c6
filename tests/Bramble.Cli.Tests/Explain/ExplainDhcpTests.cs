using System.Text.Json.Nodes;
using Bramble.Testing.Dhcp;
using Bramble.Wire;
using Bramble.Wire.Pcap;

namespace Bramble.Cli.Tests.Explain;

public sealed class ExplainDhcpTests
{
    private const string Answer = """
        [{"network":"rack","question":"DISCOVER","mac":"dc:a6:32:2e:f8:ed","board":"Raspberry Pi 4",
          "outcome":"answered","detail":"offered 10.77.0.100 for 3600 s",
          "notes":["network rack: heard on its interface","node shelf-3"],
          "answer":{"message":"OFFER","to":"255.255.255.255:68","yourAddress":"10.77.0.100","nextServer":"10.77.0.1",
            "delayMilliseconds":0,"packet":"0201","options":[
              {"number":53,"name":"message-type","value":"2","hex":"02","rule":"RFC 2131: always","sent":true},
              {"number":26,"name":"mtu","value":"9000","hex":"2328","rule":"class jumbo","sent":false}]}},
         {"network":"rack","question":"REQUEST","mac":"02:00:00:00:00:02","outcome":"ignored","reason":"NotAdmitted",
          "detail":"not a board of ours","notes":[]}]
        """;

    private static async Task<ScriptedManager> StartAsync()
    {
        var manager = await ScriptedManager.StartAsync();
        manager.On("POST", "/api/v1/dhcp/explain", Answer);
        return manager;
    }

    [Fact]
    public async Task Each_option_stands_with_the_rule_that_put_it_there()
    {
        await using var manager = await StartAsync();
        var ran = await CliRun.RunAsync(manager, "explain", "dhcp", "--mac", "dc:a6:32:2e:f8:ed", "--arch", "0",
            "--network", "rack", "--user-class", "iPXE");
        Assert.Equal("""
            DISCOVER of dc:a6:32:2e:f8:ed on network rack
              network rack: heard on its interface
              node shelf-3
            → OFFER to 255.255.255.255:68: offered 10.77.0.100 for 3600 s

            OPTION  NAME          RULE                                    VALUE
                    yiaddr                                                10.77.0.100
                    siaddr                                                10.77.0.1
            53      message-type  RFC 2131: always                        2
            26      mtu           class jumbo; left out, it does not fit  9000

            REQUEST of 02:00:00:00:00:02 on network rack
            → no answer (NotAdmitted): not a board of ours

            """, ran.Out);
        var body = JsonNode.Parse(Assert.Single(manager.Asked).Body)!;
        Assert.Equal("dc:a6:32:2e:f8:ed", (string)body["mac"]!);
        Assert.Equal((0, "rack", "iPXE"),
            ((int)body["architecture"]!, (string)body["network"]!, (string)body["userClass"]!));
        Assert.Null(body["packets"]);
    }

    [Fact]
    public async Task For_machines_it_is_the_managers_record_whole()
    {
        await using var manager = await StartAsync();
        var ran = await CliRun.RunAsync(manager, "explain", "dhcp", "--packet", "0101", "-o", "json");
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(Answer), JsonNode.Parse(ran.Out)));
        Assert.Contains("rule: class jumbo",
            (await CliRun.RunAsync(manager, "explain", "dhcp", "--packet", "0101", "-o", "yaml")).Out);
    }

    [Fact]
    public async Task Of_a_capture_the_questions_of_clients_are_asked_and_nothing_else()
    {
        await using var manager = await StartAsync();
        var file = Path.Combine(manager.Folder, "boot.pcap");
        await File.WriteAllBytesAsync(file, Capture(
            Frame(GoldenDhcp.Pi4Discover, 67), Frame(GoldenDhcp.Pi4Discover, 68), Frame([1, 2, 3], 67),
            Frame(GoldenDhcp.Pi4Request, 4011)), TestContext.Current.CancellationToken);
        var ran = await CliRun.RunAsync(manager, "explain", "dhcp", "--pcap", file);
        Assert.Equal(ExitCode.Ok, ran.Code);
        var packets = JsonNode.Parse(Assert.Single(manager.Asked).Body)!["packets"]!.AsArray();
        byte[][] questions = [GoldenDhcp.Pi4Discover, GoldenDhcp.Pi4Request];
        Assert.Equal(questions.Select(Convert.ToHexStringLower), packets.Select(p => (string)p!));
    }

    [Fact]
    public async Task A_file_that_is_no_capture_or_holds_no_question_is_a_fault_of_the_command_line()
    {
        await using var manager = await StartAsync();
        var file = Path.Combine(manager.Folder, "x");
        await File.WriteAllTextAsync(file, "hello, this is no capture file", TestContext.Current.CancellationToken);
        await ComplainsAsync("no capture file", "--pcap", file);
        await File.WriteAllBytesAsync(file, Capture(), TestContext.Current.CancellationToken);
        await ComplainsAsync("holds no question", "--pcap", file);
        var cut = Capture(Frame(GoldenDhcp.Pi4Discover, 67));
        await File.WriteAllBytesAsync(file, cut[..^5], TestContext.Current.CancellationToken);
        await ComplainsAsync("ends within a frame", "--pcap", file);
        await ComplainsAsync("Could not find", "--pcap", file + "-not-there");
        await ComplainsAsync("one of --mac, --packet, --pcap");
        await ComplainsAsync("one of --mac, --packet, --pcap", "--mac", "x", "--packet", "00");
        await ComplainsAsync("go with --mac", "--packet", "00", "--arch", "7");
        Assert.Empty(manager.Asked);

        async Task ComplainsAsync(string complaint, params string[] arguments)
        {
            var ran = await CliRun.RunAsync(manager, ["explain", "dhcp", .. arguments]);
            Assert.Equal(ExitCode.Usage, ran.Code);
            Assert.Contains(complaint, ran.Error);
        }
    }

    private static byte[] Frame(byte[] payload, ushort port)
    {
        var frame = new byte[UdpFrame.HeaderSize + payload.Length];
        new UdpFrame(new MacAddress(2), MacAddress.Broadcast, IPv4Address.Any, 68, IPv4Address.Broadcast, port)
            .Write(frame, payload);
        return frame;
    }

    private static byte[] Capture(params byte[][] frames)
    {
        var header = PcapHeader.Ethernet;
        var file = new byte[PcapHeader.Size + frames.Sum(f => PcapWriter.SizeOf(header, f.Length))];
        var at = header.Write(file);
        foreach (var frame in frames) at += PcapWriter.WriteFrame(file.AsSpan(at), header, CliRun.Now, frame);
        return file;
    }
}
