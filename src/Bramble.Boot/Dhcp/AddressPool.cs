using Bramble.Wire;

namespace Bramble.Boot.Dhcp;

/// <summary>
/// The addresses of a network's pools that nobody holds: first those that were never given, in their order, then the
/// one unused for longest. Only <see cref="LeaseTable"/> uses it, under its lock.
/// <para>
/// Two queues, by when an address becomes free: what was only ever offered, and what was leased. An entry's time is a
/// lower bound: that an address is held longer is found out when its turn comes, so a renewal costs nothing here, and
/// a flood of clients on a full pool looks at one entry each.
/// </para>
/// </summary>
internal sealed class AddressPool(DhcpNetwork network)
{
    /// <summary>How many offers are looked at for one that a node may take over.</summary>
    private const int TakeoverDepth = 64;

    /// <summary>Entries that count for nothing any more are swept out when there are so many of them.</summary>
    private const int StaleBound = 1024;

    private readonly PriorityQueue<Entry, Rank> _offered = new();
    private readonly PriorityQueue<Entry, Rank> _leased = new();
    private int _range;
    private long _offset;
    private long _ticket;
    private int _live;

    public DhcpNetwork Network => network;

    private readonly record struct Entry(LeaseSlot Slot, long Ticket);

    private readonly record struct Rank(TimeSpan FreeAt, DateTimeOffset Expired, IPv4Address Address)
        : IComparable<Rank>
    {
        public int CompareTo(Rank other)
        {
            var order = FreeAt.CompareTo(other.FreeAt);
            if (order == 0) order = Expired.CompareTo(other.Expired);
            return order != 0 ? order : Address.CompareTo(other.Address);
        }
    }

    /// <summary>As it stands, for slots that are copies of its own.</summary>
    public AddressPool Copy(IEnumerable<LeaseSlot> slots)
    {
        var copy = new AddressPool(network) { _range = _range, _offset = _offset };
        foreach (var slot in slots) copy.Enqueue(slot);
        return copy;
    }

    /// <summary>The next address of the walk through the pools; each comes once.</summary>
    public bool TryNext(out IPv4Address address)
    {
        while (_range < network.Pools.Count)
        {
            var range = network.Pools[_range];
            if (_offset < range.Count)
            {
                address = new IPv4Address((uint)(range.First.Bits + _offset++));
                return true;
            }
            _range++;
            _offset = 0;
        }
        address = default;
        return false;
    }

    /// <summary>Starts the walk again: an address has lost its reservation.</summary>
    public void Restart() => (_range, _offset) = (0, 0);

    /// <summary>Puts an address in line: one that is new, or that became free sooner than was said.</summary>
    public void Enqueue(LeaseSlot slot)
    {
        if (slot.Ticket == 0) _live++;
        slot.Ticket = ++_ticket;
        (slot.Lease is null ? _offered : _leased).Enqueue(new Entry(slot, _ticket), RankOf(slot));
        if (_offered.Count + _leased.Count > 2 * _live + StaleBound) Sweep();
    }

    /// <summary>
    /// The best address that is free now; it stays in line. What is reserved for others leaves the line until its
    /// reservation ends.
    /// </summary>
    public LeaseSlot? FindFree(TimeSpan now, MacAddress mac, ReservationBook reservations)
    {
        // What was only ever offered goes first: a flood of strangers must not cost boards their old addresses.
        return FindFree(_offered, leased: false) ?? FindFree(_leased, leased: true);

        LeaseSlot? FindFree(PriorityQueue<Entry, Rank> queue, bool leased)
        {
            while (TryPeek(queue, leased, out var slot, out var rank))
            {
                if (rank.FreeAt > now) return null;
                if (!reservations.IsForAnother(network.Name, slot.Address, mac)) return slot;
                queue.Dequeue();
                slot.Ticket = 0;
                _live--;
            }
            return null;
        }
    }

    /// <summary>The oldest offer that a client which is no node of ours has not taken up; it stays in line.</summary>
    public LeaseSlot? FindOffer(MacAddress mac, ReservationBook reservations)
    {
        LeaseSlot? found = null;
        var passed = new List<LeaseSlot>();
        while (passed.Count < TakeoverDepth && TryPeek(_offered, leased: false, out var slot, out _))
        {
            if (slot is { Claimed: false, IsKnown: false, Quarantined: false }
                && !reservations.IsForAnother(network.Name, slot.Address, mac))
            {
                found = slot;
                break;
            }
            _offered.Dequeue();
            passed.Add(slot);
        }
        foreach (var slot in passed) Enqueue(slot);
        return found;
    }

    /// <summary>The first entry that still says what is the case.</summary>
    private bool TryPeek(PriorityQueue<Entry, Rank> queue, bool leased, out LeaseSlot slot, out Rank rank)
    {
        while (queue.TryPeek(out var entry, out rank))
        {
            slot = entry.Slot;
            if (slot.Ticket != entry.Ticket)
            {
                queue.Dequeue();
                continue;
            }
            if (slot.Lease is not null == leased && slot.HeldUntil <= rank.FreeAt) return true;
            queue.Dequeue();
            Enqueue(slot);
        }
        slot = null!;
        return false;
    }

    private void Sweep()
    {
        foreach (var queue in (ReadOnlySpan<PriorityQueue<Entry, Rank>>)[_offered, _leased])
        {
            var kept = queue.UnorderedItems.Where(item => item.Element.Slot.Ticket == item.Element.Ticket).ToArray();
            queue.Clear();
            queue.EnqueueRange(kept);
        }
    }

    private static Rank RankOf(LeaseSlot slot) => new(slot.HeldUntil, slot.Lease?.ExpiresAt ?? default, slot.Address);
}
