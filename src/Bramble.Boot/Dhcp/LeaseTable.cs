using System.Diagnostics.CodeAnalysis;
using Bramble.Wire;

namespace Bramble.Boot.Dhcp;

/// <summary>
/// Who holds which address. In memory, thread-safe, no I/O; all networks share one.
/// <para>
/// <b>Clocks.</b> What is stored is wall-clock time. What decides is the monotonic clock: a lease holds its address for
/// its whole duration from when it was confirmed, however the wall clock is set meanwhile. After a start each stored
/// lease holds its address for its whole duration from the start on: the wall clock may have been set, forwards or
/// backwards, while we were down, and no client can have been promised more than that. The price is that an address
/// is free up to one lease time late after a restart; in return no jump ever gives an address in use to another.
/// </para>
/// </summary>
public sealed class LeaseTable(TimeProvider clock)
{
    /// <summary>How long an offer waits for its REQUEST. A Pi 4 asks within 4 s (DHCP_REQ_TIMEOUT).</summary>
    public static readonly TimeSpan OfferHold = TimeSpan.FromSeconds(30);

    /// <summary>How long an address stays out of use after a client found it taken.</summary>
    public static readonly TimeSpan Quarantine = TimeSpan.FromMinutes(10);

    /// <summary>Clients' clocks drift and packets travel: an address rests this long after its lease.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan LongestLease = TimeSpan.FromDays(3650);

    private readonly Lock _gate = new();
    private readonly long _start = clock.GetTimestamp();
    private readonly Dictionary<IPv4Address, Slot> _slots = [];
    private readonly Dictionary<(string Network, MacAddress Mac), Slot> _clients = [];
    private readonly Dictionary<IPv4Address, (string Network, MacAddress Mac)> _reserved = [];
    private readonly Dictionary<(string Network, MacAddress Mac), IPv4Address> _reservations = [];
    private readonly Dictionary<string, AddressPool> _pools = [];
    private readonly HashSet<string> _networks = [];

    /// <summary>An address that was given or offered at least once.</summary>
    private sealed class Slot(string network, IPv4Address address)
    {
        public string Network { get; } = network;
        public IPv4Address Address { get; } = address;
        public MacAddress Owner { get; set; }
        public TimeSpan HeldUntil { get; set; }
        public bool Quarantined { get; set; }
        public Lease? Lease { get; set; }

        /// <summary>Where the owner was before; freed once this address is confirmed.</summary>
        public Slot? Displaced { get; set; }
    }

    /// <summary>Leases kept, bound and released.</summary>
    public int Count
    {
        get
        {
            lock (_gate) return _slots.Values.Count(s => s.Lease is not null);
        }
    }

    /// <summary>
    /// Takes over what the store kept. If two leases claim one address or one client, the newer one stays.
    /// </summary>
    public void Load(IReadOnlyList<Lease> leases)
    {
        lock (_gate)
        {
            foreach (var lease in leases.OrderBy(l => l.BoundAt))
            {
                var slot = SlotOf(lease.Network, lease.Address);
                if (_clients.TryGetValue((lease.Network, lease.Mac), out var old) && old != slot) Remove(old);
                Own(slot, lease.Mac);
                slot.Displaced = null;
                slot.Lease = lease;
                slot.HeldUntil = lease.State == LeaseState.Bound ? Now() + Duration(lease) + Grace : Now();
            }
        }
    }

    /// <summary>
    /// Keeps an address for a client, or lets it go (null). It is taken from nobody who holds it now; of two clients
    /// that claim one address the first keeps it.
    /// </summary>
    public void Reserve(string network, MacAddress mac, IPv4Address? address)
    {
        lock (_gate) SetReservation((network, mac), address);
    }

