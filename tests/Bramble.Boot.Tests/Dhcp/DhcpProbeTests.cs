using Bramble.Boot.Dhcp;
using Bramble.Testing;
using Bramble.Testing.Dhcp;
using Bramble.Wire;
using Bramble.Wire.Dhcp;
using static Bramble.Boot.Tests.Dhcp.Nets;

namespace Bramble.Boot.Tests.Dhcp;

/// <summary>Addresses are tried before the pool offers them, where that is wished.</summary>
public sealed class DhcpProbeTests
{
    private static readonly MacAddress Stranger = MacAddress.Parse("52:54:00:00:00:99");

    private static readonly TimeSpan Timeout = TimeSpan.FromMilliseconds(300);

    private static readonly DhcpNetwork Tried = Rack with { Probe = AddressProbe.Arp, ProbeTimeout = Timeout };

    [Fact]
    public async Task An_address_that_nobody_answers_for_is_offered_after_the_timeout()
    {
        await using var rig = new DhcpRig(Tried);
        rig.Channel.Receive(Client.Discover(Mac(1)).ToArray());
        await rig.AskedAsync(1);
        Assert.False(rig.Channel.TryTake(out _));
        // The first question may have been lost: a second one is asked halfway.
        rig.Clock.Advance(Timeout / 2);
        await rig.AskedAsync(2);
        Assert.False(rig.Channel.TryTake(out _));
        rig.Clock.Advance(Timeout / 2);
        Assert.Equal(Address(100), (await rig.Channel.NextAsync()).Packet.YourAddress);
        Assert.Equal([Address(100), Address(100)], rig.Probes.Asked);
    }

    [Fact]
    public async Task An_address_that_a_stranger_answers_for_is_set_aside_and_the_client_gets_the_next()
    {
        await using var rig = new DhcpRig(Tried);
        rig.Probes.Taken[Address(100)] = Stranger;
        rig.Probes.Taken[Address(101)] = Stranger;
        rig.Channel.Receive(Client.Discover(Mac(1)).ToArray());
        await rig.AskedAsync(3);
        rig.Clock.Advance(Timeout / 2);
        rig.Clock.Advance(Timeout / 2);
        Assert.Equal(Address(102), (await rig.Channel.NextAsync()).Packet.YourAddress);
        await Patience.UntilAsync(() => rig.Store.Load().Count == 2, "both are on record");
        Assert.All(rig.Store.Load(), lease => Assert.Equal(LeaseState.Declined, lease.State));
        Assert.Contains(rig.Notices, n => n.Kind == DhcpNoticeKind.AddressInUse && n.Message.Contains("10.77.0.100"));
    }

    [Fact]
    public async Task After_three_strangers_the_client_is_left_to_ask_again()
    {
        await using var rig = new DhcpRig(Tried);
        for (var i = 100; i < 110; i++) rig.Probes.Taken[Address(i)] = Stranger;
        rig.Channel.Receive(Client.Discover(Mac(1)).ToArray());
        await rig.UntilIgnoredAsync(DhcpIgnoreReason.AddressesInUse);
        Assert.Equal(3, rig.Probes.Asked.Count);
    }

    [Fact]
    public async Task The_client_itself_may_still_use_the_address()
    {
        await using var rig = new DhcpRig(Tried);
        rig.Probes.Taken[Address(100)] = Mac(1);
        rig.Channel.Receive(Client.Discover(Mac(1)).ToArray());
        await rig.AskedAsync(1);
        rig.Clock.Advance(Timeout / 2);
        rig.Clock.Advance(Timeout / 2);
        Assert.Equal(Address(100), (await rig.Channel.NextAsync()).Packet.YourAddress);
    }

