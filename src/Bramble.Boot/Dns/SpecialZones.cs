using System.Globalization;
using Bramble.Wire;
using Bramble.Wire.Dns;

namespace Bramble.Boot.Dns;

/// <summary>
/// Names that mean something on this side of the uplink only: a question for one of them that gets out tells strangers
/// about the network, and they know no answer.
/// </summary>
public static class SpecialZones
{
    private const uint Ttl = 10800;

    /// <summary>RFC 6303 §4: reverse zones of private, local and documentation addresses.</summary>
    private static readonly string[] Reverse =
    [
        "10.in-addr.arpa", "168.192.in-addr.arpa", "0.in-addr.arpa", "127.in-addr.arpa", "254.169.in-addr.arpa",
        "2.0.192.in-addr.arpa", "100.51.198.in-addr.arpa", "113.0.203.in-addr.arpa",
        "255.255.255.255.in-addr.arpa", "d.f.ip6.arpa", "8.e.f.ip6.arpa", "9.e.f.ip6.arpa", "a.e.f.ip6.arpa",
        "b.e.f.ip6.arpa", "8.b.d.0.1.0.0.2.ip6.arpa",
        string.Concat(Enumerable.Repeat("0.", 32)) + "ip6.arpa",
        "1." + string.Concat(Enumerable.Repeat("0.", 31)) + "ip6.arpa",
    ];

    /// <summary>
    /// RFC 6761 §6.4, RFC 7686: in the DNS nobody has such a name. RFC 6762 §22.1 would have "local" here as well, but
    /// there are companies whose domain ends so.
    /// </summary>
    private static readonly string[] Nowhere = ["invalid", "onion"];

    public static IReadOnlyList<DnsZone> All { get; } =
    [
        .. Reverse.Concat(Enumerable.Range(16, 16).Select(second =>
            string.Create(CultureInfo.InvariantCulture, $"{second}.172.in-addr.arpa")))
            .Concat(Nowhere).Select(name => DnsZone.Empty(DnsName.Parse(name))),
        Localhost(),
    ];

    /// <summary>RFC 6761 §6.3.</summary>
    private static DnsZone Localhost()
    {
        var origin = DnsName.Parse("localhost");
        var loopback = new byte[16];
        loopback[15] = 1;
        var soa = new DnsSoa(origin, DnsName.Parse("nobody.invalid"), 1, 3600, 1200, 604800, Ttl);
        return new DnsZone(origin, soa, Ttl,
        [
            DnsRecord.OfName(origin, DnsType.NS, Ttl, origin),
            DnsRecord.A(origin, Ttl, IPv4Address.Parse("127.0.0.1")),
            new DnsRecord(origin, DnsType.AAAA, DnsClass.IN, Ttl, loopback),
        ]);
    }
}
