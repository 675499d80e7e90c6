using Bramble.Boot.Dhcp;
using Bramble.Testing;
using Bramble.Wire;
using static Bramble.Boot.Tests.Dhcp.Nets;

namespace Bramble.Boot.Tests.Dhcp;

public sealed class LeaseTableTests
{
    private static readonly TimeSpan LeaseTime = TimeSpan.FromHours(1);

    private readonly ManualTimeProvider _clock = new();
    private readonly LeaseTable _table;

    public LeaseTableTests() => _table = new LeaseTable(_clock);

    [Fact]
    public void A_client_gets_its_address_back_even_long_after_its_lease()
    {
        var network = Small(10);
        var address = Bind(network, Mac(1));
        Bind(network, Mac(2));
        _clock.Advance(TimeSpan.FromDays(7));
        Bind(network, Mac(3));
        Assert.Equal(address, Offer(network, Mac(1)));
    }

    [Fact]
    public void Fresh_addresses_go_first_then_the_one_unused_for_longest()
    {
        var network = Small(3);
        Assert.Equal(Address(100), Bind(network, Mac(1)));
        _clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(Address(101), Bind(network, Mac(2)));
        _clock.Advance(TimeSpan.FromHours(2));
        Assert.Equal(Address(102), Bind(network, Mac(3)));
        Assert.Equal(Address(100), Bind(network, Mac(4)));
        Assert.Equal(Address(101), Bind(network, Mac(5)));
        Assert.Null(Offer(network, Mac(6)));
    }

    [Fact]
    public void An_address_is_never_held_by_two()
    {
        var network = Small(50);
        var random = new Random(20260119);
        var given = new Dictionary<IPv4Address, (MacAddress Mac, TimeSpan Until)>();
        var now = TimeSpan.Zero;
        for (var i = 0; i < 20_000; i++)
        {
            var step = TimeSpan.FromSeconds(random.Next(0, 120));
            _clock.Advance(step);
            now += step;
            _clock.JumpWallClock(TimeSpan.FromHours(random.Next(-100, 100)));
            var mac = Mac(random.Next(1, 80));
            switch (random.Next(4))
            {
                case 0:
                    Offer(network, mac);
                    break;
                case 1 when given.FirstOrDefault(g => g.Value.Mac == mac) is { Value.Mac.Bits: > 0 } own:
                    if (_table.Release("rack", mac, own.Key) is not null) given.Remove(own.Key);
                    break;
                default:
                    if (Bind(network, mac) is not { } address) break;
                    if (given.TryGetValue(address, out var holder) && holder.Mac != mac)
                        Assert.True(holder.Until <= now, $"seed 20260119, round {i}: {address} is {holder.Mac}'s");
                    foreach (var old in given.Where(g => g.Value.Mac == mac).ToList()) given.Remove(old.Key);
                    given[address] = (mac, now + LeaseTime);
                    break;
            }
        }
    }

    [Fact]
    public void An_offer_is_held_for_a_short_time_only()
    {
        var network = Small(1);
        Assert.NotNull(Offer(network, Mac(1)));
        Assert.Null(Offer(network, Mac(2)));
        _clock.Advance(LeaseTable.OfferHold);
        Assert.NotNull(Offer(network, Mac(2)));
        Assert.Equal(ClaimOutcome.HeldByAnother, _table.Claim(network, Mac(1), null, Address(100), renewal: false));
    }

    [Fact]
    public void A_client_that_chose_another_server_frees_our_offer()
    {
        var network = Small(1);
        Offer(network, Mac(1));
        _table.DropOffer("rack", Mac(1));
        Assert.NotNull(Offer(network, Mac(2)));
    }

    [Fact]
    public void A_reservation_is_given_to_its_client_alone()
    {
        var network = Small(2) with
        {
            Reservations = new Dictionary<MacAddress, IPv4Address> { [Mac(9)] = Address(100), [Mac(8)] = Address(50) },
        };
        Assert.Equal(Address(101), Bind(network, Mac(1)));
        Assert.Null(Offer(network, Mac(2)));
        Assert.Equal(Address(100), Bind(network, Mac(9)));
        Assert.Equal(Address(50), Bind(network, Mac(8)));
        Assert.Equal(ClaimOutcome.HeldByAnother, _table.Claim(network, Mac(1), null, Address(50), renewal: false));
    }

