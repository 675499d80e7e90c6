using System.Globalization;
using Bramble.Boot.Dhcp;
using Bramble.Manager.Nodes;
using Bramble.Wire;

namespace Bramble.Manager.Provisioning;

/// <summary>
/// Which node speaks from an address: by its lease, its reservation, the last address it was seen with, and, where
/// another server gave the address (proxy), by the kernel's neighbour table.
/// </summary>
public sealed class NodeLocator(NodeRegistry nodes, LeaseTable leases, TimeProvider clock)
{
    private static readonly TimeSpan s_arpAge = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How often in that time the table is read once more for an address that was not in it. Machines that boot
    /// together come to their first files within a moment, and one that is told that it is no node of ours boots
    /// nothing; strangers who ask for many are to cost no more than this.
    /// </summary>
    private const int MissesAnAge = 200;

    private readonly Lock _lock = new();
    private Dictionary<IPv4Address, MacAddress> _arp = [];
    private long _arpReadAt = long.MinValue;
    private int _misses;

    public NodeSnapshot? Find(IPv4Address address)
    {
        if (leases.TryFind(address, out var lease) && nodes.Find(lease.Mac) is { } byLease) return byLease;
        if (FindNeighbour(address) is { } mac && nodes.Find(mac) is { } byArp) return byArp;
        NodeSnapshot? seen = null;
        foreach (var node in nodes.All)
        {
            if (node.Spec.ReservedAddress == address) return node;
            if (node.Status.Address == address) seen = node;
        }
        return seen;
    }

    /// <summary>The node that a TFTP prefix names: its serial, or its MAC address with dashes.</summary>
    public NodeSnapshot? FindByPrefix(string prefix)
    {
        if (MacAddress.TryParse(prefix, out var mac)) return nodes.Find(mac);
        if (prefix.Length != 8
            || !uint.TryParse(prefix, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out _))
            return null;
        NodeSnapshot? found = null;
        foreach (var node in nodes.All)
        {
            if (!node.Status.Serial.Equals(prefix, StringComparison.OrdinalIgnoreCase)) continue;
            // Two boards with one serial happen (the high half differs): then the prefix tells nothing.
            if (found is not null) return null;
            found = node;
        }
        return found;
    }

    private MacAddress? FindNeighbour(IPv4Address address)
    {
        lock (_lock)
        {
            if (_arpReadAt == long.MinValue || clock.GetElapsedTime(_arpReadAt) >= s_arpAge)
            {
                _arpReadAt = clock.GetTimestamp();
                _misses = 0;
                _arp = ReadNeighbours();
            }
            if (_arp.TryGetValue(address, out var mac)) return mac;
            if (++_misses > MissesAnAge) return null;
            _arp = ReadNeighbours();
            return _arp.TryGetValue(address, out mac) ? mac : null;
        }
    }

    private static Dictionary<IPv4Address, MacAddress> ReadNeighbours()
    {
        var arp = new Dictionary<IPv4Address, MacAddress>();
        try
        {
            foreach (var line in File.ReadLines("/proc/net/arp").Skip(1))
            {
                var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                if (words.Length >= 4 && IPv4Address.TryParse(words[0], out var address)
                    && MacAddress.TryParse(words[3], out var mac) && mac.Bits != 0)
                    arp[address] = mac;
            }
        }
        catch (IOException)
        {
            // Without the table a proxied board is found by its prefix alone.
        }
        return arp;
    }
}