    /// <summary>
    /// Finds an address for a DISCOVER and holds it for a short time: the reservation, else what the client had before,
    /// even if expired, else what it wishes, else an address that was never given, else the one unused for longest.
    /// </summary>
    public AllocationOutcome Allocate(
        DhcpNetwork network, MacAddress mac, IPv4Address? reserved, IPv4Address wish, out IPv4Address address)
    {
        lock (_gate)
        {
            var pool = PoolOf(network);
            var slot = Find(pool, mac, ReservationOf(network, mac, reserved), wish);
            address = slot?.Address ?? default;
            if (slot is null)
            {
                return network.Mode == DhcpMode.Authoritative
                    ? AllocationOutcome.Exhausted
                    : AllocationOutcome.NoReservation;
            }
            Hold(slot, mac, OfferHold);
            return AllocationOutcome.Found;
        }
    }

    /// <summary>Grants a REQUEST its address and holds it until <see cref="Confirm"/>.</summary>
    /// <param name="renewal">The client uses the address now: a newer reservation waits for its next boot.</param>
    public ClaimOutcome Claim(
        DhcpNetwork network, MacAddress mac, IPv4Address? reserved, IPv4Address address, bool renewal)
    {
        lock (_gate)
        {
            var pool = PoolOf(network);
            if (!network.IsHost(address)) return ClaimOutcome.WrongAddress;
            var reservation = ReservationOf(network, mac, reserved);
            if (IsReservedForAnother(network, address, mac)) return ClaimOutcome.HeldByAnother;
            var own = _slots.TryGetValue(address, out var slot) && slot.Owner == mac && !slot.Quarantined;
            if (!own && slot is not null && !IsFree(slot)) return ClaimOutcome.HeldByAnother;
            var uses = renewal && own && !IsFree(slot!) && slot!.Lease is { State: LeaseState.Bound };
            if (!uses && reservation != address)
            {
                if (reservation is { } r && IsAvailable(r, mac)) return ClaimOutcome.ReservedElsewhere;
                if (network.Mode != DhcpMode.Authoritative)
                    return own ? ClaimOutcome.WrongAddress : ClaimOutcome.Unknown;
                if (!network.InPool(address)) return ClaimOutcome.WrongAddress;
            }
            pool.NothingFreeUntil = TimeSpan.Zero;
            Hold(SlotOf(network.Name, address), mac, OfferHold);
            return ClaimOutcome.Granted;
        }
    }

    /// <summary>The lease is durable: from now on it holds. False if the address went to another meanwhile.</summary>
    public bool Confirm(Lease lease)
    {
        lock (_gate)
        {
            if (!_slots.TryGetValue(lease.Address, out var slot) || slot.Owner != lease.Mac || slot.Quarantined)
                return false;
            if (lease.State == LeaseState.Released) return true;
            slot.Lease = lease;
            slot.HeldUntil = Now() + Duration(lease) + Grace;
            if (slot.Displaced is { } old)
            {
                slot.Displaced = null;
                if (old.Owner == lease.Mac) Remove(old);
            }
            return true;
        }
    }

    /// <summary>
    /// The client gives its address back. Returns what to store, or null if the address is not its own.
    /// </summary>
    public Lease? Release(string network, MacAddress mac, IPv4Address address)
    {
        lock (_gate)
        {
            if (!_slots.TryGetValue(address, out var slot) || slot.Owner != mac || slot.Network != network
                || slot.Lease is not { State: LeaseState.Bound } lease)
                return null;
            slot.Lease = lease with { State = LeaseState.Released };
            Free(slot);
            return slot.Lease;
        }
    }

    /// <summary>The client found the address taken. False if it never was that client's to decline.</summary>
    public bool Decline(string network, MacAddress mac, IPv4Address address)
    {
        lock (_gate)
        {
            if (!_slots.TryGetValue(address, out var slot) || slot.Owner != mac || slot.Network != network
                || slot.Quarantined)
                return false;
            _clients.Remove((network, mac));
            slot.Quarantined = true;
            slot.Owner = default;
            slot.Lease = null;
            slot.Displaced = null;
            slot.HeldUntil = Now() + Quarantine;
            return true;
        }
    }

