using Bramble.Boot.Dhcp;
using Bramble.Wire;
using Bramble.Wire.Dhcp;
using static Bramble.Boot.Tests.Dhcp.Nets;

namespace Bramble.Boot.Tests.Dhcp;

/// <summary>Networks behind relays, through the real server.</summary>
public sealed class DhcpRelayTests
{
    private static readonly IPv4Address Relay = IPv4Address.Parse("10.1.0.254");

    private static readonly DhcpNetwork Annex = new()
    {
        Name = "annex",
        Interface = "eth0",
        Server = Rack.Server,
        Relayed = IPv4Prefix.Parse("10.1.0.0/24"),
        Pools = [new AddressRange(IPv4Address.Parse("10.1.0.10"), IPv4Address.Parse("10.1.0.20"))],
        Router = Relay,
    };

    private static readonly DhcpNetwork Cellar = Annex with
    {
        Name = "cellar",
        Relayed = IPv4Prefix.Parse("10.2.0.0/24"),
        Pools = [new AddressRange(IPv4Address.Parse("10.2.0.10"), IPv4Address.Parse("10.2.0.20"))],
        Router = IPv4Address.Parse("10.2.0.254"),
    };

    private static DhcpRig Start() => new(relayed: [Annex, Cellar]);

    private static byte[] Relayed(DhcpPacket packet, IPv4Address giaddr, params byte[] option82)
    {
        packet.RelayAddress = giaddr;
        if (option82.Length > 0) packet.Options.Set(DhcpOption.RelayAgentInformation, option82);
        return packet.ToArray();
    }

    [Fact]
    public async Task A_relayed_client_gets_an_address_of_its_own_network_by_way_of_its_relay()
    {
        await using var rig = Start();
        rig.Channel.Receive(Relayed(Client.Discover(Mac(1)), Relay, 1, 2, 7, 7));
        var (offer, to) = await rig.Channel.NextAsync();
        Assert.Equal("10.1.0.10", offer.YourAddress.ToString());
        Assert.Equal((Relay, 67), (to.Address, to.Port));
        Assert.Null(to.Neighbour);
        Assert.Equal(Relay, offer.RelayAddress);
        Assert.True(offer.Options.TryGetAddress(DhcpOption.ServerIdentifier, out var server));
        Assert.Equal(Nets.Server, server);
        Assert.True(offer.Options.TryGetAddress(DhcpOption.Router, out var router));
        Assert.Equal(Relay, router);
        Assert.Equal(DhcpOption.RelayAgentInformation, offer.Options.OptionAt(offer.Options.Count - 1));
        Assert.Equal("annex", rig.Directory.Sightings.Single().Network);

        rig.Channel.Receive(Relayed(Client.Select(Mac(1), offer.YourAddress), Relay));
        Assert.Equal(DhcpMessageType.Ack, (await rig.Channel.NextAsync()).Packet.MessageType);
        Assert.Equal("annex", Assert.Single(rig.Store.Load()).Network);
        Assert.Equal(2, rig.Server.Snapshots().Single(s => s.Network == "annex").Received);
        Assert.Equal(0, rig.Server.Snapshot().Received);
    }

    [Fact]
    public async Task Clients_on_the_interface_and_behind_two_relays_are_served_side_by_side()
    {
        await using var rig = Start();
        rig.Channel.Receive(Client.Discover(Mac(1)).ToArray());
        rig.Channel.Receive(Relayed(Client.Discover(Mac(2)), Relay));
        rig.Channel.Receive(Relayed(Client.Discover(Mac(3)), IPv4Address.Parse("10.2.0.254")));
        Assert.Equal("10.77.0.100", (await rig.Channel.NextAsync()).Packet.YourAddress.ToString());
        Assert.Equal("10.1.0.10", (await rig.Channel.NextAsync()).Packet.YourAddress.ToString());
        Assert.Equal("10.2.0.10", (await rig.Channel.NextAsync()).Packet.YourAddress.ToString());
    }

