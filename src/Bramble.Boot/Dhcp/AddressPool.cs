using Bramble.Wire;

namespace Bramble.Boot.Dhcp;

/// <summary>
/// Walks the pools of a network once, for addresses that were never given. Only <see cref="LeaseTable"/> uses it, under
/// its lock.
/// </summary>
internal sealed class AddressPool(DhcpNetwork network)
{
    private int _range;
    private long _offset;

    public DhcpNetwork Network => network;

    /// <summary>
    /// Until then a search is known to find nothing: a flood of clients must not search the pool each.
    /// </summary>
    public TimeSpan NothingFreeUntil { get; set; }

    /// <summary>The next address that passes, or null when the pools are through.</summary>
    public IPv4Address? Next(Func<IPv4Address, bool> usable)
    {
        while (_range < network.Pools.Count)
        {
            var range = network.Pools[_range];
            while (_offset < range.Count)
            {
                var address = new IPv4Address((uint)(range.First.Bits + _offset++));
                if (usable(address)) return address;
            }
            _range++;
            _offset = 0;
        }
        return null;
    }

    /// <summary>Starts the walk again: an address has lost its reservation.</summary>
    public void Restart()
    {
        (_range, _offset) = (0, 0);
        NothingFreeUntil = TimeSpan.Zero;
    }
}
