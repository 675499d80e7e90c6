using Bramble.Boot.Dhcp;
using Bramble.Testing;
using Bramble.Testing.Dhcp;
using Bramble.Wire.Dhcp;
using static Bramble.Boot.Tests.Dhcp.Nets;

namespace Bramble.Boot.Tests.Dhcp;

/// <summary>Options of the configuration: who gets which, and which rule wins.</summary>
public sealed class DhcpConfiguredTests
{
    private const DhcpOption Mtu = DhcpOption.InterfaceMtu;

    private readonly LeaseTable _leases = new(new ManualTimeProvider());

    private static DhcpOptionRule Rule(DhcpOption option, byte value, bool always = false) =>
        new(option, new byte[] { value }, always);

    private static DhcpOptionSet Set(string rule, params DhcpOptionRule[] options) => new(rule, options);

    private static DhcpClass Class(string name, DhcpMatch match, params DhcpOptionRule[] options) =>
        new(name, match, Set($"class {name}", options));

    [Fact]
    public void The_node_wins_over_the_class_the_class_over_the_network_and_the_network_over_what_is_usual()
    {
        var everybody = new DhcpMatch { Mac = new MacPrefix(0x02, 1) };
        var network = Rack with
        {
            Options = Set("network rack", Rule(DhcpOption.DomainName, 1), Rule(Mtu, 1), Rule(DhcpOption.RootPath, 1),
                Rule(DhcpOption.TimeOffset, 1)),
            Classes =
            [
                Class("first", everybody, Rule(DhcpOption.RootPath, 2), Rule(DhcpOption.TimeOffset, 2)),
                Class("second", everybody, Rule(Mtu, 3), Rule(DhcpOption.RootPath, 3), Rule(DhcpOption.TimeOffset, 3)),
            ],
        };
        var plan = new BoardPlan(Admission.Serve)
        {
            HostName = "shelf-3",
            Options = Set("node shelf-3", Rule(DhcpOption.TimeOffset, 4), Rule(DhcpOption.HostName, 4)),
        };
        var trace = new DhcpTrace();
        var reply = Decide(Client.Discover(Mac(1)), network, plan, trace);
        Assert.Equal(1, Octet(reply, DhcpOption.DomainName));
        Assert.Equal(3, Octet(reply, Mtu));
        Assert.Equal(2, Octet(reply, DhcpOption.RootPath));
        Assert.Equal(4, Octet(reply, DhcpOption.TimeOffset));
        Assert.Equal(4, Octet(reply, DhcpOption.HostName));
        Assert.Equal("network rack", trace[DhcpOption.DomainName]);
        Assert.Equal("class second", trace[Mtu]);
        Assert.Equal("class first", trace[DhcpOption.RootPath]);
        Assert.Equal("node shelf-3", trace[DhcpOption.TimeOffset]);
        Assert.Equal("RFC 2131: always", trace[DhcpOption.MessageType]);
    }

    [Fact]
    public void An_option_is_sent_when_it_is_asked_for_or_always()
    {
        var network = Rack with
        {
            Options = Set("network rack", Rule(Mtu, 1), Rule(DhcpOption.TimeOffset, 1), Rule((DhcpOption)224, 1, true)),
        };
        var packet = Client.Discover(Mac(1));
        packet.Options.Set(DhcpOption.ParameterRequestList, [(byte)Mtu]);
        var reply = Decide(packet, network);
        Assert.True(reply.Contains(Mtu));
        Assert.False(reply.Contains(DhcpOption.TimeOffset));
        Assert.True(reply.Contains((DhcpOption)224));
    }

    [Fact]
    public void What_is_omitted_is_not_sent_unless_a_more_particular_rule_says_so()
    {
        var network = Rack with
        {
            Options = Set("network rack", new DhcpOptionRule(DhcpOption.Router, default, Omit: true)),
        };
        Assert.False(Decide(Client.Discover(Mac(1)), network).Contains(DhcpOption.Router));
        var plan = new BoardPlan(Admission.Serve) { Options = Set("node a", Rule(DhcpOption.Router, 9)) };
        Assert.Equal(9, Octet(Decide(Client.Discover(Mac(2)), network, plan), DhcpOption.Router));
    }

