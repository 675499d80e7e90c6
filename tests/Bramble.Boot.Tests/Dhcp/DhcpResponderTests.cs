using Bramble.Boot.Dhcp;
using Bramble.Boot.Loaders;
using Bramble.Testing;
using Bramble.Testing.Dhcp;
using Bramble.Wire;
using Bramble.Wire.Dhcp;
using static Bramble.Boot.Tests.Dhcp.Nets;

namespace Bramble.Boot.Tests.Dhcp;

/// <summary>RFC 2131 §4.3.2 as a table: what a client in each state sends, and what it gets.</summary>
public sealed class DhcpResponderTests
{
    private readonly ManualTimeProvider _clock = new();
    private readonly LeaseTable _leases;

    public DhcpResponderTests() => _leases = new LeaseTable(_clock);

    /// <summary>
    /// Mac(1) is bound to .100, Mac(2) to .101. Columns: mode, client, option 50, option 54, ciaddr, then ACK, NAK, or
    /// the reason for silence. Hosts are the last octet; 0 leaves a field out.
    /// </summary>
    [Theory]
    [InlineData("SELECTING, ours", "A", 1, 100, 1, 0, "Ack")]
    [InlineData("SELECTING, another server", "A", 1, 100, 9, 0, "ForAnotherServer")]
    [InlineData("SELECTING, what another holds", "A", 1, 101, 1, 0, "Nak")]
    [InlineData("SELECTING, outside of the pool", "A", 1, 20, 1, 0, "Nak")]
    [InlineData("SELECTING, the server itself", "A", 1, 1, 1, 0, "Nak")]
    [InlineData("SELECTING, reservations only, a stranger", "R", 3, 150, 1, 0, "Nak")]
    [InlineData("INIT-REBOOT, its own", "A", 1, 100, 0, 0, "Ack")]
    [InlineData("INIT-REBOOT, what another holds", "A", 1, 101, 0, 0, "Nak")]
    [InlineData("INIT-REBOOT, a free one of the pool after our store was lost", "A", 3, 150, 0, 0, "Ack")]
    [InlineData("INIT-REBOOT, from another network", "A", 1, -1, 0, 0, "Nak")]
    [InlineData("INIT-REBOOT, reservations only, a stranger", "R", 3, 150, 0, 0, "UnknownLease")]
    [InlineData("INIT-REBOOT, reservations only, its reservation", "R", 7, 50, 0, 0, "Ack")]
    [InlineData("INIT-REBOOT, reservations only, not its reservation", "R", 7, 150, 0, 0, "Nak")]
    [InlineData("INIT-REBOOT, no address", "A", 1, 0, 0, 0, "UnknownLease")]
    [InlineData("RENEWING, its own", "A", 1, 0, 0, 100, "Ack")]
    [InlineData("RENEWING, what another holds", "A", 1, 0, 0, 101, "Nak")]
    [InlineData("REBINDING, a free one of the pool", "A", 3, 0, 0, 150, "Ack")]
    [InlineData("REBINDING, reservations only, a stranger", "R", 3, 0, 0, 150, "UnknownLease")]
    [InlineData("REBINDING, from another network", "A", 3, 0, 0, -1, "Nak")]
    public void A_REQUEST_is_answered_by_the_clients_state(
        string state, string mode, int client, int requested, int server, int ciaddr, string expected)
    {
        Bind(1, 100);
        Bind(2, 101);
        var network = Rack with
        {
            Mode = mode == "A" ? DhcpMode.Authoritative : DhcpMode.Reservations,
            Reservations = new Dictionary<MacAddress, IPv4Address> { [Mac(7)] = Address(50) },
        };
        var decision = Decide(Client.Packet(DhcpMessageType.Request, Mac(client), Host(requested), Host(server),
            Host(ciaddr)), network);
        var got = decision switch
        {
            DhcpDecision.Reply reply => reply.Packet.MessageType.ToString(),
            DhcpDecision.Ignore ignore => ignore.Reason.ToString(),
            _ => "noted",
        };
        Assert.True(expected == got, $"{state}: {got}");
        if (decision is not DhcpDecision.Reply answer) return;
        if (expected == "Nak")
        {
            Assert.Equal(IPv4Address.Broadcast, answer.To.Address);
            Assert.True(answer.Packet.YourAddress.IsAny);
            Assert.False(answer.Packet.Options.Contains(DhcpOption.LeaseTime));
            Assert.True(answer.Packet.Options.TryGetText(DhcpOption.Message, out var words));
            Assert.NotEmpty(words);
            Assert.Null(answer.Commit);
        }
        else
        {
            var address = Host(requested == 0 ? ciaddr : requested)!.Value;
            Assert.Equal(address, answer.Packet.YourAddress);
            Assert.Equal(address, answer.Commit!.Address);
            Assert.Equal(address, answer.To.Address);
        }
    }

