using Bramble.Wire;
using Bramble.Wire.Dhcp;

namespace Bramble.Boot.Dhcp;

/// <summary>The networks that are served through one interface: the one on it, and those behind relays.</summary>
internal sealed class DhcpNetworks(DhcpNetwork own, IReadOnlyList<DhcpNetwork> relayed)
{
    /// <summary>The one on the interface.</summary>
    public DhcpNetwork Own => own;

    public IReadOnlyList<DhcpNetwork> Relayed => relayed;

    public IEnumerable<DhcpNetwork> All => relayed.Prepend(own);

    /// <summary>
    /// The network that a packet's client is on. Of a relayed packet it is told by the relay; one that comes straight
    /// from a client with an address, as a renewal does (RFC 2131 §4.3.6), by that address.
    /// </summary>
    public DhcpNetwork Of(DhcpPacket packet)
    {
        if (relayed.Count == 0) return own;
        var link = packet.RelayAddress.IsAny ? packet.ClientAddress : LinkOf(packet);
        if (link.IsAny || own.Subnet.Contains(link)) return own;
        for (var i = 0; i < relayed.Count; i++)
            if (relayed[i].Subnet.Contains(link)) return relayed[i];
        return own;
    }

    /// <summary>
    /// An address on the client's network, of a relayed packet: the link selection (RFC 3527 §3), else the relay's.
    /// </summary>
    public static IPv4Address LinkOf(DhcpPacket packet) =>
        RelayInformation.TryGetAddress(packet, RelayInformation.LinkSelection, out var link)
            ? link : packet.RelayAddress;
}
