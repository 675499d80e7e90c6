using Bramble.Boot;
using Bramble.Boot.Dhcp;
using Bramble.Boot.Dns;
using Bramble.Contracts.Nodes;
using Bramble.Manager.Names;
using Bramble.Manager.Nodes;
using Bramble.Testing;
using Bramble.Wire;
using Bramble.Wire.Dns;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bramble.Manager.Tests.Names;

/// <summary>The zone follows the nodes and their leases.</summary>
public sealed class ClusterZonesTests : IAsyncDisposable
{
    private static readonly DnsName Zone = DnsName.Parse("bramble.internal");
    private static readonly DnsName Metrics = DnsName.Parse("_metrics._tcp.bramble.internal");

    private readonly Rig _rig = new();
    private readonly LeaseTable _leases;
    private readonly ClusterZones _zones;

    public ClusterZonesTests()
    {
        _leases = new LeaseTable(_rig.Clock);
        _zones = new ClusterZones(
            _rig.Options, _rig.Nodes, _leases, _rig.Clock, NullLogger<ClusterZones>.Instance);
    }

    public ValueTask DisposeAsync() => _rig.DisposeAsync();

    [Fact]
    public async Task A_node_has_a_name_as_soon_as_it_has_a_lease_and_loses_it_with_that()
    {
        var node = await _rig.AddAsync(1);
        Assert.Null(AddressOf("node-01"));
        Lease(1, "10.77.0.100");
        Assert.True(_zones.Refresh());
        Assert.Equal("10.77.0.100", AddressOf("node-01"));
        Assert.Equal("node-01.bramble.internal.", NameOf("10.77.0.100"));
        _leases.Release("rack", node.Mac, IPv4Address.Parse("10.77.0.100"));
        Assert.True(_zones.Refresh());
        Assert.Null(AddressOf("node-01"));
        Assert.Null(NameOf("10.77.0.100"));
    }

    [Fact]
    public async Task Every_change_raises_the_serial_and_no_change_leaves_all_as_it_is()
    {
        await _rig.AddAsync(1, spec => spec with { ReservedAddress = IPv4Address.Parse("10.77.0.11") });
        _zones.Refresh();
        var (before, serial) = (_zones.Current, _zones.Current.Serial);
        Assert.False(_zones.Refresh());
        Assert.Same(before, _zones.Current);
        for (var i = 0; i < 5; i++)
        {
            await _rig.AddAsync(10 + i, spec => spec with { ReservedAddress = new IPv4Address(0x0a4d0020u + (uint)i) });
            _zones.Refresh();
            Assert.True(_zones.Current.Serial > serial);
            serial = _zones.Current.Serial;
        }
    }

