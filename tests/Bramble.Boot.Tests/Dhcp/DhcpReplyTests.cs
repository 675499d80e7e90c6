using Bramble.Boot.Dhcp;
using Bramble.Boot.Loaders;
using Bramble.Testing;
using Bramble.Testing.Dhcp;
using Bramble.Wire;
using Bramble.Wire.Dhcp;
using static Bramble.Boot.Tests.Dhcp.Nets;

namespace Bramble.Boot.Tests.Dhcp;

/// <summary>What each kind of client gets, octet for octet where a boot ROM reads it.</summary>
public sealed class DhcpReplyTests
{
    private const string PiMenu =
        "2b23 060103 0a0400505845 0917000014 52617370626572727920506920426f6f74202020 ff";

    private const string Server66 = "4209 31302e37372e302e31";

    private const string Zeros10 = "00000000000000000000";

    private readonly LeaseTable _leases = new(new ManualTimeProvider());

    [Theory]
    [InlineData("3B DISCOVER", "26f30339", "b827eb010203", "44444444 44444444 44444444 44444444")]
    [InlineData("3B+ DISCOVER", "26f30339", "b827eb0b0c0d", "0d0c0b5a 0d0c0b5a 0d0c0b5a 0d0c0b5a")]
    [InlineData("Pi 4 old DISCOVER", "7a3be901", "dca632010203", "4d3c2b1a 4d3c2b1a 4d3c2b1a 4d3c2b1a")]
    [InlineData("Pi 4 DISCOVER", "39c0ffee", "dca6322ef8ed", "52506934 1131a000 322ef8ed 1045155b")]
    [InlineData("Pi 5 DISCOVER", "51a2b3c4", "2ccf67a1b2c3", "52506935 7041c000 67a1b2c3 6c7d8e9f")]
    public void The_OFFER_to_each_Pi_is_the_golden_one(string golden, string xid, string mac, string id)
    {
        var reply = Decide(GoldenDhcp.All[golden]);
        var expected = "02010600" + xid + "00000000" + "00000000" + "0a4d0064" + "0a4d0001" + "00000000" + mac + Zeros10
            + new string('0', 2 * 192) + "63825363"
            + "350102" + "36040a4d0001" + "330400000e10" + "0104ffffff00" + "03040a4d00fe"
            + "3c09505845436c69656e74" + "611100" + id + PiMenu + Server66 + "ff";
        Assert.Equal(expected.Replace(" ", ""), Convert.ToHexStringLower(reply.Packet.ToArray()));
        Assert.Equal(IPv4Address.Broadcast, reply.To.Address);
        Assert.Equal(68, reply.To.Port);
        Assert.Equal((Address(100), Client.Read(GoldenDhcp.All[golden]).Mac), reply.To.Neighbour);
    }

    [Theory]
    [InlineData("3B DISCOVER", true)]
    [InlineData("3B+ DISCOVER", true)]
    [InlineData("Pi 4 old DISCOVER", false)]
    [InlineData("Pi 4 DISCOVER", false)]
    [InlineData("Pi 5 DISCOVER", false)]
    public void Only_the_Pi_3s_OFFER_waits_is_durable_and_pins_its_neighbour_entry(string golden, bool pi3)
    {
        var reply = Decide(GoldenDhcp.All[golden]);
        Assert.Equal(pi3 ? TimeSpan.FromSeconds(2) : TimeSpan.Zero, reply.Delay);
        Assert.Equal(pi3, reply.Commit is not null);
        Assert.Equal(pi3, reply.To.PinNeighbour);
    }

    [Fact]
    public void A_Pi_4s_REQUEST_gets_an_ACK_with_the_same_options()
    {
        var offer = Decide(GoldenDhcp.Pi4Discover);
        var ack = Decide(GoldenDhcp.Pi4Request);
        Assert.Equal(DhcpMessageType.Ack, ack.Packet.MessageType);
        Assert.Equal(Address(100), ack.Packet.YourAddress);
        Assert.Equal(Names(offer.Packet), Names(ack.Packet));
        Assert.Equal(Address(100), ack.Commit!.Address);
        Assert.Equal(BoardFamily.Pi4, ack.Commit.Family);
    }

    [Fact]
    public void No_pad_option_is_ever_written_to_a_Pi()
    {
        var octets = Decide(GoldenDhcp.Pi3BDiscover).Packet.ToArray();
        var at = 240;
        while (octets[at] != 255)
        {
            Assert.NotEqual(0, octets[at]);
            at += 2 + octets[at + 1];
        }
    }

    [Fact]
    public void A_plain_client_gets_what_it_asks_for_and_no_boot_options()
    {
        var packet = Client.Discover(Mac(1));
        packet.Options.Set(DhcpOption.ParameterRequestList, [1, 3, 6, 12, 15, 42, 28, 43, 60, 66]);
        var reply = Decide(packet, new BoardPlan(Admission.Serve) { HostName = "node1" });
        Assert.Equal(
            [53, 54, 51, 1, 3, 6, 12, 15, 42, 28], Names(reply.Packet).Select(o => (int)o));
        Assert.True(reply.Packet.Options.TryGetAddresses(DhcpOption.DomainNameServer, out var dns));
        Assert.Equal(Rack.DnsServers, dns);
        Assert.True(reply.Packet.Options.TryGetText(DhcpOption.HostName, out var name));
        Assert.Equal("node1", name);
        Assert.True(reply.Packet.NextServer.IsAny);
        Assert.Equal(new DhcpDestination(Address(100), 68) { Neighbour = (Address(100), Mac(1)) }, reply.To);
    }

