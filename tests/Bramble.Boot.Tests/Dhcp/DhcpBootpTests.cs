using Bramble.Boot.Dhcp;
using Bramble.Testing;
using Bramble.Wire;
using Bramble.Wire.Dhcp;
using static Bramble.Boot.Tests.Dhcp.Nets;

namespace Bramble.Boot.Tests.Dhcp;

/// <summary>BOOTP clients (RFC 951, RFC 1534): no option 53.</summary>
public sealed class DhcpBootpTests
{
    private static byte[] Question(int n) => new DhcpPacket { Mac = Mac(n), TransactionId = 9 }.ToArray();

    [Fact]
    public async Task A_BOOTP_client_gets_its_reservation_for_ever_and_no_option_of_DHCP()
    {
        await using var rig = new DhcpRig(Rack with
        {
            Reservations = new Dictionary<MacAddress, IPv4Address> { [Mac(1)] = Address(40) },
        });
        rig.Channel.Receive(Question(1));
        var (reply, to) = await rig.Channel.NextAsync();
        Assert.Equal(DhcpOperation.Reply, reply.Operation);
        Assert.Equal(Address(40), reply.YourAddress);
        Assert.Equal(Address(40), to.Address);
        Assert.Equal(DhcpMessageType.None, reply.MessageType);
        foreach (var option in (DhcpOption[])[DhcpOption.MessageType, DhcpOption.LeaseTime,
            DhcpOption.ServerIdentifier, DhcpOption.RenewalTime, DhcpOption.RebindingTime])
            Assert.False(reply.Options.Contains(option), $"option {option}");
        Assert.True(reply.Options.TryGetAddress(DhcpOption.SubnetMask, out var mask));
        Assert.Equal("255.255.255.0", mask.ToString());
        Assert.Equal(300, reply.ToArray().Length);
        var lease = Assert.Single(rig.Store.Load());
        Assert.Equal(DateTimeOffset.MaxValue, lease.ExpiresAt);
        await Patience.UntilAsync(() => rig.Directory.Steps.Any(s => s.What == "BOOTREPLY"), "it is on the timeline");
        rig.Clock.Advance(TimeSpan.FromDays(1000));
        Assert.True(rig.Leases.TryFind(Address(40), out _));
    }

    [Fact]
    public async Task Without_a_reservation_it_gets_nothing_and_the_reason_is_counted()
    {
        await using var rig = new DhcpRig();
        rig.Channel.Receive(Question(1));
        await rig.UntilIgnoredAsync(DhcpIgnoreReason.BootpUnreserved);
        Assert.False(rig.Channel.TryTake(out _));
        Assert.Equal(0, rig.Leases.Count);
    }

    [Fact]
    public async Task Where_it_is_allowed_it_gets_an_address_of_the_pool_that_nobody_else_ever_gets()
    {
        await using var rig = new DhcpRig(Small(1) with { Bootp = true });
        rig.Channel.Receive(Question(1));
        Assert.Equal(Address(100), (await rig.Channel.NextAsync()).Packet.YourAddress);
        rig.Clock.Advance(TimeSpan.FromDays(365));
        rig.Channel.Receive(Client.Discover(Mac(2)).ToArray());
        await rig.UntilIgnoredAsync(DhcpIgnoreReason.PoolExhausted);
        rig.Channel.Receive(Question(1));
        Assert.Equal(Address(100), (await rig.Channel.NextAsync()).Packet.YourAddress);
    }

    [Fact]
    public async Task What_does_not_fit_into_64_octets_is_left_out_and_never_put_into_file_or_sname()
    {
        var large = new DhcpOptionSet("network rack", [new DhcpOptionRule((DhcpOption)224, new byte[60])]);
        await using var rig = new DhcpRig(Rack with { Bootp = true, Options = large });
        rig.Channel.Receive(Question(1));
        var reply = (await rig.Channel.NextAsync()).Packet;
        Assert.False(reply.Options.Contains((DhcpOption)224));
        Assert.True(reply.Options.Contains(DhcpOption.SubnetMask));
        Assert.True(reply.File.IsEmpty);
    }

    [Fact]
    public async Task One_without_vendor_information_at_all_is_served()
    {
        await using var rig = new DhcpRig(Rack with { Bootp = true });
        var question = Question(1);
        question.AsSpan(236).Clear();
        rig.Channel.Receive(question);
        Assert.Equal(Address(100), (await rig.Channel.NextAsync()).Packet.YourAddress);
    }
}