    [Theory]
    [InlineData(1, 100, 1, true)]
    [InlineData(1, 100, 0, true)]
    [InlineData(1, 101, 1, false)]
    [InlineData(3, 100, 1, false)]
    [InlineData(1, 0, 1, false)]
    public void A_DECLINE_counts_only_for_the_clients_own_address(int client, int address, int server, bool taken)
    {
        Bind(1, 100);
        Bind(2, 101);
        var decision = Decide(Client.Packet(DhcpMessageType.Decline, Mac(client), Host(address), Host(server)));
        Assert.Equal(taken, decision is DhcpDecision.Noted);
        Assert.Equal(!taken, _leases.TryFind(Address(100), out _));
    }

    [Theory]
    [InlineData(1, 100, 1, true)]
    [InlineData(1, 101, 1, false)]
    [InlineData(3, 100, 1, false)]
    [InlineData(1, 100, 9, false)]
    public void A_RELEASE_counts_only_for_the_clients_own_address(int client, int address, int server, bool taken)
    {
        Bind(1, 100);
        Bind(2, 101);
        var packet = Client.Packet(DhcpMessageType.Release, Mac(client), null, Host(server), Host(address));
        var decision = Decide(packet);
        Assert.Equal(taken, decision is DhcpDecision.Noted { Commit.State: LeaseState.Released });
        Assert.Equal(!taken, _leases.TryFind(Address(100), out _));
        // RFC 2131 §4.4.6: the same address comes back.
        if (taken) Assert.Equal(Address(100), Offered(Decide(Client.Discover(Mac(1)))));
    }

    [Fact]
    public void An_INFORM_gets_the_configuration_without_an_address()
    {
        var reply = Assert.IsType<DhcpDecision.Reply>(
            Decide(Client.Packet(DhcpMessageType.Inform, Mac(1), ciaddr: Address(33))));
        Assert.Equal(DhcpMessageType.Ack, reply.Packet.MessageType);
        Assert.True(reply.Packet.YourAddress.IsAny);
        Assert.False(reply.Packet.Options.Contains(DhcpOption.LeaseTime));
        Assert.True(reply.Packet.Options.Contains(DhcpOption.DomainNameServer));
        Assert.Equal(new DhcpDestination(Address(33), 68), reply.To);
        Assert.Null(reply.Commit);
    }

    [Theory]
    [InlineData(Admission.AwaitsAdoption, DhcpIgnoreReason.AwaitsAdoption)]
    [InlineData(Admission.Ignore, DhcpIgnoreReason.NotAdmitted)]
    public void A_board_that_is_not_admitted_gets_nothing(Admission admission, DhcpIgnoreReason reason) =>
        Assert.Equal(reason, Reason(Decide(Client.Read(GoldenDhcp.Pi4Discover), plan: new BoardPlan(admission))));

    [Fact]
    public void A_board_that_is_to_start_from_its_disk_gets_no_netboot_but_its_system_gets_its_lease()
    {
        var plan = new BoardPlan(Admission.Serve) { NetBoot = false };
        Assert.Equal(DhcpIgnoreReason.NetBootOff, Reason(Decide(Client.Read(GoldenDhcp.Pi4Discover), plan: plan)));
        Assert.IsType<DhcpDecision.Reply>(Decide(Client.Discover(Mac(1)), plan: plan));
    }

    [Fact]
    public void The_plans_reservation_wins()
    {
        var plan = new BoardPlan(Admission.Serve) { Reserved = Address(42) };
        Assert.Equal(Address(42), Offered(Decide(Client.Discover(Mac(1)), plan: plan)));
    }

    [Fact]
    public void Two_boards_with_the_same_serial_get_two_addresses()
    {
        var id = "61 11 00 52506934 1131a000 00000001 1045155b";
        var a = GoldenDhcp.Packet("00000001", "dca600000001", "350101", "3c 09 505845436c69656e74", id);
        var b = GoldenDhcp.Packet("00000001", "dca700000001", "350101", "3c 09 505845436c69656e74", id);
        Assert.NotEqual(Offered(Decide(Client.Read(a))), Offered(Decide(Client.Read(b))));
    }

    [Fact]
    public void The_ROM_and_the_installed_system_of_a_board_get_one_address()
    {
        var rom = Offered(Decide(Client.Read(GoldenDhcp.Pi4Discover)));
        var system = Client.Discover(MacAddress.Parse("dc:a6:32:2e:f8:ed"));
        system.Options.Set(DhcpOption.ClientIdentifier, [0xff, 0, 0, 0, 1, 0, 2]);
        Assert.Equal(rom, Offered(Decide(system)));
    }

