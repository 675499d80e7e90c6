using Bramble.Boot.Dhcp;
using Bramble.Testing;
using Bramble.Testing.Dhcp;
using Bramble.Wire;
using Bramble.Wire.Dhcp;
using Microsoft.Extensions.Logging.Abstractions;
using static Bramble.Boot.Tests.Dhcp.Nets;

namespace Bramble.Boot.Tests.Dhcp;

/// <summary>Floods: of one client, and of a million that were made up.</summary>
[Collection(nameof(Alone))]
public sealed class DhcpFloodTests
{
    [Fact]
    public async Task One_client_that_floods_is_held_back_and_others_are_served()
    {
        await using var rig = new DhcpRig(Rack with { ClientRate = 10 });
        var flood = Client.Discover(Mac(1)).ToArray();
        for (var i = 0; i < 1000; i++) rig.Channel.Receive(flood);
        await rig.UntilIgnoredAsync(DhcpIgnoreReason.RateLimited, 960);
        Assert.Equal(40, rig.Server.Snapshot().Received);
        // What is held back leaves no step on a timeline: that would be the flood's second victim.
        Assert.InRange(rig.Directory.Steps.Count, 0, 80);
        for (var i = 0; i < 40; i++) await rig.Channel.NextAsync();
        rig.Channel.Receive(GoldenDhcp.Pi4Discover);
        Assert.Equal("dc:a6:32:2e:f8:ed", (await rig.Channel.NextAsync()).Packet.Mac.ToString());
        rig.Clock.Advance(TimeSpan.FromSeconds(1));
        for (var i = 0; i < 20; i++) rig.Channel.Receive(flood);
        await rig.UntilIgnoredAsync(DhcpIgnoreReason.RateLimited, 970);
        for (var i = 0; i < 10; i++) await rig.Channel.NextAsync();
    }

    [Fact]
    public void The_limit_is_for_each_client_refills_with_time_and_can_be_switched_off()
    {
        var clock = new ManualTimeProvider();
        var limiter = new ClientLimiter(clock, 2);
        for (var i = 0; i < 8; i++) Assert.True(limiter.TryTake(Mac(1)));
        Assert.False(limiter.TryTake(Mac(1)));
        Assert.True(limiter.TryTake(Mac(2)));
        clock.Advance(TimeSpan.FromSeconds(0.5));
        Assert.True(limiter.TryTake(Mac(1)));
        Assert.False(limiter.TryTake(Mac(1)));
        var free = new ClientLimiter(clock, 0);
        for (var i = 0; i < 1000; i++) Assert.True(free.TryTake(Mac(1)));
    }

    [Fact]
    public void A_flooding_client_stays_limited_among_as_many_others_as_the_table_holds_with_ease()
    {
        var limiter = new ClientLimiter(new ManualTimeProvider(), 10);
        for (var i = 0; i < 40; i++) Assert.True(limiter.TryTake(Mac(1)));
        for (var i = 2; i < ClientLimiter.Capacity / 4; i++) Assert.True(limiter.TryTake(Mac(i)));
        Assert.False(limiter.TryTake(Mac(1)));
    }

    [Fact]
    public void A_million_strangers_cost_bounded_memory_and_no_known_board_its_service()
    {
        // 65,024 addresses: the flood takes every one of them, again and again.
        var network = Rack with
        {
            Server = IPv4Prefix.Parse("10.77.0.1/16"),
            Pools = [new AddressRange(IPv4Address.Parse("10.77.1.0"), IPv4Address.Parse("10.77.254.255"))],
            Router = null,
        };
        var clock = new ManualTimeProvider();
        var leases = new LeaseTable(clock);
        var channel = new CountingChannel();
        var board = Client.Read(GoldenDhcp.Pi4Discover).Mac;
        var directory = new Bouncer(board);
        var committer = new LeaseCommitter(new FakeStore(), leases, clock, NullLogger<LeaseCommitter>.Instance);
        using var handler = new DhcpHandler(new DhcpNetworks(network, []), directory, leases, committer,
            new Dictionary<AddressProbe, AddressProber>(), clock, NullLogger.Instance);
        var door = new DhcpDoor(67, proxy: false) { Channel = channel };
        var stranger = Client.Discover(Mac(1)).ToArray();
        var known = GoldenDhcp.Pi4Discover;

        long settled = 0;
        for (var i = 0; i < 1_000_000; i++)
        {
            new MacAddress(0x0a00_0000_0000UL + (ulong)i).Write(stranger.AsSpan(28));
            handler.Handle(door, stranger, new DhcpDatagram(stranger.Length, IPv4Address.Any, 68));
            if (i % 10_000 == 9_999)
            {
                channel.Last = null;
                handler.Handle(door, known, new DhcpDatagram(known.Length, IPv4Address.Any, 68));
                Assert.True(channel.Last?.Mac == board && !channel.Last.YourAddress.IsAny,
                    $"the known board got no answer after {i + 1} strangers");
                // Thirty seconds a hundred thousand: offers run out while the flood goes on.
                clock.Advance(TimeSpan.FromSeconds(3));
            }
            if (i == 199_999) settled = GC.GetTotalMemory(forceFullCollection: true);
        }
        var grown = GC.GetTotalMemory(forceFullCollection: true) - settled;
        Assert.InRange(leases.Known, 1, 65_024);
        Assert.True(grown < 8 << 20, $"800,000 strangers more cost {grown:N0} octets");
        var counted = handler.Snapshot("rack");
        Assert.Equal(1_000_100, counted.Received);
        var turnedAway = counted.Ignored.GetValueOrDefault(DhcpIgnoreReason.PoolExhausted);
        Assert.Equal(counted.Received, counted.Sent + turnedAway);
        Assert.True(turnedAway > 100_000, "the pool was never full");
    }

    /// <summary>One node; everybody else is a stranger who is served.</summary>
    private sealed class Bouncer(MacAddress node) : IBootDirectory
    {
        public BoardPlan Find(BoardSighting sighting) =>
            new(Admission.Serve) { HostName = sighting.Mac == node ? "shelf-3" : null };

        public BootFileAnswer Open(BootFileRequest request) => BootFileAnswer.NotFound("no files here");

        public void Record(BootStep step)
        {
        }
    }

    private sealed class CountingChannel : IDhcpChannel
    {
        public DhcpPacket? Last { get; set; }

        public bool IsThere => true;

        public ValueTask<DhcpDatagram> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellation) =>
            throw new NotSupportedException();

        public void Send(ReadOnlySpan<byte> packet, in DhcpDestination to)
        {
            Assert.True(DhcpPacket.TryRead(packet, out var read, out _));
            Last = read;
        }

        public void Dispose()
        {
        }
    }
}

/// <summary>What is measured is the whole process's, so nothing else runs beside it.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public static class Alone;