    /// <summary>The client took another server's offer: what was only offered is free again.</summary>
    public void DropOffer(string network, MacAddress mac)
    {
        lock (_gate)
        {
            if (!_clients.TryGetValue((network, mac), out var slot)) return;
            if (slot.Lease is null && slot.Displaced is { } old && _slots.GetValueOrDefault(old.Address) == old)
            {
                Remove(slot);
                _clients[(network, mac)] = old;
            }
            else if (slot.Lease is null)
            {
                Free(slot);
            }
        }
    }

    /// <summary>The client's lease on a network, bound or released.</summary>
    public bool TryFind(string network, MacAddress mac, [NotNullWhen(true)] out Lease? lease)
    {
        lock (_gate) lease = _clients.TryGetValue((network, mac), out var slot) ? slot.Lease : null;
        return lease is not null;
    }

    /// <summary>The bound lease that holds an address now.</summary>
    public bool TryFind(IPv4Address address, [NotNullWhen(true)] out Lease? lease)
    {
        lock (_gate)
        {
            lease = _slots.TryGetValue(address, out var slot) && !IsFree(slot)
                && slot.Lease is { State: LeaseState.Bound } bound && bound.Mac == slot.Owner ? bound : null;
        }
        return lease is not null;
    }

    /// <summary>The newest lease of a client on any network.</summary>
    public bool TryFind(MacAddress mac, [NotNullWhen(true)] out Lease? lease)
    {
        lock (_gate)
        {
            lease = null;
            foreach (var network in _networks)
            {
                if (_clients.TryGetValue((network, mac), out var slot) && slot.Lease is { } found
                    && (lease is null || found.BoundAt > lease.BoundAt))
                    lease = found;
            }
        }
        return lease is not null;
    }

    /// <summary>All leases, by address.</summary>
    public IReadOnlyList<Lease> Snapshot()
    {
        lock (_gate)
            return [.. _slots.Values.Select(s => s.Lease).OfType<Lease>().OrderBy(l => l.Address)];
    }

    private TimeSpan Now() => clock.GetElapsedTime(_start);

    private static TimeSpan Duration(Lease lease)
    {
        var duration = lease.ExpiresAt - lease.BoundAt;
        return duration < TimeSpan.Zero ? TimeSpan.Zero : duration > LongestLease ? LongestLease : duration;
    }

    private Slot? Find(AddressPool pool, MacAddress mac, IPv4Address? reservation, IPv4Address wish)
    {
        var network = pool.Network;
        if (reservation is { } r && network.IsHost(r) && IsAvailable(r, mac)) return SlotOf(network.Name, r);
        if (network.Mode != DhcpMode.Authoritative) return null;

        if (_clients.TryGetValue((network.Name, mac), out var previous) && !previous.Quarantined
            && network.InPool(previous.Address) && !IsReservedForAnother(network, previous.Address, mac))
            return previous;
        if (!wish.IsAny && Usable(wish)) return SlotOf(network.Name, wish);
        if (pool.Next(Usable) is { } fresh) return SlotOf(network.Name, fresh);
        return LeastRecentlyUsed(pool, mac);

        bool Usable(IPv4Address a) =>
            network.InPool(a) && !_slots.ContainsKey(a) && !IsReservedForAnother(network, a, mac);
    }

    private Slot? LeastRecentlyUsed(AddressPool pool, MacAddress mac)
    {
        var now = Now();
        if (now < pool.NothingFreeUntil) return null;
        Slot? best = null;
        var soonest = TimeSpan.MaxValue;
        foreach (var slot in _slots.Values)
        {
            if (!pool.Network.InPool(slot.Address) || IsReservedForAnother(pool.Network, slot.Address, mac)) continue;
            if (slot.HeldUntil > now)
            {
                if (slot.HeldUntil < soonest) soonest = slot.HeldUntil;
            }
            else if (best is null || Rank(slot).CompareTo(Rank(best)) < 0)
            {
                best = slot;
            }
        }
        pool.NothingFreeUntil = best is null ? soonest : TimeSpan.Zero;
        return best is null ? null : SlotOf(pool.Network.Name, best.Address);

        // What was only ever offered goes first: a flood of strangers must not cost boards their old addresses.
        static (bool, TimeSpan, DateTimeOffset, IPv4Address) Rank(Slot slot) =>
            (slot.Lease is not null, slot.HeldUntil, slot.Lease?.ExpiresAt ?? default, slot.Address);
    }

