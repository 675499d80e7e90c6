using System.Globalization;
using Bramble.Wire;
using Bramble.Wire.Dns;

namespace Bramble.Boot.Dns;

/// <summary>Names for addresses: <c>7.0.77.10.in-addr.arpa</c> (RFC 1035 §3.5).</summary>
public static class ReverseNames
{
    private static readonly DnsName Top = DnsName.Parse("in-addr.arpa");

    public static DnsName Of(IPv4Address address) => Of(address, 32);

    /// <summary>
    /// The zones that hold a network's addresses and none but these: one where its length is a whole number of octets,
    /// else each of the next smaller size. A /25 has 128 of one address each, since the zone above it is somebody
    /// else's as well.
    /// </summary>
    public static IEnumerable<DnsName> ZonesOf(IPv4Prefix network)
    {
        var length = (network.Length + 7) / 8 * 8;
        var step = 1u << (32 - length);
        for (var i = 0u; i < 1u << (length - network.Length); i++)
            yield return Of(new IPv4Address(network.Network.Bits + i * step), length);
    }

    private static DnsName Of(IPv4Address address, int length)
    {
        var name = Top;
        for (var bits = 0; bits < length; bits += 8)
            name = name.Prepend((address.Bits >> (24 - bits) & 255).ToString(CultureInfo.InvariantCulture));
        return name;
    }
}