    [Fact]
    public async Task A_name_that_is_changed_is_answered_within_a_second()
    {
        using var stop = new CancellationTokenSource();
        var running = _zones.RunAsync(stop.Token);
        var node = await _rig.AddAsync(1, spec => spec with { ReservedAddress = IPv4Address.Parse("10.77.0.11") });
        await _rig.Nodes.Update(node.Id, n => n with { Name = "oven" }, "test").Durable;
        var moved = TimeSpan.Zero;
        await Patience.UntilAsync(() => AddressOf("oven") == "10.77.0.11", "the new name", () =>
        {
            _rig.Clock.Advance(TimeSpan.FromMilliseconds(50));
            moved += TimeSpan.FromMilliseconds(50);
        });
        Assert.Null(AddressOf("node-01"));
        // Looked for every 250 ms of the clock; the loop itself may be late by some turns.
        Assert.InRange(moved, TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(1));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    [Fact]
    public async Task Only_running_nodes_are_offered_to_who_collects_metrics()
    {
        var node = await _rig.AddAsync(1, spec => spec with { ReservedAddress = IPv4Address.Parse("10.77.0.11") });
        _zones.Refresh();
        Assert.Empty(Services());
        await _rig.SetAsync(node.Id, status => status with { Phase = NodePhase.Running });
        _zones.Refresh();
        var service = Assert.Single(Services());
        Assert.Equal("00000000238C", Convert.ToHexString(service.Data.Span[..6]));
        Assert.True(service.TryGetSrvTarget(out var target));
        Assert.Equal(Zone.Prepend("node-01"), target);
        await _rig.SetAsync(node.Id, status => status with { Phase = NodePhase.Lost });
        _zones.Refresh();
        Assert.Empty(Services());
        Assert.Equal("10.77.0.11", AddressOf("node-01"));
    }

    [Fact]
    public async Task The_lease_counts_before_the_reservation_and_an_address_of_another_not_at_all()
    {
        var first = await _rig.AddAsync(1, spec => spec with { ReservedAddress = IPv4Address.Parse("10.77.0.11") });
        Lease(1, "10.77.0.100");
        // Seen long ago at an address that is somebody else's now.
        var second = await _rig.AddAsync(2, status: status => status with
        {
            Phase = NodePhase.Running,
            Address = IPv4Address.Parse("10.77.0.100"),
        });
        _zones.Refresh();
        Assert.Equal("10.77.0.100", AddressOf(first.Name));
        Assert.Null(AddressOf(second.Name));
    }

    [Fact]
    public async Task Where_another_server_gives_the_addresses_the_one_it_was_seen_with_counts()
    {
        await _rig.AddAsync(1, status: status => status with
        {
            Phase = NodePhase.Running,
            Address = IPv4Address.Parse("10.77.0.50"),
        });
        await _rig.AddAsync(2, status: status => status with
        {
            Phase = NodePhase.Lost,
            Address = IPv4Address.Parse("10.77.0.51"),
        });
        _zones.Refresh();
        Assert.Equal(("10.77.0.50", null), (AddressOf("node-01"), AddressOf("node-02")));
    }

    [Fact]
    public async Task Boards_that_nobody_adopted_and_names_that_are_ours_are_not_served()
    {
        await _rig.AddAsync(1, spec => spec with
        {
            Adopted = false,
            ReservedAddress = IPv4Address.Parse("10.77.0.11"),
        });
        var impostor = await _rig.AddAsync(2, spec => spec with { ReservedAddress = IPv4Address.Parse("10.77.0.12") });
        await _rig.Nodes.Update(impostor.Id, n => n with { Name = "brambled" }, "test").Durable;
        _zones.Refresh();
        Assert.Null(AddressOf("node-01"));
        Assert.Equal(("10.77.0.1", "10.77.0.1"), (AddressOf("brambled"), AddressOf("ns")));
        Assert.Equal("brambled.bramble.internal.", NameOf("10.77.0.1"));
    }

    [Fact]
    public void Ten_thousand_nodes_are_looked_at_in_no_time_to_speak_of()
    {
        var nodes = Enumerable.Range(1, 10_000).Select(n => Sample.Node(n, new NodeSpec
        {
            Adopted = true,
            ReservedAddress = new IPv4Address(0x0a4d0000u + 256 + (uint)n),
        })).ToArray();
        var options = Sample.Options(network: Sample.Network with { Address = IPv4Prefix.Parse("10.77.0.1/16") });
        var started = TimeProvider.System.GetTimestamp();
        for (var i = 0; i < 20; i++) Assert.Equal(10_000, NodeNames.Of(options, nodes, _leases).Count);
        var took = TimeProvider.System.GetElapsedTime(started);
        TestContext.Current.TestOutputHelper?.WriteLine($"20 looks: {took.TotalMilliseconds:0} ms");
        Assert.InRange(took, TimeSpan.Zero, TimeSpan.FromSeconds(4));
        var zones = ZoneBuilder.Build(options, NodeNames.Of(options, nodes, _leases), 1);
        Assert.Single(zones.Find(Zone)!.Find(Zone.Prepend("node-10000"), DnsType.A));
    }

    private IEnumerable<DnsRecord> Services() => _zones.Current.Find(Zone)!.Find(Metrics, DnsType.SRV);

    private string? AddressOf(string name) => _zones.Current.Find(Zone)!.Find(Zone.Prepend(name), DnsType.A)
        .Select(record => IPv4Address.Read(record.Data.Span).ToString()).FirstOrDefault();

    private string? NameOf(string address)
    {
        var name = ReverseNames.Of(IPv4Address.Parse(address));
        var pointer = _zones.Current.Find(name)!.Find(name, DnsType.PTR).FirstOrDefault();
        var at = 0;
        return pointer is not null && DnsName.TryRead(pointer.Data.Span, ref at, out var target, out _)
            ? target.ToString() : null;
    }

    private void Lease(int n, string address)
    {
        var at = IPv4Address.Parse(address);
        var network = new DhcpNetwork
        {
            Name = "rack",
            Interface = "lo",
            Server = Sample.Network.Address,
            Pools = [new AddressRange(at, at)],
        };
        Assert.Equal(AllocationOutcome.Found, _leases.Allocate(network, Sample.Mac(n), null, at, out _));
        Assert.True(_leases.Confirm(new Lease("rack", Sample.Mac(n), at)
        {
            BoundAt = _rig.Clock.GetUtcNow(),
            ExpiresAt = _rig.Clock.GetUtcNow() + TimeSpan.FromHours(1),
            Family = BoardFamily.Pi4,
        }));
    }
}
