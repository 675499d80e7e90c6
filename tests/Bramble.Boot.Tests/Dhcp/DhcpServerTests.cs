using Bramble.Boot.Dhcp;
using Bramble.Testing;
using Bramble.Testing.Dhcp;
using Bramble.Wire;
using Bramble.Wire.Dhcp;
using static Bramble.Boot.Tests.Dhcp.Nets;

namespace Bramble.Boot.Tests.Dhcp;

public sealed class DhcpServerTests
{
    [Fact]
    public async Task An_ACK_leaves_only_after_its_lease_is_durable()
    {
        await using var rig = new DhcpRig();
        rig.Channel.Receive(GoldenDhcp.Pi4Discover);
        Assert.Equal(DhcpMessageType.Offer, (await rig.Channel.NextAsync()).Packet.MessageType);

        var disk = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        rig.Store.Before = () => disk.Task;
        rig.Channel.Receive(GoldenDhcp.Pi4Request);
        await Patience.UntilAsync(() => rig.Store.BatchSizes.Count == 1, "the commit has begun");
        // A later packet is answered: the loop does not wait for the disk, the ACK does.
        rig.Channel.Receive(Client.Discover(Mac(5)).ToArray());
        Assert.Equal(Mac(5), (await rig.Channel.NextAsync()).Packet.Mac);
        Assert.False(rig.Channel.TryTake(out _));
        Assert.False(rig.Leases.TryFind(Address(100), out _));

        disk.SetResult();
        var (ack, _) = await rig.Channel.NextAsync();
        Assert.Equal(DhcpMessageType.Ack, ack.MessageType);
        Assert.Equal(Address(100), Assert.Single(rig.Store.Load()).Address);
        Assert.True(rig.Leases.TryFind(Address(100), out _));
    }

    [Fact]
    public async Task A_3Bs_OFFER_is_durable_first_then_waits_without_holding_up_others()
    {
        await using var rig = new DhcpRig();
        rig.Channel.Receive(GoldenDhcp.Pi3BDiscover);
        await Patience.UntilAsync(() => rig.Server.Snapshot().Delayed == 1, "the OFFER waits");
        Assert.Equal(Address(100), Assert.Single(rig.Store.Load()).Address);
        rig.Channel.Receive(GoldenDhcp.Pi4Discover);
        Assert.Equal("dc:a6:32:2e:f8:ed", (await rig.Channel.NextAsync()).Packet.Mac.ToString());

        rig.Clock.Advance(TimeSpan.FromSeconds(1.9));
        Assert.False(rig.Channel.TryTake(out _));
        rig.Clock.Advance(TimeSpan.FromSeconds(0.1));
        var (offer, to) = await rig.Channel.NextAsync();
        Assert.Equal(DhcpMessageType.Offer, offer.MessageType);
        Assert.Equal(Address(100), offer.YourAddress);
        Assert.True(to.PinNeighbour);
    }

    [Theory]
    [InlineData("3B DISCOVER")]
    [InlineData("3B+ DISCOVER")]
    public async Task What_was_offered_to_a_3B_is_given_to_nobody_else_though_it_never_asked(string golden)
    {
        await using var rig = new DhcpRig(Small(1));
        rig.Channel.Receive(GoldenDhcp.All[golden]);
        await Patience.UntilAsync(() => rig.Server.Snapshot().Delayed == 1, "the OFFER waits");
        rig.Clock.Advance(LeaseTable.OfferHold * 4);
        rig.Channel.Receive(Client.Discover(Mac(2)).ToArray());
        await rig.UntilIgnoredAsync(DhcpIgnoreReason.PoolExhausted);
        rig.Channel.Receive(Client.Packet(DhcpMessageType.Request, Mac(2), Address(100)).ToArray());
        await rig.Channel.NextAsync();
        Assert.Equal(DhcpMessageType.Nak, (await rig.Channel.NextAsync()).Packet.MessageType);
    }

    [Fact]
    public async Task A_store_that_fails_costs_the_answer_and_nothing_else()
    {
        await using var rig = new DhcpRig();
        rig.Store.Before = () => throw new IOException("database or disk is full");
        rig.Channel.Receive(Client.Packet(DhcpMessageType.Request, Mac(1), Address(100)).ToArray());
        rig.Channel.Receive(GoldenDhcp.Pi3BDiscover);
        await rig.UntilIgnoredAsync(DhcpIgnoreReason.StoreFailed, 2);
        Assert.False(rig.Channel.TryTake(out _));
        Assert.Contains(rig.Directory.Steps, s =>
            s is { What: "ACK", Outcome: StepOutcome.Failed } && s.Detail.Contains("disk is full"));
        Assert.Equal(2, rig.Committer.Failed);

        rig.Store.Before = () => Task.CompletedTask;
        rig.Channel.Receive(Client.Packet(DhcpMessageType.Request, Mac(1), Address(100)).ToArray());
        Assert.Equal(DhcpMessageType.Ack, (await rig.Channel.NextAsync()).Packet.MessageType);
    }

    [Fact]
    public async Task A_lease_survives_a_restart()
    {
        await using var before = new DhcpRig();
        before.Channel.Receive(Client.Packet(DhcpMessageType.Request, Mac(1), Address(150)).ToArray());
        await before.Channel.NextAsync();

        await using var after = new DhcpRig();
        after.Leases.Load(before.Store.Load());
        after.Channel.Receive(Client.Packet(DhcpMessageType.Request, Mac(2), Address(150)).ToArray());
        Assert.Equal(DhcpMessageType.Nak, (await after.Channel.NextAsync()).Packet.MessageType);
        after.Channel.Receive(Client.Discover(Mac(1)).ToArray());
        Assert.Equal(Address(150), (await after.Channel.NextAsync()).Packet.YourAddress);
    }

