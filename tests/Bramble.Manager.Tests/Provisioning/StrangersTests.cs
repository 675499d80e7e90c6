using Bramble.Boot;
using Bramble.Boot.Dhcp;
using Bramble.Manager.Configuration;
using Bramble.Manager.Leases;
using Bramble.Wire;

namespace Bramble.Manager.Tests.Provisioning;

/// <summary>A flood of boards that nobody knows.</summary>
public sealed class StrangersTests(TestImages images) : IAsyncLifetime
{
    private BoardRig _board = null!;

    public async ValueTask InitializeAsync() => _board = await BoardRig.StartAsync(images);

    public ValueTask DisposeAsync() => _board.DisposeAsync();

    private static BoardSighting Sight(int n, BoardFamily family = BoardFamily.Pi4) =>
        new("rack", Sample.Mac(n), new BoardIdentity { Family = family });

    private Task ReopenAsync(AdoptPolicy adopt)
    {
        _board.Rig.Options = _board.Rig.Options with
        {
            Networks = [_board.Rig.Options.Networks[0] with
            {
                Adopt = adopt,
                Reservations = new Dictionary<MacAddress, IPv4Address>
                {
                    [Sample.Mac(777)] = IPv4Address.Parse("10.77.0.77"),
                },
            }],
            Lifecycle = new LifecycleOptions { MaxNodes = 20 },
        };
        return _board.RestartAsync();
    }

    [Theory]
    [InlineData(AdoptPolicy.Ask, Admission.AwaitsAdoption)]
    [InlineData(AdoptPolicy.Auto, Admission.Serve)]
    public async Task No_more_than_so_many_are_taken_down_and_who_is_known_is_served_all_the_same(
        AdoptPolicy adopt, Admission first)
    {
        await ReopenAsync(adopt);
        await _board.AddNodeAsync(n: 1);
        for (var n = 2; n <= 20; n++) Assert.Equal(first, _board.Directory.Find(Sight(n)).Admission);
        for (var n = 21; n <= 5000; n++)
            Assert.Equal(Admission.TooManyStrangers, _board.Directory.Find(Sight(n)).Admission);
        Assert.Equal(20, _board.Rig.Nodes.Count);
        var known = _board.Directory.Find(Sight(1));
        Assert.Equal(Admission.Serve, known.Admission);
        Assert.NotNull(known.HostName);
        // Once one is forgotten, there is room again.
        await _board.Rig.Nodes.RemoveAsync(_board.Rig.Nodes.Find(Sample.Mac(2))!.Id, "test");
        Assert.Equal(first, _board.Directory.Find(Sight(5001)).Admission);
    }

    [Fact]
    public async Task Who_has_a_reservation_is_expected_though_it_is_no_board()
    {
        await ReopenAsync(AdoptPolicy.Ask);
        Assert.Equal(Admission.Serve, _board.Directory.Find(Sight(777, BoardFamily.PlainClient)).Admission);
        Assert.Equal(Admission.Ignore, _board.Directory.Find(Sight(778, BoardFamily.PlainClient)).Admission);
    }

    [Fact]
    public async Task A_declined_address_is_on_record_after_a_restart_beside_its_clients_next_lease()
    {
        var rig = _board.Rig;
        var store = new SqlLeaseStore(rig.Database);
        var leases = new LeaseTable(rig.Clock);
        var network = ManagerHost.ToDhcp(Sample.Network);
        var client = Sample.Mac(5);
        leases.Allocate(network, client, null, default, out var taken);
        var declined = leases.Decline("rack", client, taken)!;
        leases.Allocate(network, client, null, default, out var next);
        var lease = new Lease("rack", client, next)
        {
            BoundAt = rig.Clock.GetUtcNow(),
            ExpiresAt = rig.Clock.GetUtcNow().AddHours(1),
        };
        await store.CommitAsync([declined, lease], Scratch.Cancellation);

        await rig.RestartAsync();
        var after = new LeaseTable(rig.Clock);
        after.Load(new SqlLeaseStore(rig.Database).Load());
        Assert.Equal(ClaimOutcome.HeldByAnother, after.Claim(network, Sample.Mac(6), null, taken, renewal: false));
        Assert.True(after.TryFind("rack", client, out var kept));
        Assert.Equal(next, kept.Address);
        rig.Clock.Advance(LeaseTable.Quarantine);
        Assert.Equal(ClaimOutcome.Granted, after.Claim(network, Sample.Mac(6), null, taken, renewal: false));
        // The lease that follows takes the record's place.
        await new SqlLeaseStore(rig.Database).CommitAsync([lease with { Mac = Sample.Mac(6), Address = taken }],
            Scratch.Cancellation);
        Assert.DoesNotContain(new SqlLeaseStore(rig.Database).Load(), l => l.State == LeaseState.Declined);
    }
}
