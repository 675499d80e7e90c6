using Bramble.Lab.Boards;
using Bramble.Lab.Dhcp;
using Bramble.Lab.Network;
using Bramble.Lab.Tests.StandIn;
using Bramble.Wire;
using Bramble.Wire.Dhcp;

namespace Bramble.Lab.Tests.Dhcp;

/// <summary>The boards' DHCP clients, with neither network nor clock.</summary>
public sealed class DhcpClientTests
{
    private static readonly BoardSpec Pi3B = BoardSpec.Rack(1, [BoardModel.Pi3B], 1)[0];
    private static readonly BoardSpec Pi3BPlus = BoardSpec.Rack(1, [BoardModel.Pi3BPlus], 1)[0];
    private static readonly BoardSpec Pi4 = BoardSpec.Rack(1, [BoardModel.Pi4], 1)[0];

    [Fact]
    public void A_Pi_3_says_DISCOVER_five_times_five_seconds_apart_and_then_nothing()
    {
        var client = new Pi3RomDhcp(Pi3B);

        var sent = Run(client, TimeSpan.FromMinutes(5));

        Assert.Equal([0, 5, 10, 15, 20], sent.Select(s => s.At.TotalSeconds));
        Assert.All(sent, s => Assert.Equal(0x26f30339u, s.Packet.TransactionId));
        Assert.True(client.HasGivenUp);
        Assert.Null(client.Receive(Offer(Pi3B, 0x26f30339), TimeSpan.FromMinutes(6)));
        Assert.Null(client.Lease);
    }

    [Fact]
    public void A_Pi_3_takes_an_offer_without_a_REQUEST()
    {
        var client = new Pi3RomDhcp(Pi3B);
        client.Start(TimeSpan.Zero);

        Assert.Null(client.Receive(Offer(Pi3B, 0x26f30339), TimeSpan.FromSeconds(2)));

        Assert.NotNull(client.Lease);
        Assert.Null(client.Deadline);
        Assert.Equal(StandInManager.Address, client.Lease.TftpServer);
        Assert.Equal((0, 2), (client.Lease.AskedAt.TotalSeconds, client.Lease.GrantedAt.TotalSeconds));
    }

    [Fact]
    public void No_boot_ROM_takes_an_offer_without_the_menu()
    {
        foreach (var client in new IDhcpClient[] { new Pi3RomDhcp(Pi3B), new Pi3RomDhcp(Pi3BPlus) })
        {
            client.Start(TimeSpan.Zero);
            foreach (var spec in (BoardSpec[])[Pi3B, Pi3BPlus])
                client.Receive(Offer(spec, 0x26f30339, o => o.Remove(DhcpOption.VendorSpecific)), TimeSpan.Zero);
            Assert.Null(client.Lease);
        }
        var loader = new EepromDhcp(Pi4, new Random(1));
        var xid = loader.Start(TimeSpan.Zero)!.TransactionId;
        Assert.Null(loader.Receive(Offer(Pi4, xid, o => o.Remove(DhcpOption.VendorSpecific)), TimeSpan.Zero));
    }

    [Fact]
    public void A_3B_wants_three_spaces_after_the_menu_text_and_a_3B_plus_does_not()
    {
        byte[] bare = [6, 1, 3, 10, 4, 0, .. "PXE"u8, 9, 20, 0, 0, 17, .. "Raspberry Pi Boot"u8, 255];
        var old = new Pi3RomDhcp(Pi3B);
        var plus = new Pi3RomDhcp(Pi3BPlus);
        old.Start(TimeSpan.Zero);
        plus.Start(TimeSpan.Zero);

        old.Receive(Offer(Pi3B, 0x26f30339, o => o.Set(DhcpOption.VendorSpecific, bare)), TimeSpan.Zero);
        plus.Receive(Offer(Pi3BPlus, 0x26f30339, o => o.Set(DhcpOption.VendorSpecific, bare)), TimeSpan.Zero);

        Assert.Null(old.Lease);
        Assert.NotNull(plus.Lease);
    }

    [Fact]
    public void A_3B_cannot_reach_a_server_off_its_subnet_and_a_3B_plus_can()
    {
        var old = new Pi3RomDhcp(Pi3B);
        var plus = new Pi3RomDhcp(Pi3BPlus);
        old.Start(TimeSpan.Zero);
        plus.Start(TimeSpan.Zero);

        old.Receive(Offer(Pi3B, 0x26f30339, o => o.Set(DhcpOption.TftpServerName, "192.0.2.1")), TimeSpan.Zero);
        plus.Receive(Offer(Pi3BPlus, 0x26f30339, o => o.Set(DhcpOption.TftpServerName, "192.0.2.1")), TimeSpan.Zero);

        Assert.Null(old.Lease);
        Assert.Equal(IPv4Address.Parse("192.0.2.1"), plus.Lease?.TftpServer);
    }