    [Fact]
    public void A_reservation_that_left_the_configuration_frees_its_address()
    {
        var network = Small(1) with
        {
            Reservations = new Dictionary<MacAddress, IPv4Address> { [Mac(9)] = Address(100) },
        };
        Assert.Null(Offer(network, Mac(1)));
        Assert.Equal(Address(100), Offer(Small(1), Mac(1)));
    }

    [Fact]
    public void A_reservation_from_the_plan_waits_until_the_address_is_free_and_moves_the_client_then()
    {
        var network = Small(3);
        Assert.Equal(Address(100), Bind(network, Mac(1)));
        // Taken by another: the client gets something else for now.
        Assert.Equal(Address(101), Bind(network, Mac(2), Address(100)));
        // The holder may not prolong it: the address has been promised.
        Assert.Equal(ClaimOutcome.HeldByAnother, _table.Claim(network, Mac(1), null, Address(100), renewal: true));
        _clock.Advance(TimeSpan.FromHours(2));
        Assert.Equal(Address(100), Bind(network, Mac(2), Address(100)));
        // What it had before is free at once.
        Assert.Equal(Address(102), Bind(network, Mac(3)));
        Assert.Equal(Address(101), Bind(network, Mac(4)));
    }

    [Fact]
    public void A_new_reservation_does_not_break_a_running_systems_renewal()
    {
        var network = Small(3);
        Bind(network, Mac(1));
        Assert.Equal(ClaimOutcome.Granted, _table.Claim(network, Mac(1), Address(102), Address(100), renewal: true));
        Assert.Equal(ClaimOutcome.ReservedElsewhere,
            _table.Claim(network, Mac(1), Address(102), Address(100), renewal: false));
    }

    [Fact]
    public void Excluded_and_special_addresses_are_never_given()
    {
        var network = Rack with
        {
            Pools = [new AddressRange(Address(0), Address(3)), new AddressRange(Address(253), Address(255))],
            Excluded = new HashSet<IPv4Address> { Address(2) },
        };
        Assert.Equal(Address(3), Bind(network, Mac(1)));
        Assert.Equal(Address(253), Bind(network, Mac(2)));
        Assert.Null(Offer(network, Mac(3)));
    }

    [Fact]
    public void A_declined_address_rests()
    {
        var network = Small(1);
        Bind(network, Mac(1));
        Assert.Null(_table.Decline("rack", Mac(2), Address(100)));
        Assert.NotNull(_table.Decline("rack", Mac(1), Address(100)));
        Assert.Null(Offer(network, Mac(1)));
        _clock.Advance(LeaseTable.Quarantine);
        Assert.NotNull(Offer(network, Mac(1)));
    }

    [Theory]
    [InlineData(-20000)]
    [InlineData(-1)]
    [InlineData(1)]
    [InlineData(20000)]
    public void A_jump_of_the_wall_clock_while_running_gives_no_address_away(int hours)
    {
        var network = Small(1);
        Bind(network, Mac(1));
        _clock.JumpWallClock(TimeSpan.FromHours(hours));
        Assert.Null(Offer(network, Mac(2)));
        Assert.Equal(ClaimOutcome.Granted, _table.Claim(network, Mac(1), null, Address(100), renewal: true));
        _clock.Advance(LeaseTime + LeaseTable.Grace);
        Assert.NotNull(Offer(network, Mac(2)));
    }