    [Fact]
    public async Task A_thousand_boards_at_once_share_few_commits()
    {
        await using var rig = new DhcpRig(Rack with
        {
            Server = IPv4Prefix.Parse("10.77.0.1/16"),
            Pools = [new AddressRange(IPv4Address.Parse("10.77.1.0"), IPv4Address.Parse("10.77.5.255"))],
        });
        var disk = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        rig.Store.Before = () => disk.Task;
        for (var i = 1; i <= 1000; i++)
        {
            var address = IPv4Address.Parse("10.77.1.0").Bits + (uint)i;
            rig.Channel.Receive(Client.Packet(DhcpMessageType.Request, Mac(i), new IPv4Address(address)).ToArray());
        }
        await Patience.UntilAsync(
            () => rig.Server.Snapshot().Received == 1000, "all were read while the disk was busy");
        disk.SetResult();
        var addresses = new HashSet<IPv4Address>();
        for (var i = 0; i < 1000; i++)
        {
            var (packet, _) = await rig.Channel.NextAsync();
            Assert.Equal(DhcpMessageType.Ack, packet.MessageType);
            Assert.True(addresses.Add(packet.YourAddress));
        }
        Assert.Equal(1000, rig.Committer.Committed);
        Assert.InRange(rig.Committer.Batches, 1, 4);
    }

    [Fact]
    public async Task Every_step_is_on_the_timeline()
    {
        await using var rig = new DhcpRig();
        rig.Channel.Receive(GoldenDhcp.Pi4Discover);
        await rig.Channel.NextAsync();
        rig.Channel.Receive(GoldenDhcp.Pi4Request);
        await rig.Channel.NextAsync();
        await Patience.UntilAsync(() => rig.Directory.Steps.Count == 4, "four steps");
        Assert.Equal(["DISCOVER", "OFFER", "REQUEST", "ACK"], rig.Directory.Steps.Select(s => s.What));
        Assert.All(rig.Directory.Steps, s => Assert.Equal("dc:a6:32:2e:f8:ed", s.Mac.ToString()));
        Assert.Equal("Raspberry Pi 4 Model B, serial 5b154510", rig.Directory.Steps.First().Detail);
        Assert.Equal("bound 10.77.0.100 for 3600 s", rig.Directory.Steps.Last().Detail);
        Assert.Equal(Address(100), rig.Directory.Steps.Last().Address);
        Assert.Equal("5b154510", rig.Directory.Sightings.First().Board.Serial);
        Assert.Equal("rack", rig.Directory.Sightings.First().Network);
    }

    [Fact]
    public async Task A_directory_that_throws_costs_one_packet()
    {
        await using var rig = new DhcpRig();
        rig.Directory.Plan = sighting => sighting.Mac == Mac(1)
            ? throw new InvalidOperationException("a bug")
            : new BoardPlan(Admission.Serve);
        rig.Channel.Receive(Client.Discover(Mac(1)).ToArray());
        rig.Channel.Receive(Client.Discover(Mac(2)).ToArray());
        Assert.Equal(Mac(2), (await rig.Channel.NextAsync()).Packet.Mac);
        Assert.Equal(1, rig.Server.Snapshot().Ignored[DhcpIgnoreReason.Fault]);
    }

    [Fact]
    public async Task A_network_that_refuses_an_answer_is_recorded()
    {
        await using var rig = new DhcpRig();
        rig.Channel.RefusesToSend = true;
        rig.Channel.Receive(Client.Discover(Mac(1)).ToArray());
        await rig.UntilIgnoredAsync(DhcpIgnoreReason.SendFailed);
        await Patience.UntilAsync(() => rig.Directory.Steps.Any(s => s.Detail.Contains("unreachable")), "recorded");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_interface_that_vanishes_is_waited_for(bool silently)
    {
        var opened = 0;
        var first = new FakeChannel();
        var last = new FakeChannel();
        await using var rig = new DhcpRig(open: _ => Interlocked.Increment(ref opened) switch
        {
            1 => first,
            2 or 3 => throw new IOException("there is no interface eth0"),
            _ => last,
        });
        first.Receive(Client.Discover(Mac(1)).ToArray());
        await first.NextAsync();
        if (silently) first.IsThere = false;
        else first.Break();
        // 5 s until it is noticed, then tries after 1, 2 and 4 s.
        for (var i = 0; i < 40 && Volatile.Read(ref opened) < 4; i++)
        {
            rig.Clock.Advance(TimeSpan.FromSeconds(1));
            await DhcpRig.PauseAsync();
        }
        Assert.Equal(4, opened);
        last.Receive(Client.Discover(Mac(2)).ToArray());
        Assert.Equal(Mac(2), (await last.NextAsync()).Packet.Mac);
    }

    [Fact]
    public async Task A_proxy_listens_on_both_ports()
    {
        await using var rig = new DhcpRig(Rack with { Mode = DhcpMode.Proxy });
        rig.Channel.Receive(GoldenDhcp.Pi4Discover);
        Assert.True((await rig.Channel.NextAsync()).Packet.YourAddress.IsAny);
        var question = Client.Read(GoldenDhcp.Pi4Request);
        question.ClientAddress = Address(33);
        rig.ProxyChannel.Receive(question.ToArray());
        Assert.Equal(DhcpMessageType.Ack, (await rig.ProxyChannel.NextAsync()).Packet.MessageType);
        rig.Channel.Receive(Client.Discover(Mac(1)).ToArray());
        await rig.UntilIgnoredAsync(DhcpIgnoreReason.NotForProxy);
        Assert.DoesNotContain(rig.Directory.Sightings, s => s.Mac == Mac(1));
    }
}