    [Fact]
    public void What_a_Pi_boots_from_cannot_be_replaced()
    {
        var network = Rack with
        {
            Options = Set("network rack", Rule(DhcpOption.VendorSpecific, 1, true),
                Rule(DhcpOption.VendorClass, 1, true), Rule(DhcpOption.TftpServerName, 1, true), Rule(Mtu, 1)),
        };
        var pi = Client.Read(GoldenDhcp.Pi4Discover);
        var plain = Decide(pi, Rack);
        var configured = Decide(Client.Read(GoldenDhcp.Pi4Discover), network);
        Assert.Equal(plain.Count, configured.Count);
        for (var i = 0; i < plain.Count; i++)
            Assert.True(plain.ValueAt(i).SequenceEqual(configured.ValueAt(i)), $"option {plain.OptionAt(i)}");
    }

    public static TheoryData<string, DhcpMatch, bool> Matches => new()
    {
        { "vendor class", new DhcpMatch { VendorClass = "PXEClient:Arch:00007"u8.ToArray() }, true },
        { "another vendor class", new DhcpMatch { VendorClass = "PXEClient:Arch:00000"u8.ToArray() }, false },
        { "user class", new DhcpMatch { UserClass = "iPXE"u8.ToArray() }, true },
        { "part of a user class", new DhcpMatch { UserClass = "iPX"u8.ToArray() }, false },
        { "architecture", new DhcpMatch { Architectures = [6, 7] }, true },
        { "another architecture", new DhcpMatch { Architectures = [0, 11] }, false },
        { "MAC", new DhcpMatch { Mac = new MacPrefix(0x020000, 3) }, true },
        { "the whole MAC", new DhcpMatch { Mac = new MacPrefix(0x020000000001, 6) }, true },
        { "another MAC", new DhcpMatch { Mac = new MacPrefix(0x525400, 3) }, false },
        { "circuit", new DhcpMatch { CircuitId = "port7"u8.ToArray() }, true },
        { "another circuit", new DhcpMatch { CircuitId = "port"u8.ToArray() }, false },
        { "remote", new DhcpMatch { RemoteId = "sw1"u8.ToArray() }, true },
        {
            "all at once", new DhcpMatch
            {
                VendorClass = "PXEClient"u8.ToArray(), UserClass = "iPXE"u8.ToArray(), Architectures = [7],
                Mac = new MacPrefix(0x02, 1), CircuitId = "port7"u8.ToArray(), RemoteId = "sw1"u8.ToArray(),
            }, true
        },
        {
            "all but one", new DhcpMatch { VendorClass = "PXEClient"u8.ToArray(), Architectures = [9] }, false
        },
    };

    [Theory]
    [MemberData(nameof(Matches))]
    public void A_client_belongs_to_a_class_when_all_that_the_class_asks_for_holds(
        string what, DhcpMatch match, bool belongs)
    {
        var packet = Client.Discover(Mac(1));
        packet.RelayAddress = Address(250);
        packet.Options.Set(DhcpOption.VendorClass, "PXEClient:Arch:00007:UNDI:003016")
            .Set(DhcpOption.UserClass, "iPXE").Set(DhcpOption.ClientArchitecture, (ushort)7)
            .Set(DhcpOption.RelayAgentInformation, [1, 5, .. "port7"u8, 2, 3, .. "sw1"u8]);
        var network = Rack with { Classes = [Class("c", match, Rule((DhcpOption)224, 1, true))] };
        Assert.True(belongs == Decide(packet, network).Contains((DhcpOption)224), what);
    }

