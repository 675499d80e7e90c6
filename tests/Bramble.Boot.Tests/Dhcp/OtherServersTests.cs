using Bramble.Boot.Dhcp;
using Bramble.Testing;
using Bramble.Wire;
using Bramble.Wire.Dhcp;
using Bramble.Wire.Pcap;
using static Bramble.Boot.Tests.Dhcp.Nets;

namespace Bramble.Boot.Tests.Dhcp;

public sealed class OtherServersTests
{
    private static readonly MacAddress Theirs = MacAddress.Parse("52:54:00:00:00:99");

    /// <summary>Octet for octet as another server sends it, but for what a test changes.</summary>
    private static byte[] Answer(
        int server, DhcpMessageType type = DhcpMessageType.Offer, MacAddress? mac = null, ushort port = 68,
        bool address = true)
    {
        var packet = new DhcpPacket
        {
            Operation = DhcpOperation.Reply,
            Mac = Mac(5),
            YourAddress = address ? Address(30) : IPv4Address.Any,
        };
        packet.Options.Set(DhcpOption.MessageType, (byte)type).Set(DhcpOption.ServerIdentifier, Address(server));
        var payload = packet.ToArray();
        var frame = new byte[UdpFrame.HeaderSize + payload.Length];
        new UdpFrame(mac ?? Theirs, MacAddress.Broadcast, Address(server), 67, IPv4Address.Broadcast, port)
            .Write(frame, payload);
        return frame;
    }

    [Fact]
    public async Task Another_server_is_warned_of_once_with_its_address_and_MAC()
    {
        await using var rig = new DhcpRig();
        rig.Link.Receive(Answer(9));
        rig.Link.Receive(Answer(9, DhcpMessageType.Ack));
        rig.Link.Receive(Answer(10));
        await Patience.UntilAsync(() => rig.Notices.Count == 2, "both servers");
        var notice = rig.Notices.First();
        Assert.Equal(DhcpNoticeKind.OtherServer, notice.Kind);
        Assert.Contains("10.77.0.9 (52:54:00:00:00:99)", notice.Message);
        Assert.Equal([Address(9), Address(10)], rig.Server.Snapshot().OtherServers.Select(o => o.Address));
    }

    [Fact]
    public async Task It_asks_at_the_start_and_every_five_minutes_as_a_client_with_our_own_MAC()
    {
        await using var rig = new DhcpRig();
        await Patience.UntilAsync(() => rig.Link.Sent.Count == 1, "a question");
        Assert.True(UdpFrame.TryRead(rig.Link.Sent.First(), out var udp, out var payload, out _));
        Assert.Equal((68, 67), (udp.SourcePort, udp.DestinationPort));
        Assert.Equal(MacAddress.Broadcast, udp.DestinationMac);
        Assert.True(DhcpPacket.TryRead(payload, out var packet, out _));
        Assert.Equal((DhcpMessageType.Discover, rig.Link.Mac, true),
            (packet.MessageType, packet.Mac, packet.WantsBroadcast));
        await Patience.UntilAsync(() => rig.Link.Sent.Count == 2, "the next question",
            () => rig.Clock.Advance(OtherServers.Interval));
    }

    [Fact]
    public async Task One_that_has_gone_is_told_of_as_well()
    {
        await using var rig = new DhcpRig();
        rig.Link.Receive(Answer(9));
        await Patience.UntilAsync(() => rig.Notices.Count == 1, "the server");
        await Patience.UntilAsync(() => rig.Notices.Count == 2, "its going",
            () => rig.Clock.Advance(OtherServers.Interval));
        Assert.Equal(DhcpNoticeKind.OtherServerGone, rig.Notices.Last().Kind);
        Assert.Empty(rig.Server.Snapshot().OtherServers);
    }

    [Fact]
    public async Task Our_own_words_proxies_and_garbage_are_no_other_server()
    {
        await using var rig = new DhcpRig();
        rig.Link.Receive(Answer(1));
        rig.Link.Receive(Answer(9, mac: rig.Link.Mac));
        rig.Link.Receive(Answer(9, address: false));
        rig.Link.Receive(Answer(9, port: 67));
        rig.Link.Receive(Answer(9, DhcpMessageType.Discover));
        rig.Link.Receive([1, 2, 3]);
        rig.Link.Receive(Answer(11));
        await Patience.UntilAsync(() => !rig.Notices.IsEmpty, "the one that is a server");
        Assert.Contains("10.77.0.11", Assert.Single(rig.Notices).Message);
    }

    [Fact]
    public async Task A_flood_of_made_up_servers_is_bounded()
    {
        await using var rig = new DhcpRig();
        for (var i = 2; i < 200; i++) rig.Link.Receive(Answer(i));
        rig.Channel.Receive(Client.Discover(Mac(1)).ToArray());
        await rig.Channel.NextAsync();
        await Patience.UntilAsync(() => rig.Notices.Count == 16, "those that are kept");
        Assert.Equal(16, rig.Server.Snapshot().OtherServers.Count);
    }

    [Theory]
    [InlineData(DhcpMode.Proxy)]
    [InlineData(DhcpMode.Reservations)]
    public async Task Where_another_server_is_to_be_expected_nobody_looks(DhcpMode mode)
    {
        await using var rig = new DhcpRig(Rack with { Mode = mode });
        rig.Link.Receive(Answer(9));
        await DhcpRig.PauseAsync();
        Assert.Empty(rig.Link.Sent);
        Assert.Empty(rig.Notices);
    }
}