    [Fact]
    public async Task Others_are_answered_while_one_is_being_tried_and_what_is_known_is_not_tried()
    {
        await using var rig = new DhcpRig(Tried with
        {
            Reservations = new Dictionary<MacAddress, IPv4Address> { [Mac(2)] = Address(40) },
        });
        rig.Channel.Receive(Client.Discover(Mac(1)).ToArray());
        await rig.AskedAsync(1);
        rig.Channel.Receive(Client.Discover(Mac(2)).ToArray());
        Assert.Equal(Address(40), (await rig.Channel.NextAsync()).Packet.YourAddress);
        rig.Channel.Receive(Client.Packet(DhcpMessageType.Request, Mac(3), Address(150)).ToArray());
        Assert.Equal(DhcpMessageType.Ack, (await rig.Channel.NextAsync()).Packet.MessageType);
        // Who holds an address and asks anew gets it at once.
        rig.Channel.Receive(Client.Discover(Mac(3)).ToArray());
        Assert.Equal(Address(150), (await rig.Channel.NextAsync()).Packet.YourAddress);
        Assert.Single(rig.Probes.Asked);
    }

    [Fact]
    public async Task A_client_that_repeats_itself_meanwhile_is_answered_once_for_its_last_packet()
    {
        await using var rig = new DhcpRig(Tried);
        rig.Channel.Receive(Client.Packet(DhcpMessageType.Discover, Mac(1), xid: 1).ToArray());
        await rig.AskedAsync(1);
        rig.Channel.Receive(Client.Packet(DhcpMessageType.Discover, Mac(1), xid: 2).ToArray());
        await Patience.UntilAsync(() => rig.Server.Snapshot().Received == 2, "both are read");
        await DhcpRig.PauseAsync();
        rig.Clock.Advance(Timeout / 2);
        rig.Clock.Advance(Timeout / 2);
        Assert.Equal(2u, (await rig.Channel.NextAsync()).Packet.TransactionId);
        Assert.False(rig.Channel.TryTake(out _));
    }

    [Fact]
    public async Task A_Pi_3_is_answered_as_late_as_ever_and_not_later()
    {
        await using var rig = new DhcpRig(Tried with { ProbeTimeout = TimeSpan.FromMilliseconds(500) });
        rig.Probes.Taken[Address(100)] = Stranger;
        rig.Channel.Receive(GoldenDhcp.Pi3BDiscover);
        await rig.AskedAsync(2);
        rig.Clock.Advance(TimeSpan.FromMilliseconds(250));
        rig.Clock.Advance(TimeSpan.FromMilliseconds(250));
        await Patience.UntilAsync(() => rig.Server.Snapshot().Delayed == 1, "the OFFER waits");
        rig.Clock.Advance(TimeSpan.FromMilliseconds(1499));
        Assert.False(rig.Channel.TryTake(out _));
        rig.Clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(Address(101), (await rig.Channel.NextAsync()).Packet.YourAddress);
    }

    [Fact]
    public async Task When_too_many_are_being_tried_the_next_is_offered_untried()
    {
        await using var rig = new DhcpRig(Tried with
        {
            Server = IPv4Prefix.Parse("10.77.0.1/16"),
            Pools = [new AddressRange(IPv4Address.Parse("10.77.1.0"), IPv4Address.Parse("10.77.9.255"))],
        });
        for (var i = 1; i <= AddressProber.Capacity + 5; i++) rig.Channel.Receive(Client.Discover(Mac(i)).ToArray());
        for (var i = 0; i < 5; i++) await rig.Channel.NextAsync();
        Assert.Equal(AddressProber.Capacity, rig.Probes.Asked.Count);
    }

    [Theory]
    [InlineData("0001 0800 06 04 0002 525400000099 0a4d0064 020000000001 00000000", true)]
    [InlineData("0001 0800 06 04 0001 525400000099 0a4d0064 000000000000 0a4d0001", true)]
    [InlineData("0001 0800 06 04 0001 525400000099 00000000 000000000000 0a4d0064", false)]
    [InlineData("0001 86dd 06 04 0002 525400000099 0a4d0064 020000000001 00000000", false)]
    [InlineData("0001 0800 06 04 0002 525400000099 0a4d", false)]
    public void Who_speaks_ARP_as_an_address_has_it(string hex, bool answers)
    {
        var frame = Convert.FromHexString("ffffffffffff5254000000990806" + hex.Replace(" ", ""));
        Assert.Equal(answers, ArpProbe.TryRead(frame, out var answer));
        if (answers) Assert.Equal(new ProbeAnswer(Address(100), Stranger), answer);
    }
}