    [Fact]
    public void An_exhausted_pool_says_so()
    {
        var network = Small(1);
        Assert.NotNull(Offered(Decide(Client.Discover(Mac(1)), network)));
        var ignore = Assert.IsType<DhcpDecision.Ignore>(Decide(Client.Discover(Mac(2)), network));
        Assert.Equal(DhcpIgnoreReason.PoolExhausted, ignore.Reason);
        Assert.Contains("rack", ignore.Text);
    }

    [Fact]
    public void A_proxy_offers_boot_options_without_an_address()
    {
        var proxy = Rack with { Mode = DhcpMode.Proxy };
        var reply = Assert.IsType<DhcpDecision.Reply>(Decide(Client.Read(GoldenDhcp.Pi4Discover), proxy));
        Assert.Equal(DhcpMessageType.Offer, reply.Packet.MessageType);
        Assert.True(reply.Packet.YourAddress.IsAny);
        Assert.Equal(Server, reply.Packet.NextServer);
        Assert.Equal(IPv4Address.Broadcast, reply.To.Address);
        Assert.False(reply.Packet.Options.Contains(DhcpOption.LeaseTime));
        Assert.True(reply.Packet.Options.TryGet(DhcpOption.VendorSpecific, out var menu));
        Assert.Equal(PxeVendorOptions.RaspberryPiBoot.ToArray(), menu.ToArray());
        Assert.Null(reply.Commit);
        Assert.Equal(0, _leases.Count);
        Assert.Equal(DhcpIgnoreReason.ForAnotherServer, Reason(Decide(Client.Read(GoldenDhcp.Pi4Request), proxy)));
        Assert.Equal(DhcpIgnoreReason.NotForProxy, Reason(Decide(Client.Discover(Mac(1)), proxy)));
        Assert.Equal(TimeSpan.FromSeconds(2),
            Assert.IsType<DhcpDecision.Reply>(Decide(Client.Read(GoldenDhcp.Pi3BDiscover), proxy)).Delay);
    }

    [Fact]
    public void A_proxy_answers_a_UEFI_client_on_its_own_port()
    {
        var proxy = Rack with
        {
            Mode = DhcpMode.Proxy,
            Loaders = new LoaderRules { ByHand = new Dictionary<ushort, string> { [7] = "ipxe.efi" } },
        };
        var packet = Client.Discover(Mac(1));
        packet.Options.Set(DhcpOption.VendorClass, "PXEClient").Set(DhcpOption.ClientArchitecture, (ushort)7);
        var offer = Assert.IsType<DhcpDecision.Reply>(Decide(packet, proxy));
        Assert.False(offer.Packet.Options.Contains(DhcpOption.VendorSpecific));

        packet.Options.Set(DhcpOption.MessageType, (byte)DhcpMessageType.Request);
        packet.ClientAddress = Address(33);
        var ack = Assert.IsType<DhcpDecision.Reply>(Decide(packet, proxy,
            ingress: new DhcpIngress(Address(33), 4011, ProxyPort: true)));
        Assert.Equal(DhcpMessageType.Ack, ack.Packet.MessageType);
        Assert.Equal(new DhcpDestination(Address(33), 4011), ack.To);
        Assert.Equal("ipxe.efi", ack.Packet.BootFile);
        Assert.Equal(Server, ack.Packet.NextServer);
    }

    private static IPv4Address? Host(int host) => host switch
    {
        0 => null,
        -1 => IPv4Address.Parse("192.168.9.9"),
        _ => Address(host),
    };

    private static DhcpIgnoreReason? Reason(DhcpDecision decision) => (decision as DhcpDecision.Ignore)?.Reason;

    private static IPv4Address? Offered(DhcpDecision decision) => (decision as DhcpDecision.Reply)?.Packet.YourAddress;

    private void Bind(int client, int host)
    {
        Assert.Equal(ClaimOutcome.Granted, _leases.Claim(Rack, Mac(client), null, Address(host), renewal: false));
        var now = _clock.GetUtcNow();
        Assert.True(_leases.Confirm(new Lease("rack", Mac(client), Address(host))
        {
            BoundAt = now,
            ExpiresAt = now.AddHours(1),
        }));
    }

    private DhcpDecision Decide(
        DhcpPacket packet, DhcpNetwork? network = null, BoardPlan? plan = null, DhcpIngress ingress = default)
    {
        Assert.True(BoardClassifier.TryClassify(packet, out var board, out _));
        Assert.Null(DhcpResponder.Screen(packet, network ?? Rack));
        return DhcpResponder.Decide(packet, ingress, board, plan ?? new BoardPlan(Admission.Serve), network ?? Rack,
            _leases, _clock.GetUtcNow());
    }
}
