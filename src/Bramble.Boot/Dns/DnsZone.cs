using Bramble.Wire.Dns;

namespace Bramble.Boot.Dns;

/// <summary>
/// A zone of ours at one moment: its records by name. It has no wildcards and no delegations, so a name is in it, or
/// has names below it, or does not exist.
/// </summary>
public sealed class DnsZone
{
    private static readonly DnsRecord[] Nothing = [];

    private readonly Dictionary<DnsName, DnsRecord[]> _records;
    private readonly HashSet<DnsName> _interior = [];

    /// <param name="origin">The name at the top.</param>
    /// <param name="soa">Its start of authority.</param>
    /// <param name="ttl">Seconds, for the SOA record.</param>
    /// <param name="records">All others; those outside of the zone are an error.</param>
    public DnsZone(DnsName origin, DnsSoa soa, uint ttl, IEnumerable<DnsRecord> records)
    {
        Origin = origin;
        Soa = DnsRecord.Soa(origin, ttl, soa);
        // RFC 2308 §3: with a negative answer the SOA lives as long as the absence may be remembered.
        NegativeSoa = Soa with { Ttl = Math.Min(ttl, soa.Minimum) };
        _records = records.Append(Soa).GroupBy(record => record.Name)
            .ToDictionary(group => group.Key, group => group.ToArray());
        foreach (var name in _records.Keys)
        {
            if (!name.IsWithin(origin)) throw new ArgumentException($"{name} is not in the zone {origin}");
            for (var above = name; !above.Equals(origin) && _interior.Add(above.Parent);) above = above.Parent;
        }
    }

    public DnsName Origin { get; }

    public DnsRecord Soa { get; }

    /// <summary>The SOA record that goes with "no such name" and "no such record".</summary>
    public DnsRecord NegativeSoa { get; }

    /// <summary>
    /// Whether a name exists: it has records, or one below it has (RFC 8020, RFC 4592 §2.2.2: an empty non-terminal).
    /// </summary>
    public bool Exists(DnsName name) => _records.ContainsKey(name) || _interior.Contains(name);

    public IEnumerable<DnsRecord> Find(DnsName name, DnsType type) =>
        _records.GetValueOrDefault(name, Nothing).Where(record => record.Type == type);

    /// <summary>A zone of which all that is known is that nothing is in it (RFC 6303 §3).</summary>
    public static DnsZone Empty(DnsName origin)
    {
        var soa = new DnsSoa(origin, DnsName.Parse("nobody.invalid"), 1, 3600, 1200, 604800, 10800);
        return new DnsZone(origin, soa, 10800, [DnsRecord.OfName(origin, DnsType.NS, 10800, origin)]);
    }
}

/// <summary>All zones of ours at one moment. Immutable.</summary>
public sealed class DnsZones
{
    private readonly Dictionary<DnsName, DnsZone> _byOrigin;

    /// <param name="serial">Grows with each change.</param>
    /// <param name="zones">Of two with one origin the first counts.</param>
    public DnsZones(uint serial, IEnumerable<DnsZone> zones)
    {
        Serial = serial;
        _byOrigin = zones.GroupBy(zone => zone.Origin).ToDictionary(group => group.Key, group => group.First());
    }

    public uint Serial { get; }

    /// <summary>The zone that a name belongs to: of those above it the nearest. Null if it is not ours.</summary>
    public DnsZone? Find(DnsName name)
    {
        for (; ; name = name.Parent)
        {
            if (_byOrigin.TryGetValue(name, out var zone)) return zone;
            if (name.IsRoot) return null;
        }
    }
}