    private bool IsFree(Slot slot) => slot.HeldUntil <= Now();

    private bool IsAvailable(IPv4Address address, MacAddress mac) =>
        !_slots.TryGetValue(address, out var slot) || IsFree(slot) || (slot.Owner == mac && !slot.Quarantined);

    private bool IsReservedForAnother(DhcpNetwork network, IPv4Address address, MacAddress mac) =>
        _reserved.TryGetValue(address, out var holder) && holder != (network.Name, mac);

    /// <summary>
    /// The client's reservation as its plan says, else as the configuration says; null if another has it.
    /// </summary>
    private IPv4Address? ReservationOf(DhcpNetwork network, MacAddress mac, IPv4Address? reserved)
    {
        if (reserved is null && network.Reservations.TryGetValue(mac, out var configured)) reserved = configured;
        SetReservation((network.Name, mac), reserved);
        return reserved is { } address && !IsReservedForAnother(network, address, mac) ? address : null;
    }

    private void SetReservation((string Network, MacAddress Mac) client, IPv4Address? address)
    {
        if (_reservations.TryGetValue(client, out var old))
        {
            if (old == address) return;
            _reservations.Remove(client);
            _reserved.Remove(old);
            if (_pools.TryGetValue(client.Network, out var pool)) pool.Restart();
        }
        if (address is { } a && _reserved.TryAdd(a, client)) _reservations[client] = a;
    }

    private AddressPool PoolOf(DhcpNetwork network)
    {
        if (_pools.TryGetValue(network.Name, out var pool) && ReferenceEquals(pool.Network, network)) return pool;
        foreach (var mac in pool?.Network.Reservations.Keys ?? [])
            if (!network.Reservations.ContainsKey(mac)) SetReservation((network.Name, mac), null);
        foreach (var (mac, address) in network.Reservations) SetReservation((network.Name, mac), address);
        return _pools[network.Name] = new AddressPool(network);
    }

    private Slot SlotOf(string network, IPv4Address address)
    {
        if (_slots.TryGetValue(address, out var slot) && slot.Network == network) return slot;
        if (slot is not null) Remove(slot);
        _networks.Add(network);
        return _slots[address] = new Slot(network, address);
    }

    private void Hold(Slot slot, MacAddress mac, TimeSpan time)
    {
        if (slot.Owner != mac || slot.Quarantined) slot.HeldUntil = TimeSpan.Zero;
        Own(slot, mac);
        var until = Now() + time;
        if (until > slot.HeldUntil) slot.HeldUntil = until;
    }

    private void Own(Slot slot, MacAddress mac)
    {
        if (slot.Owner != mac)
        {
            Disown(slot);
            slot.Lease = null;
            slot.Owner = mac;
            slot.Displaced = null;
        }
        slot.Quarantined = false;
        if (_clients.TryGetValue((slot.Network, mac), out var previous) && previous != slot) slot.Displaced = previous;
        _clients[(slot.Network, mac)] = slot;
    }

    private void Disown(Slot slot)
    {
        var client = (slot.Network, slot.Owner);
        if (_clients.GetValueOrDefault(client) == slot) _clients.Remove(client);
    }

    private void Free(Slot slot)
    {
        slot.HeldUntil = Now();
        if (_pools.TryGetValue(slot.Network, out var pool)) pool.NothingFreeUntil = TimeSpan.Zero;
    }

    /// <summary>Forgets the owner; the address stays known, and free.</summary>
    private void Remove(Slot slot)
    {
        Disown(slot);
        slot.Owner = default;
        slot.Lease = null;
        slot.Displaced = null;
        Free(slot);
    }
}