    [Theory]
    [InlineData("04 69505845", true)]
    [InlineData("03 616263 04 69505845", true)]
    [InlineData("03 616263", false)]
    [InlineData("09 69505845", false)]
    public void A_user_class_may_be_one_of_several_parts(string hex, bool belongs)
    {
        var packet = Client.Discover(Mac(1));
        packet.Options.Set(DhcpOption.UserClass, Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)));
        Assert.Equal(belongs, new DhcpMatch { UserClass = "iPXE"u8.ToArray() }.Matches(packet));
    }

    [Fact]
    public void A_relays_circuit_counts_only_in_what_a_relay_has_sent()
    {
        var packet = Client.Discover(Mac(1));
        packet.Options.Set(DhcpOption.RelayAgentInformation, [1, 5, .. "port7"u8]);
        Assert.False(new DhcpMatch { CircuitId = "port7"u8.ToArray() }.Matches(packet));
    }

    [Theory]
    [InlineData(null, null, 120, 3600)]
    [InlineData(60, null, 120, 120)]
    [InlineData(60, null, 30, 60)]
    [InlineData(60, null, 7200, 3600)]
    [InlineData(null, 7200, 7000, 7000)]
    [InlineData(null, 7200, 9000, 7200)]
    [InlineData(null, 7200, 10, 3600)]
    [InlineData(60, 7200, -1, 7200)]
    public void A_client_gets_the_lease_time_that_it_asks_for_within_the_bounds(
        int? least, int? most, long asked, uint given)
    {
        var network = Rack with
        {
            LeaseMinimum = least is { } l ? TimeSpan.FromSeconds(l) : null,
            LeaseMaximum = most is { } m ? TimeSpan.FromSeconds(m) : null,
        };
        var packet = Client.Packet(DhcpMessageType.Request, Mac(1), Address(100));
        packet.Options.Set(DhcpOption.LeaseTime, (uint)asked);
        var reply = Reply(packet, network);
        Assert.True(reply.Packet.Options.TryGetUInt32(DhcpOption.LeaseTime, out var seconds));
        Assert.Equal(given, seconds);
        Assert.Equal(given, (reply.Commit!.ExpiresAt - reply.Commit.BoundAt).TotalSeconds);
        Assert.True(reply.Packet.Options.TryGetUInt32(DhcpOption.RenewalTime, out var renewal));
        Assert.Equal(given / 2, renewal);
    }

    [Fact]
    public void Classes_and_options_that_do_not_concern_a_client_cost_no_allocation()
    {
        var network = Rack with
        {
            Options = Set("network rack", Rule((DhcpOption)224, 1), Rule((DhcpOption)225, 1)),
            Classes = [Class("a", new DhcpMatch { Architectures = [7, 9], VendorClass = "PXEClient"u8.ToArray() },
                Rule((DhcpOption)226, 1)), Class("b", new DhcpMatch { Mac = new MacPrefix(0x525400, 3) })],
        };
        var packet = Client.Packet(DhcpMessageType.Request, Mac(1), Address(100));
        packet.Options.Set(DhcpOption.ParameterRequestList, [1, 3, 6]);
        var bare = Measure(Rack);
        Assert.InRange(Measure(network), 0, bare);

        long Measure(DhcpNetwork net)
        {
            for (var i = 0; i < 200; i++) Reply(packet, net);
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 1000; i++) Reply(packet, net);
            return (GC.GetAllocatedBytesForCurrentThread() - before) / 1000;
        }
    }

    private static int Octet(DhcpOptions options, DhcpOption option) =>
        options.TryGet(option, out var value) ? value[0] : -1;

    private DhcpOptions Decide(
        DhcpPacket packet, DhcpNetwork network, BoardPlan? plan = null, DhcpTrace? trace = null) =>
        Reply(packet, network, plan, trace).Packet.Options;

    private DhcpDecision.Reply Reply(
        DhcpPacket packet, DhcpNetwork network, BoardPlan? plan = null, DhcpTrace? trace = null)
    {
        Assert.True(BoardClassifier.TryClassify(packet, out var board, out _));
        return Assert.IsType<DhcpDecision.Reply>(DhcpResponder.Decide(packet, default, board,
            plan ?? new BoardPlan(Admission.Serve), network, _leases, DateTimeOffset.UnixEpoch, trace));
    }
}