    [Fact]
    public async Task Link_selection_tells_the_clients_network_where_the_relays_address_does_not()
    {
        await using var rig = Start();
        var elsewhere = IPv4Address.Parse("192.0.2.1");
        rig.Channel.Receive(Relayed(Client.Discover(Mac(1)), elsewhere, 5, 4, 10, 2, 0, 0));
        var (offer, to) = await rig.Channel.NextAsync();
        Assert.Equal("10.2.0.10", offer.YourAddress.ToString());
        Assert.Equal(elsewhere, to.Address);
    }

    [Fact]
    public async Task A_relay_may_stand_in_for_the_server_by_its_own_identifier()
    {
        await using var rig = Start();
        byte[] overriding = [11, 4, 10, 1, 0, 254];
        rig.Channel.Receive(Relayed(Client.Discover(Mac(1)), Relay, overriding));
        var offer = (await rig.Channel.NextAsync()).Packet;
        Assert.True(offer.Options.TryGetAddress(DhcpOption.ServerIdentifier, out var server));
        Assert.Equal(Relay, server);
        rig.Channel.Receive(Relayed(
            Client.Packet(DhcpMessageType.Request, Mac(1), offer.YourAddress, Relay), Relay, overriding));
        Assert.Equal(DhcpMessageType.Ack, (await rig.Channel.NextAsync()).Packet.MessageType);
        // Without the sub-option, that identifier is another server's.
        rig.Channel.Receive(Relayed(Client.Packet(DhcpMessageType.Request, Mac(1), offer.YourAddress, Relay), Relay));
        await Bramble.Testing.Patience.UntilAsync(() => rig.Server.Snapshots().Single(s => s.Network == "annex")
            .Ignored.GetValueOrDefault(DhcpIgnoreReason.ForAnotherServer) == 1, "the REQUEST is another's");
    }

    [Fact]
    public async Task A_renewal_comes_past_the_relay_and_goes_back_to_the_client()
    {
        await using var rig = Start();
        var address = IPv4Address.Parse("10.1.0.15");
        rig.Channel.Receive(Relayed(Client.Packet(DhcpMessageType.Request, Mac(1), address), Relay));
        await rig.Channel.NextAsync();
        rig.Channel.Receive(Client.Packet(DhcpMessageType.Request, Mac(1), ciaddr: address).ToArray());
        var (ack, to) = await rig.Channel.NextAsync();
        Assert.Equal((DhcpMessageType.Ack, address), (ack.MessageType, ack.YourAddress));
        Assert.Equal((address, 68), (to.Address, to.Port));
        rig.Channel.Receive(
            Client.Packet(DhcpMessageType.Release, Mac(1), server: Nets.Server, ciaddr: address).ToArray());
        await Bramble.Testing.Patience.UntilAsync(
            () => rig.Store.Load() is [{ State: LeaseState.Released }], "RELEASE has been stored");
    }

    [Fact]
    public async Task A_wrong_address_behind_a_relay_is_refused_by_broadcast_there()
    {
        await using var rig = Start();
        rig.Channel.Receive(Relayed(Client.Packet(DhcpMessageType.Request, Mac(1), Address(100)), Relay));
        var (nak, to) = await rig.Channel.NextAsync();
        Assert.Equal(DhcpMessageType.Nak, nak.MessageType);
        Assert.True(nak.WantsBroadcast);
        Assert.Equal((Relay, 67), (to.Address, to.Port));
    }

    [Fact]
    public async Task A_relay_of_no_network_here_is_ignored_and_counted()
    {
        await using var rig = Start();
        rig.Channel.Receive(Relayed(Client.Discover(Mac(1)), IPv4Address.Parse("10.3.0.254")));
        await rig.UntilIgnoredAsync(DhcpIgnoreReason.RelayedFromElsewhere);
        rig.Channel.Receive(Relayed(Client.Discover(Mac(1)), Relay, 5, 4, 10, 3, 0, 0));
        await rig.UntilIgnoredAsync(DhcpIgnoreReason.RelayedFromElsewhere, 2);
    }
}