    [Fact]
    public void A_NUL_in_option_66_makes_the_ROM_fall_back_to_the_server_identifier()
    {
        var client = new Pi3RomDhcp(Pi3B);
        client.Start(TimeSpan.Zero);

        client.Receive(Offer(Pi3B, 0x26f30339, o => o.Set(DhcpOption.TftpServerName, "10.77.9.9\0")), TimeSpan.Zero);

        Assert.Equal(StandInManager.Address, client.Lease?.TftpServer);
    }

    [Fact]
    public void A_Pi_4_repeats_itself_every_four_seconds_and_gives_up_after_45()
    {
        var client = new EepromDhcp(Pi4, new Random(1));

        var sent = Run(client, TimeSpan.FromMinutes(2));

        Assert.Equal([0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44], sent.Select(s => s.At.TotalSeconds));
        Assert.True(client.HasGivenUp);
        Assert.NotEqual(0x26f30339u, sent[0].Packet.TransactionId);
    }

    [Fact]
    public void A_Pi_4_answers_an_offer_with_REQUEST_and_goes_by_the_ACK()
    {
        var client = new EepromDhcp(Pi4, new Random(1));
        var xid = client.Start(TimeSpan.Zero)!.TransactionId;

        var request = client.Receive(Offer(Pi4, xid), TimeSpan.Zero);
        Assert.Equal(DhcpMessageType.Request, request?.MessageType);
        Assert.False(request!.Options.Contains(DhcpOption.ParameterRequestList));
        Assert.Null(client.Lease);
        client.Receive(Offer(Pi4, xid ^ 1, type: DhcpMessageType.Ack), TimeSpan.Zero);
        Assert.Null(client.Lease);
        client.Receive(Offer(Pi4, xid, type: DhcpMessageType.Ack), TimeSpan.Zero);

        Assert.NotNull(client.Lease);
    }

    [Fact]
    public void A_Pi_4_starts_over_after_a_NAK()
    {
        var client = new EepromDhcp(Pi4, new Random(1));
        var xid = client.Start(TimeSpan.Zero)!.TransactionId;
        client.Receive(Offer(Pi4, xid), TimeSpan.Zero);

        var next = client.Receive(Offer(Pi4, xid, type: DhcpMessageType.Nak), TimeSpan.FromSeconds(1));

        Assert.Equal(DhcpMessageType.Discover, next?.MessageType);
    }

    [Fact]
    public void The_installer_asks_as_udhcpc_does()
    {
        var client = new PlainDhcp(Pi4.Mac, PlainDhcpKind.Udhcpc, "", new Random(1));

        var sent = Run(client, TimeSpan.FromMinutes(1));

        Assert.Equal(5, sent.Count);
        Assert.True(client.HasGivenUp);
        var options = sent[0].Packet.Options;
        Assert.True(options.TryGetText(DhcpOption.VendorClass, out var vendor));
        Assert.Equal("udhcp 1.35.0", vendor);
        Assert.False(options.Contains(DhcpOption.ClientIdentifier));
    }

    private static List<(TimeSpan At, DhcpPacket Packet)> Run(IDhcpClient client, TimeSpan until)
    {
        var sent = new List<(TimeSpan, DhcpPacket)>();
        if (client.Start(TimeSpan.Zero) is { } first) sent.Add((TimeSpan.Zero, first));
        while (client.Deadline is { } at && at < until)
            if (client.Tick(at) is { } packet) sent.Add((at, packet));
        return sent;
    }

    private static DhcpArrival Offer(
        BoardSpec board, uint xid, Action<DhcpOptions>? change = null, DhcpMessageType type = DhcpMessageType.Offer)
    {
        var packet = new DhcpPacket
        {
            Operation = DhcpOperation.Reply,
            TransactionId = xid,
            Mac = board.Mac,
            YourAddress = IPv4Address.Parse("10.77.0.100"),
        };
        packet.Options.Set(DhcpOption.MessageType, (byte)type);
        packet.Options.Set(DhcpOption.ServerIdentifier, StandInManager.Address);
        packet.Options.Set(DhcpOption.SubnetMask, IPv4Address.Parse("255.255.0.0"));
        packet.Options.Set(DhcpOption.TftpServerName, StandInManager.Address.ToString());
        packet.Options.Set(DhcpOption.VendorSpecific, PxeVendorOptions.RaspberryPiBoot);
        change?.Invoke(packet.Options);
        return new DhcpArrival(packet, StandInManager.Mac, StandInManager.Address);
    }
}
