using Bramble.Boot.Dhcp;
using Bramble.Contracts.Nodes;
using Bramble.Manager.Configuration;
using Bramble.Manager.Nodes;
using Bramble.Wire;

namespace Bramble.Manager.Names;

/// <summary>What the zone says of a node.</summary>
/// <param name="Running">Its installed system reports: its services can be asked.</param>
public readonly record struct NodeName(string Name, IPv4Address Address, bool Running);

/// <summary>Who has which name and address now. Pure: the same nodes and leases give the same list.</summary>
public static class NodeNames
{
    /// <summary>All that have an address, in the order of the nodes.</summary>
    public static List<NodeName> Of(BrambleOptions options, IEnumerable<NodeSnapshot> nodes, LeaseTable leases)
    {
        var names = new List<NodeName>();
        foreach (var node in nodes)
        {
            if (!node.Spec.Adopted || AddressOf(node, options, leases) is not { } address) continue;
            names.Add(new NodeName(node.Name, address, node.Status.Phase == NodePhase.Running));
        }
        return names;
    }

    /// <summary>
    /// The lease that it holds; else, on a network whose addresses another server gives, where it was seen in this
    /// boot; else what is reserved for it, where it will be.
    /// </summary>
    private static IPv4Address? AddressOf(NodeSnapshot node, BrambleOptions options, LeaseTable leases)
    {
        if (leases.TryFind(node.Mac, out var lease) && Holder(lease.Address) == node.Mac) return lease.Address;
        if (node.Status.Address is { IsAny: false } seen && node.Status.Phase is NodePhase.Booting
            or NodePhase.Installing or NodePhase.Running or NodePhase.Rescue && MayHave(seen))
            return seen;
        if (node.Spec.ReservedAddress is { } reserved) return MayHave(reserved) ? reserved : null;
        foreach (var network in options.Networks)
        {
            if (network.Reservations.TryGetValue(node.Mac, out var configured) && MayHave(configured))
                return configured;
        }
        return null;

        MacAddress? Holder(IPv4Address address) => leases.TryFind(address, out var held) ? held.Mac : null;

        bool MayHave(IPv4Address address) => Holder(address) is not { } holder || holder == node.Mac;
    }
}
