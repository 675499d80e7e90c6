using Bramble.Manager.Gateway;
using Bramble.Testing;
using Bramble.Wire;

namespace Bramble.Manager.Tests.Gateway;

/// <summary>What is told to the kernel, and what is taken back.</summary>
public sealed class GatewayTests : IDisposable
{
    private static readonly GatewayPath Path1 = new("eth1", IPv4Prefix.Parse("10.77.0.1/24"), "eth0");

    private readonly Scratch _scratch = new();

    public GatewayTests()
    {
        Set("sys/kernel/random/boot_id", "boot-1");
        Set("sys/net/ipv4/ip_forward", "0");
        foreach (var face in new[] { "eth0", "eth1", "eth2" }) Set($"sys/net/ipv4/conf/{face}/forwarding", "0");
    }

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void The_boards_go_out_masqueraded_answers_come_back_and_nothing_else_passes()
    {
        var rules = GatewayRules.Render([Path1], ["eth1", "eth0"]);
        var at = Lines(rules);
        Assert.True(at("iifname \"eth1\" oifname \"eth0\" ip saddr 10.77.0.0/24 accept") < at("iifname \"eth1\" drop"));
        Assert.True(at("iifname \"eth0\" oifname \"eth1\" ip daddr 10.77.0.0/24 ct state established,related accept")
            < at("iifname \"eth0\" drop"));
        Assert.True(at("ip saddr 10.77.0.0/24 oifname \"eth0\" masquerade") > 0);
        Assert.DoesNotContain("drop", GatewayRules.Render([Path1], []), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nft_takes_the_rules_again_and_again_and_leaves_one_table_or_none()
    {
        if (NetNamespace.Unavailable is { } why) Assert.Skip(why);
        await using var space = await NetNamespace.CreateAsync();
        GatewayPath[] paths = [Path1, new("eth2.30", IPv4Prefix.Parse("172.16.1.1/20"), "ppp0")];
        var file = _scratch["rules.nft"];
        foreach (var (rules, left) in new[]
        {
            (GatewayRules.Render(paths, ["eth0"]), true), (GatewayRules.Render(paths, []), true),
            (GatewayRules.Removal, false), (GatewayRules.Removal, false),
        })
        {
            await File.WriteAllTextAsync(file, rules, TestContext.Current.CancellationToken);
            var result = await space.ExecAsync(TimeSpan.FromSeconds(10), "nft", "-f", file);
            Assert.True(result.ExitCode == 0, result.Errors);
            var tables = await space.ExecAsync(TimeSpan.FromSeconds(10), "nft", "list", "tables");
            Assert.Equal(left ? "table ip bramble_gateway\n" : "", tables.Output);
        }
    }

    [Fact]
    public void What_was_shut_is_opened_and_shut_again_and_what_was_open_stays_open()
    {
        Set("sys/net/ipv4/conf/eth0/forwarding", "1");
        var forwarding = Forwarding();
        OpenBoth(forwarding);
        Assert.Equal(("1", "1"), (State("eth0"), State("eth1")));
        Assert.Equal(["eth1"], forwarding.Opened);
        forwarding.CloseAllBut([]);
        forwarding.Forget();
        Assert.Equal(("1", "0"), (State("eth0"), State("eth1")));
        Assert.False(forwarding.HasRecord);
    }

    [Fact]
    public void A_daemon_that_was_killed_knows_at_its_next_start_what_to_shut()
    {
        OpenBoth(Forwarding());
        var next = Forwarding();
        Assert.True(next.HasRecord);
        OpenBoth(next);
        next.CloseAllBut([]);
        Assert.Equal(("0", "0"), (State("eth0"), State("eth1")));
    }

    [Fact]
    public void After_a_restart_of_the_host_the_old_note_is_void()
    {
        OpenBoth(Forwarding());
        Set("sys/kernel/random/boot_id", "boot-2");
        var next = Forwarding();
        Assert.Empty(next.Opened);
        next.CloseAllBut([]);
        // The host's own configuration opened them this time.
        Assert.Equal(("1", "1"), (State("eth0"), State("eth1")));
    }

    [Fact]
    public void An_uplink_that_is_another_now_leaves_the_old_one_shut()
    {
        var forwarding = Forwarding();
        OpenBoth(forwarding);
        forwarding.Note(["eth1", "eth2"]);
        forwarding.CloseAllBut(["eth1", "eth2"]);
        forwarding.Open("eth2");
        Assert.Equal(("0", "1", "1"), (State("eth0"), State("eth1"), State("eth2")));
    }

    [Fact]
    public void A_host_that_somebody_made_a_router_meanwhile_is_left_one()
    {
        var forwarding = Forwarding();
        OpenBoth(forwarding);
        Set("sys/net/ipv4/ip_forward", "1");
        Assert.Empty(forwarding.Opened);
        forwarding.CloseAllBut([]);
        Assert.Equal(("1", "1"), (State("eth0"), State("eth1")));
    }

    [Fact]
    public void A_note_that_cannot_be_read_is_no_note()
    {
        File.WriteAllText(_scratch["gateway.json"], "{\"Boot\":");
        Assert.Empty(Forwarding().Opened);
    }

    [Fact]
    public void The_default_route_with_the_lowest_metric_is_the_uplink_unless_it_is_a_boot_network()
    {
        var table = """
            Iface|Destination|Gateway |Flags|RefCnt|Use|Metric|Mask||MTU|Window|IRTT
            eth1|00000000|FE004D0A|0003|0|0|0|00000000|0|0|0
            wlan0|00000000|0101A8C0|0003|0|0|600|00000000|0|0|0
            eth0|00000000|0101A8C0|0003|0|0|100|00000000|0|0|0
            eth5|00000000|0101A8C0|0000|0|0|1|00000000|0|0|0
            eth0|0001A8C0|00000000|0001|0|0|100|00FFFFFF|0|0|0
            """.Replace('|', '\t');
        Assert.Equal("eth0", DefaultRoute.Interface(table.Split('\n'), ["eth1"]));
        Assert.Equal("eth1", DefaultRoute.Interface(table.Split('\n'), []));
        Assert.Null(DefaultRoute.Interface(table.Split('\n')[..1], []));
        Assert.Null(DefaultRoute.Interface(["header", "rubbish", "a b c d e f g h"], []));
    }

    [Fact]
    public void A_firewall_that_forwards_nothing_is_named()
    {
        const string chains = """
            {"nftables": [{"metainfo": {"version": "1.0.6"}},
             {"chain": {"family": "ip", "table": "filter", "name": "FORWARD", "hook": "forward", "policy": "drop"}},
             {"chain": {"family": "inet", "table": "fw", "name": "input", "hook": "input", "policy": "drop"}},
             {"chain": {"family": "ip6", "table": "six", "name": "f", "hook": "forward", "policy": "drop"}},
             {"chain": {"family": "ip", "table": "bramble_gateway", "hook": "forward", "policy": "accept"}},
             {"chain": {"family": "ip", "table": "nat", "name": "plain"}}]}
            """;
        Assert.Equal(["ip filter"], GatewayService.DroppingTables(chains));
        Assert.Empty(GatewayService.DroppingTables("{"));
    }

    private static Func<string, int> Lines(string rules)
    {
        string[] lines = [.. rules.Split('\n').Select(line => line.Trim())];
        return line => Array.IndexOf(lines, line) is var at and >= 0 ? at
            : throw new KeyNotFoundException($"'{line}' is not in\n{rules}");
    }

    private static void OpenBoth(Forwarding forwarding)
    {
        forwarding.Note(["eth1", "eth0"]);
        forwarding.Open("eth1");
        forwarding.Open("eth0");
    }

    private Forwarding Forwarding() => new(_scratch["gateway.json"], _scratch["proc"]);

    private void Set(string file, string value)
    {
        var path = Path.Combine(_scratch["proc"], file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, value + "\n");
    }

    private string State(string face) =>
        File.ReadAllText(Path.Combine(_scratch["proc"], $"sys/net/ipv4/conf/{face}/forwarding")).Trim();
}
