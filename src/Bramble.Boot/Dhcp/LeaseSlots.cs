using Bramble.Wire;

namespace Bramble.Boot.Dhcp;

/// <summary>
/// The addresses on record, who owns which, and the lines in which they wait for others. It keeps its own parts in
/// step and knows no rule of DHCP: those are <see cref="LeaseTable"/>'s, which calls it under its lock.
/// </summary>
internal sealed class LeaseSlots(TimeProvider clock)
{
    private readonly long _start = clock.GetTimestamp();
    private readonly Dictionary<IPv4Address, LeaseSlot> _slots = [];
    private readonly Dictionary<(string Network, MacAddress Mac), LeaseSlot> _clients = [];
    private readonly Dictionary<string, AddressPool> _pools = [];
    private readonly HashSet<string> _networks = [];
    private ReservationBook _reservations = new();

    /// <summary>Monotonic, since the start.</summary>
    public TimeSpan Now => clock.GetElapsedTime(_start);

    public ReservationBook Reservations => _reservations;

    public IReadOnlyCollection<LeaseSlot> All => _slots.Values;

    /// <summary>The networks that have an address on record.</summary>
    public IReadOnlyCollection<string> Networks => _networks;

    public LeaseSlot? Of(IPv4Address address) => _slots.GetValueOrDefault(address);

    public LeaseSlot? Of(string network, MacAddress mac) => _clients.GetValueOrDefault((network, mac));

    /// <summary>The client goes back to an address that it has had all the time.</summary>
    public void GoBack(string network, MacAddress mac, LeaseSlot slot) => _clients[(network, mac)] = slot;

    /// <summary>All of one network, standing as it does now, on its own.</summary>
    public LeaseSlots Copy(string network)
    {
        var copy = new LeaseSlots(clock) { _reservations = new ReservationBook(_reservations) };
        var past = Now;
        foreach (var slot in _slots.Values)
        {
            if (slot.Network != network) continue;
            var own = slot.Copy();
            own.Ticket = 0;
            // The copy's time begins now.
            own.HeldUntil -= past;
            copy._slots[own.Address] = own;
        }
        foreach (var slot in copy._slots.Values)
        {
            if (slot.Displaced is { } old) slot.Displaced = copy._slots.GetValueOrDefault(old.Address);
            if (_clients.TryGetValue((network, slot.Owner), out var held) && held.Address == slot.Address)
                copy._clients[(network, slot.Owner)] = slot;
        }
        copy._networks.Add(network);
        if (_pools.TryGetValue(network, out var pool))
        {
            copy._pools[network] = pool.Copy(
                copy._slots.Values.Where(slot => pool.Network.InPool(slot.Address)));
        }
        return copy;
    }

    public bool IsFresh(DhcpNetwork network, IPv4Address address, MacAddress mac) =>
        network.InPool(address) && !_slots.ContainsKey(address)
        && !_reservations.IsForAnother(network.Name, address, mac);

    public bool IsFree(LeaseSlot slot) => slot.HeldUntil <= Now;

    public bool IsAvailable(IPv4Address address, MacAddress mac) =>
        !_slots.TryGetValue(address, out var slot) || IsFree(slot) || (slot.Owner == mac && !slot.Quarantined);

    /// <summary>
    /// The client's reservation as its plan says, else as the configuration says; null if another has it.
    /// </summary>
    public IPv4Address? ReservationOf(DhcpNetwork network, MacAddress mac, IPv4Address? reserved)
    {
        if (reserved is null && network.Reservations.TryGetValue(mac, out var configured)) reserved = configured;
        Reserve((network.Name, mac), reserved);
        return reserved is { } address && !_reservations.IsForAnother(network.Name, address, mac) ? address : null;
    }

    public void Reserve((string Network, MacAddress Mac) client, IPv4Address? address)
    {
        if (_reservations.Set(client, address) is not { } released) return;
        if (!_pools.TryGetValue(client.Network, out var pool)) return;
        pool.Restart();
        if (_slots.TryGetValue(released, out var slot)) Line(slot);
    }

    public AddressPool PoolOf(DhcpNetwork network)
    {
        if (_pools.TryGetValue(network.Name, out var pool) && ReferenceEquals(pool.Network, network)) return pool;
        foreach (var mac in pool?.Network.Reservations.Keys ?? [])
            if (!network.Reservations.ContainsKey(mac)) Reserve((network.Name, mac), null);
        foreach (var (mac, address) in network.Reservations) Reserve((network.Name, mac), address);
        pool = _pools[network.Name] = new AddressPool(network);
        foreach (var slot in _slots.Values)
        {
            if (slot.Network != network.Name) continue;
            slot.Ticket = 0;
            Line(slot);
        }
        return pool;
    }

    /// <summary>Puts an address of a pool in line for others.</summary>
    private void Line(LeaseSlot slot)
    {
        if (_pools.TryGetValue(slot.Network, out var pool) && pool.Network.InPool(slot.Address)) pool.Enqueue(slot);
    }

    public LeaseSlot SlotOf(string network, IPv4Address address)
    {
        if (_slots.TryGetValue(address, out var slot) && slot.Network == network) return slot;
        if (slot is not null) Remove(slot);
        _networks.Add(network);
        slot = _slots[address] = new LeaseSlot(network, address);
        Line(slot);
        return slot;
    }

    public void Hold(LeaseSlot slot, MacAddress mac, TimeSpan time)
    {
        if (slot.Owner != mac || slot.Quarantined) slot.HeldUntil = TimeSpan.Zero;
        Own(slot, mac);
        var until = Now + time;
        if (until > slot.HeldUntil) slot.HeldUntil = until;
    }

    public void Own(LeaseSlot slot, MacAddress mac)
    {
        if (slot.Owner != mac)
        {
            Disown(slot);
            slot.Owner = mac;
            slot.Displaced = null;
            slot.Claimed = false;
            slot.IsKnown = false;
            if (slot.Lease is not null)
            {
                slot.Lease = null;
                Line(slot);
            }
        }
        slot.Quarantined = false;
        if (_clients.TryGetValue((slot.Network, mac), out var previous) && previous != slot) slot.Displaced = previous;
        _clients[(slot.Network, mac)] = slot;
    }

    private void Disown(LeaseSlot slot)
    {
        var client = (slot.Network, slot.Owner);
        if (_clients.GetValueOrDefault(client) == slot) _clients.Remove(client);
    }

    public Lease SetAside(LeaseSlot slot, MacAddress mac)
    {
        var now = clock.GetUtcNow();
        var lease = new Lease(slot.Network, mac, slot.Address)
        {
            State = LeaseState.Declined,
            BoundAt = now,
            ExpiresAt = now + LeaseTable.Quarantine,
        };
        SetAside(slot, lease);
        return lease;
    }

    public void SetAside(LeaseSlot slot, Lease lease)
    {
        Disown(slot);
        slot.Quarantined = true;
        slot.Claimed = false;
        slot.Owner = default;
        slot.Lease = lease;
        slot.Displaced = null;
        slot.HeldUntil = Now + LeaseTable.Quarantine;
    }

    public void Free(LeaseSlot slot)
    {
        slot.HeldUntil = Now;
        Line(slot);
    }

    /// <summary>Forgets the owner; the address stays known, and free.</summary>
    public void Remove(LeaseSlot slot)
    {
        Disown(slot);
        slot.Owner = default;
        slot.Lease = null;
        slot.Displaced = null;
        slot.Claimed = false;
        Free(slot);
    }
}