    [Theory]
    [InlineData(-20000)]
    [InlineData(0)]
    [InlineData(20000)]
    public void A_jump_of_the_wall_clock_across_a_restart_gives_no_address_away(int hours)
    {
        var network = Small(1);
        Bind(network, Mac(1));
        var stored = _table.Snapshot();
        _clock.JumpWallClock(TimeSpan.FromHours(hours));
        var restarted = new LeaseTable(_clock);
        restarted.Load(stored);
        Assert.Equal(AllocationOutcome.Exhausted, restarted.Allocate(network, Mac(2), null, default, out _));
        Assert.Equal(AllocationOutcome.Found, restarted.Allocate(network, Mac(1), null, default, out var address));
        Assert.Equal(Address(100), address);
        // And no longer than the client can have been promised it.
        _clock.Advance(LeaseTime + LeaseTable.Grace);
        Assert.Equal(AllocationOutcome.Found, restarted.Allocate(network, Mac(2), null, default, out _));
    }

    [Fact]
    public void Leases_are_found_by_client_and_by_address()
    {
        Bind(Rack, Mac(1));
        Assert.True(_table.TryFind(Mac(1), out var byMac));
        Assert.True(_table.TryFind(Address(100), out var byAddress));
        Assert.True(_table.TryFind("rack", Mac(1), out var onNetwork));
        Assert.Same(byMac, byAddress);
        Assert.Same(byMac, onNetwork);
        Assert.False(_table.TryFind(Mac(2), out _));
        _clock.Advance(TimeSpan.FromHours(2));
        Assert.False(_table.TryFind(Address(100), out _), "an expired lease tells nobody's address");
        Assert.True(_table.TryFind(Mac(1), out _), "but what the client had is still known");
        Assert.Equal(1, _table.Count);
    }

    [Fact]
    public void Two_stored_leases_of_one_client_or_one_address_leave_the_newer()
    {
        var at = _clock.GetUtcNow();
        _table.Load([
            Stored(Mac(1), Address(100), at), Stored(Mac(1), Address(101), at.AddMinutes(1)),
            Stored(Mac(2), Address(101), at.AddMinutes(2)), Stored(Mac(3), Address(102), at)]);
        Assert.Equal([Mac(2), Mac(3)], _table.Snapshot().Select(l => l.Mac));
    }

    [Fact]
    public void A_full_pool_is_searched_once_for_a_flood_of_strangers()
    {
        var network = Rack with
        {
            Server = IPv4Prefix.Parse("10.64.0.1/12"),
            Pools = [new AddressRange(IPv4Address.Parse("10.64.1.0"), IPv4Address.Parse("10.64.40.255"))],
        };
        var first = 0;
        while (Offer(network, Mac(++first)) is not null) Assert.True(first < 20_000);
        Assert.Equal(40 * 256 + 1, first);
        // 100,000 searches of 10,000 addresses each would take minutes.
        for (var i = 0; i < 100_000; i++) Assert.Null(Offer(network, Mac(first + i)));
        _clock.Advance(LeaseTable.OfferHold);
        Assert.NotNull(Offer(network, Mac(first)));
    }

    [Fact]
    public void What_was_only_offered_is_taken_before_what_a_board_once_held()
    {
        var network = Small(2);
        Bind(network, Mac(1));
        _clock.Advance(TimeSpan.FromHours(2));
        Offer(network, Mac(666));
        _clock.Advance(TimeSpan.FromMinutes(1));
        Offer(network, Mac(667));
        Assert.Equal(Address(100), Bind(network, Mac(1)));
    }

    private static Lease Stored(MacAddress mac, IPv4Address address, DateTimeOffset at) =>
        new("rack", mac, address) { BoundAt = at, ExpiresAt = at + LeaseTime };

    private IPv4Address? Offer(DhcpNetwork network, MacAddress mac, IPv4Address? reserved = null) =>
        _table.Allocate(network, mac, reserved, default, out var address) == AllocationOutcome.Found ? address : null;

    private IPv4Address? Bind(DhcpNetwork network, MacAddress mac, IPv4Address? reserved = null)
    {
        if (Offer(network, mac, reserved) is not { } address) return null;
        Assert.Equal(ClaimOutcome.Granted, _table.Claim(network, mac, reserved, address, renewal: false));
        Assert.True(_table.Confirm(Stored(mac, address, _clock.GetUtcNow())));
        return address;
    }
}
