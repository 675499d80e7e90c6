using Bramble.Boot;
using Bramble.Boot.Dhcp;
using Bramble.Manager.Leases;
using Bramble.Wire;

namespace Bramble.Manager.Tests.Leases;

public sealed class SqlLeaseStoreTests : IAsyncDisposable
{
    private readonly Rig _rig = new();

    public ValueTask DisposeAsync() => _rig.DisposeAsync();

    private static Lease Of(int mac, string address, string network = "rack") =>
        new(network, Sample.Mac(mac), IPv4Address.Parse(address))
    {
        BoundAt = Sample.Start,
        ExpiresAt = Sample.Start.AddHours(1),
        ClientId = "01b827eb",
        ClientHostName = "pi",
        Family = BoardFamily.Pi4,
    };

    private async Task<IReadOnlyList<Lease>> AfterAsync(params Lease[][] batches)
    {
        foreach (var batch in batches)
            await new SqlLeaseStore(_rig.Database).CommitAsync(batch, Scratch.Cancellation);
        await _rig.RestartAsync();
        return [.. new SqlLeaseStore(_rig.Database).Load().OrderBy(l => l.Address)];
    }

    [Fact]
    public async Task A_lease_survives_a_restart_with_all_that_it_says()
    {
        var released = Of(2, "10.77.0.101") with { State = LeaseState.Released };
        Assert.Equal([Of(1, "10.77.0.100"), released], await AfterAsync([Of(1, "10.77.0.100"), released]));
    }

    [Fact]
    public async Task A_renewal_takes_the_place_of_the_lease_and_a_move_of_the_old_address()
    {
        var renewed = Of(1, "10.77.0.100") with { ExpiresAt = Sample.Start.AddHours(9) };
        Assert.Equal([renewed], await AfterAsync([Of(1, "10.77.0.100")], [renewed]));
        Assert.Equal([Of(1, "10.77.0.105")], await AfterAsync([Of(1, "10.77.0.105")]));
    }

    [Fact]
    public async Task An_address_that_goes_to_another_board_is_that_boards_alone() =>
        Assert.Equal([Of(2, "10.77.0.100")], await AfterAsync([Of(1, "10.77.0.100")], [Of(2, "10.77.0.100")]));

    [Fact]
    public async Task The_same_board_has_a_lease_on_each_network()
    {
        var both = new[] { Of(1, "10.77.0.100"), Of(1, "10.78.0.100", "bench") };
        Assert.Equal(both, await AfterAsync(both));
    }
}