    [Fact]
    public void A_client_that_asks_for_nothing_gets_all()
    {
        var reply = Decide(Client.Discover(Mac(1)));
        Assert.Equal([53, 54, 51, 1, 3, 6, 15, 42, 28, 58, 59], Names(reply.Packet).Select(o => (int)o));
        Assert.True(reply.Packet.Options.TryGetUInt32(DhcpOption.RebindingTime, out var rebinding));
        Assert.Equal(3150u, rebinding);
    }

    [Fact]
    public void The_client_identifier_comes_back()
    {
        var packet = Client.Discover(Mac(1));
        packet.Options.Set(DhcpOption.ClientIdentifier, [0xff, 1, 2, 3]);
        Assert.True(Decide(packet).Packet.Options.TryGet(DhcpOption.ClientIdentifier, out var id));
        Assert.Equal([0xff, 1, 2, 3], id.ToArray());
    }

    [Fact]
    public void The_broadcast_flag_is_obeyed()
    {
        var packet = Client.Discover(Mac(1));
        packet.Flags = DhcpPacket.BroadcastFlag;
        Assert.Equal(IPv4Address.Broadcast, Decide(packet).To.Address);
    }

    [Fact]
    public void A_relayed_packet_goes_back_through_its_relay_with_option_82_last()
    {
        var packet = Client.Discover(Mac(1));
        packet.RelayAddress = Address(77);
        packet.Options.Set(DhcpOption.RelayAgentInformation, [1, 2, 0xab, 0xcd]);
        var reply = Decide(packet);
        Assert.Equal(new DhcpDestination(Address(77), 67), reply.To);
        Assert.Equal(DhcpOption.RelayAgentInformation, Names(reply.Packet)[^1]);
    }

    [Theory]
    [InlineData(0, "undionly.kpxe", true)]
    [InlineData(7, "ipxe.efi", true)]
    [InlineData(11, null, false)]
    public void Another_PXE_client_gets_the_boot_file_of_its_architecture(int architecture, string? file, bool boots)
    {
        var packet = Client.Discover(Mac(1));
        packet.Options.Set(DhcpOption.VendorClass, $"PXEClient:Arch:{architecture:00000}:UNDI:003016");
        packet.Options.Set(DhcpOption.ClientArchitecture, (ushort)architecture);
        packet.Options.Set(DhcpOption.ClientMachineIdentifier, new byte[17]);
        var network = Rack with
        {
            Loaders = new LoaderRules
            {
                ByHand = new Dictionary<ushort, string> { [0] = "undionly.kpxe", [7] = "ipxe.efi" },
            },
        };
        var reply = Decide(packet, network: network).Packet;
        Assert.Equal(file ?? "", reply.BootFile);
        Assert.Equal(boots ? Server : IPv4Address.Any, reply.NextServer);
        Assert.Equal(boots, reply.Options.Contains(DhcpOption.ClientMachineIdentifier));
        Assert.Equal(boots, reply.Options.Contains(DhcpOption.TftpServerName));
        Assert.False(Decide(packet, new BoardPlan(Admission.Serve) { NetBoot = false }, network).Packet.Options
            .Contains(DhcpOption.BootFileName));
    }

    [Fact]
    public void What_does_not_fit_is_left_out_from_the_end()
    {
        var packet = Client.Discover(Mac(1));
        packet.Options.Set(DhcpOption.ClientIdentifier, new byte[255]);
        var network = Rack with { DnsServers = Enumerable.Range(1, 63).Select(Address).ToArray() };
        var reply = Decide(packet, network: network with { Domain = new string('d', 200) });
        Span<byte> buffer = stackalloc byte[DhcpPacket.DefaultMaximumSize];
        var size = DhcpReplies.Write(reply.Packet, buffer);
        Assert.InRange(size, 300, 548);
        var sent = Client.Read(buffer[..size].ToArray());
        Assert.Equal(DhcpMessageType.Offer, sent.MessageType);
        Assert.True(sent.Options.Contains(DhcpOption.SubnetMask));
        Assert.False(sent.Options.Contains(DhcpOption.ClientIdentifier));
    }

    private DhcpDecision.Reply Decide(byte[] octets) => Decide(Client.Read(octets));

    private DhcpDecision.Reply Decide(DhcpPacket packet, BoardPlan? plan = null, DhcpNetwork? network = null)
    {
        Assert.True(BoardClassifier.TryClassify(packet, out var board, out _));
        Assert.Null(DhcpResponder.Screen(packet, network ?? Rack));
        return Assert.IsType<DhcpDecision.Reply>(DhcpResponder.Decide(packet, default, board,
            plan ?? new BoardPlan(Admission.Serve), network ?? Rack, _leases, DateTimeOffset.UnixEpoch));
    }

    private static DhcpOption[] Names(DhcpPacket packet) =>
        [.. Enumerable.Range(0, packet.Options.Count).Select(packet.Options.OptionAt)];
}
