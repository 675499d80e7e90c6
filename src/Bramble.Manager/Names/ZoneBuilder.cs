using Bramble.Boot.Dns;
using Bramble.Manager.Configuration;
using Bramble.Wire;
using Bramble.Wire.Dns;

namespace Bramble.Manager.Names;

/// <summary>Makes the zones out of what is known of the nodes. Pure.</summary>
public static class ZoneBuilder
{
    /// <summary>
    /// Seconds for which a resolver may remember a record: an address may be another board's soon after.
    /// </summary>
    public const uint Ttl = 10;

    /// <summary>Seconds for which an absence may be remembered: the board may be there the next moment.</summary>
    public const uint NegativeTtl = 5;

    /// <summary>Our own name, and that of the name server: no node can have them.</summary>
    private const string Manager = "brambled";
    private const string NameServer = "ns";

    /// <summary>
    /// What is offered as service: by the name of the exporters, and by the one under which Prometheus is found.
    /// </summary>
    private static readonly string[] MetricsServices = ["_metrics", "_prometheus-http"];

    public static DnsZones Build(BrambleOptions options, IReadOnlyList<NodeName> nodes, uint serial)
    {
        var origin = options.Dns.Zone;
        var manager = origin.Prepend(Manager);
        var nameServer = origin.Prepend(NameServer);
        var soa = new DnsSoa(nameServer, origin.Prepend("hostmaster"), serial, 3600, 600, 86400, NegativeTtl);
        var forward = new List<DnsRecord> { NsOf(origin) };
        var reverse = options.Networks.SelectMany(network => ReverseNames.ZonesOf(network.Prefix)).Distinct()
            .ToDictionary(zone => zone, zone => new List<DnsRecord> { NsOf(zone) });
        var named = new HashSet<IPv4Address>();
        foreach (var network in options.Networks.Where(network => network.Via is null))
        {
            var address = network.Address.Address;
            forward.Add(DnsRecord.A(manager, Ttl, address));
            forward.Add(DnsRecord.A(nameServer, Ttl, address));
            AddReverse(address, manager);
        }
        foreach (var node in nodes)
        {
            if (node.Name is Manager or NameServer) continue;
            var name = origin.Prepend(node.Name);
            forward.Add(DnsRecord.A(name, Ttl, node.Address));
            AddReverse(node.Address, name);
            if (!node.Running) continue;
            foreach (var service in MetricsServices)
                forward.Add(DnsRecord.Srv(origin.Prepend("_tcp").Prepend(service), Ttl, 0, 0,
                    (ushort)options.Dns.MetricsPort, name));
        }
        return new DnsZones(serial,
        [
            new DnsZone(origin, soa, Ttl, forward),
            .. reverse.Select(zone => new DnsZone(zone.Key, soa, Ttl, zone.Value)),
            .. SpecialZones.All,
        ]);

        DnsRecord NsOf(DnsName zone) => DnsRecord.OfName(zone, DnsType.NS, Ttl, nameServer);

        void AddReverse(IPv4Address address, DnsName name)
        {
            // One name for an address; the first that claims it.
            if (!named.Add(address)) return;
            var pointer = ReverseNames.Of(address);
            for (var zone = pointer; !zone.IsRoot; zone = zone.Parent)
            {
                if (!reverse.TryGetValue(zone, out var records)) continue;
                records.Add(DnsRecord.OfName(pointer, DnsType.PTR, Ttl, name));
                return;
            }
        }
    }
}
