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
public sealed class LeaseTable
{
    /// <summary>How long an offer waits for its REQUEST. A Pi 4 asks within 4 s (DHCP_REQ_TIMEOUT).</summary>
    public static readonly TimeSpan OfferHold = TimeSpan.FromSeconds(30);

    /// <summary>How long an address stays out of use after a client found it taken.</summary>
    public static readonly TimeSpan Quarantine = TimeSpan.FromMinutes(10);

    /// <summary>Clients' clocks drift and packets travel: an address rests this long after its lease.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan LongestLease = TimeSpan.FromDays(3650);

    private readonly Lock _gate = new();
    private readonly LeaseSlots _slots;

    public LeaseTable(TimeProvider clock)
        : this(new LeaseSlots(clock))
    {
    }

    private LeaseTable(LeaseSlots slots) => _slots = slots;

    /// <summary>Leases kept, bound and released.</summary>
    public int Count
    {
        get
        {
            lock (_gate) return _slots.All.Count(s => s.Lease is not null);
        }
    }

    /// <summary>Addresses on record, leased, offered, set aside: never more than pools and reservations.</summary>
    public int Known
    {
        get
        {
            lock (_gate) return _slots.All.Count;
        }
    }

    /// <summary>
    /// A table of its own that stands as this one does on one network: whatever is tried on it changes nothing here.
    /// </summary>
    public LeaseTable Rehearse(string network)
    {
        lock (_gate) return new LeaseTable(_slots.Copy(network));
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
                var slot = _slots.SlotOf(lease.Network, lease.Address);
                if (lease.State == LeaseState.Declined)
                {
                    _slots.SetAside(slot, lease);
                    continue;
                }
                if (_slots.Of(lease.Network, lease.Mac) is { } old && old != slot) _slots.Remove(old);
                _slots.Own(slot, lease.Mac);
                slot.Displaced = null;
                slot.Lease = lease;
                slot.HeldUntil = lease.State == LeaseState.Bound ? _slots.Now + Duration(lease) + Grace : _slots.Now;
            }
        }
    }

    /// <summary>
    /// Keeps an address for a client, or lets it go (null). It is taken from nobody who holds it now; of two clients
    /// that claim one address the first keeps it.
    /// </summary>
    public void Reserve(string network, MacAddress mac, IPv4Address? address)
    {
        lock (_gate) _slots.Reserve((network, mac), address);
    }

    /// <inheritdoc cref="Allocate(in AddressQuestion)"/>
    public AllocationOutcome Allocate(
        DhcpNetwork network, MacAddress mac, IPv4Address? reserved, IPv4Address wish, out IPv4Address address)
    {
        var allocation = Allocate(new AddressQuestion(network, mac) { Reserved = reserved, Wish = wish });
        address = allocation.Address;
        return allocation.Outcome;
    }

    /// <summary>
    /// Finds an address for a DISCOVER and holds it for a short time: the reservation, else what the client had before,
    /// even if expired, else what it wishes, else an address that was never given, else the one unused for longest;
    /// for a node of ours, if all are held, what was offered to a stranger.
    /// </summary>
    public Allocation Allocate(in AddressQuestion asked)
    {
        lock (_gate)
        {
            var pool = _slots.PoolOf(asked.Network);
            var (slot, source) = Find(pool, asked);
            if (slot is null)
            {
                return new Allocation(
                    asked.Network.Mode == DhcpMode.Authoritative && !asked.ReservedOnly
                        ? AllocationOutcome.Exhausted : AllocationOutcome.NoReservation, default, AddressSource.None);
            }
            _slots.Hold(slot, asked.Mac, OfferHold);
            slot.IsKnown = asked.IsKnown;
            slot.Claimed |= asked.Binds;
            return new Allocation(AllocationOutcome.Found, slot.Address, source);
        }
    }

    /// <summary>Grants a REQUEST its address and holds it until <see cref="Confirm"/>.</summary>
    /// <param name="renewal">The client uses the address now: a newer reservation waits for its next boot.</param>
    public ClaimOutcome Claim(
        DhcpNetwork network, MacAddress mac, IPv4Address? reserved, IPv4Address address, bool renewal)
    {
        lock (_gate)
        {
            _slots.PoolOf(network);
            if (!network.IsHost(address)) return ClaimOutcome.WrongAddress;
            var reservation = _slots.ReservationOf(network, mac, reserved);
            if (_slots.Reservations.IsForAnother(network.Name, address, mac)) return ClaimOutcome.HeldByAnother;
            var slot = _slots.Of(address);
            var own = slot is not null && slot.Owner == mac && !slot.Quarantined;
            if (!own && slot is not null && !_slots.IsFree(slot)) return ClaimOutcome.HeldByAnother;
            var uses = renewal && own && !_slots.IsFree(slot!) && slot!.Lease is { State: LeaseState.Bound };
            if (!uses && reservation != address)
            {
                if (reservation is { } r && _slots.IsAvailable(r, mac)) return ClaimOutcome.ReservedElsewhere;
                if (network.Mode != DhcpMode.Authoritative)
                    return own ? ClaimOutcome.WrongAddress : ClaimOutcome.Unknown;
                if (!network.InPool(address)) return ClaimOutcome.WrongAddress;
            }
            slot = _slots.SlotOf(network.Name, address);
            _slots.Hold(slot, mac, OfferHold);
            slot.Claimed = true;
            return ClaimOutcome.Granted;
        }
    }

    /// <summary>The lease is durable: from now on it holds. False if the address went to another meanwhile.</summary>
    public bool Confirm(Lease lease)
    {
        lock (_gate)
        {
            if (lease.State == LeaseState.Declined) return true;
            if (_slots.Of(lease.Address) is not { } slot || slot.Owner != lease.Mac || slot.Quarantined)
                return false;
            if (lease.State == LeaseState.Released) return true;
            slot.Lease = lease;
            slot.HeldUntil = _slots.Now + Duration(lease) + Grace;
            if (slot.Displaced is { } old)
            {
                slot.Displaced = null;
                if (old.Owner == lease.Mac) _slots.Remove(old);
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
            if (_slots.Of(address) is not { } slot || slot.Owner != mac || slot.Network != network
                || slot.Lease is not { State: LeaseState.Bound } lease)
                return null;
            slot.Lease = lease with { State = LeaseState.Released };
            _slots.Free(slot);
            return slot.Lease;
        }
    }

    /// <summary>
    /// The client found the address taken, or we did when we probed it for the client. Returns what to store, or null
    /// if it never was that client's, or is not any more.
    /// </summary>
    public Lease? Decline(string network, MacAddress mac, IPv4Address address)
    {
        lock (_gate)
        {
            if (_slots.Of(address) is not { } slot || slot.Owner != mac || slot.Network != network
                || slot.Quarantined)
                return null;
            return _slots.SetAside(slot, mac);
        }
    }

    /// <summary>The client took another server's offer: what was only offered is free again.</summary>
    public void DropOffer(string network, MacAddress mac)
    {
        lock (_gate)
        {
            if (_slots.Of(network, mac) is not { } slot) return;
            slot.Claimed = false;
            if (slot.Lease is null && slot.Displaced is { } old && _slots.Of(old.Address) == old)
            {
                _slots.Remove(slot);
                _slots.GoBack(network, mac, old);
            }
            else if (slot.Lease is null)
            {
                _slots.Free(slot);
            }
        }
    }

    /// <summary>The client's lease on a network, bound or released.</summary>
    public bool TryFind(string network, MacAddress mac, [NotNullWhen(true)] out Lease? lease)
    {
        lock (_gate) lease = _slots.Of(network, mac)?.Lease;
        return lease is not null;
    }

    /// <summary>The bound lease that holds an address now.</summary>
    public bool TryFind(IPv4Address address, [NotNullWhen(true)] out Lease? lease)
    {
        lock (_gate)
        {
            lease = _slots.Of(address) is { } slot && !_slots.IsFree(slot)
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
            foreach (var network in _slots.Networks)
            {
                if (_slots.Of(network, mac)?.Lease is { } found
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
            return [.. _slots.All.Select(s => s.Lease).OfType<Lease>().OrderBy(l => l.Address)];
    }

    private static TimeSpan Duration(Lease lease)
    {
        var duration = lease.ExpiresAt - lease.BoundAt;
        return duration < TimeSpan.Zero ? TimeSpan.Zero : duration > LongestLease ? LongestLease : duration;
    }

    private (LeaseSlot? Slot, AddressSource Source) Find(AddressPool pool, in AddressQuestion asked)
    {
        var (network, mac) = (asked.Network, asked.Mac);
        if (_slots.ReservationOf(network, mac, asked.Reserved) is { } r && network.IsHost(r)
            && _slots.IsAvailable(r, mac))
            return (_slots.SlotOf(network.Name, r), AddressSource.Reservation);
        if (network.Mode != DhcpMode.Authoritative || asked.ReservedOnly) return default;

        if (_slots.Of(network.Name, mac) is { Quarantined: false } previous
            && network.InPool(previous.Address)
            && !_slots.Reservations.IsForAnother(network.Name, previous.Address, mac))
        {
            var holds = previous.Lease is { State: LeaseState.Bound } && !_slots.IsFree(previous);
            return (previous, holds ? AddressSource.Held : AddressSource.Previous);
        }
        if (!asked.Wish.IsAny && _slots.IsFresh(network, asked.Wish, mac))
            return (_slots.SlotOf(network.Name, asked.Wish), AddressSource.Wish);
        while (pool.TryNext(out var fresh))
            if (_slots.IsFresh(network, fresh, mac)) return (_slots.SlotOf(network.Name, fresh), AddressSource.Fresh);
        if (pool.FindFree(_slots.Now, mac, _slots.Reservations) is { } free)
            return (_slots.SlotOf(network.Name, free.Address), AddressSource.Reused);
        if (asked.IsKnown && pool.FindOffer(mac, _slots.Reservations) is { } offer)
            return (offer, AddressSource.TakenOver);
        return default;
    }
}
