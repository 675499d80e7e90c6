using Bramble.Wire.Dns;

namespace Bramble.Boot.Dns;

/// <summary>What makes two questions to upstream the same.</summary>
internal readonly record struct DnsCacheKey(DnsQuestion Question, bool DnssecOk, bool CheckingDisabled);

/// <summary>
/// Answers from upstream, each whole under its question: nothing that came along with one answer is used for another.
/// Bounded by count and by octets; the longest unused makes room. Thread-safe.
/// </summary>
internal sealed class DnsCache(int maxEntries, long maxOctets, TimeProvider clock)
{
    /// <summary>RFC 2308 §5: absences are remembered for hours at most.</summary>
    private const uint LongestNegative = 3 * 3600;

    private const uint Longest = 86400;

    /// <summary>RFC 9520 §3.2: a failure is remembered for seconds, lest it be asked for without end.</summary>
    private const uint Failure = 5;

    private readonly Lock _lock = new();
    private readonly Dictionary<DnsCacheKey, LinkedListNode<Entry>> _entries = [];
    private readonly LinkedList<Entry> _byUse = [];
    private long _octets;

    public int Count
    {
        get
        {
            lock (_lock) return _entries.Count;
        }
    }

    public long Octets
    {
        get
        {
            lock (_lock) return _octets;
        }
    }

    /// <summary>The answer with its times to live run down; null if there is none that still holds.</summary>
    public DnsMessage? Find(DnsCacheKey key)
    {
        Entry entry;
        uint age;
        lock (_lock)
        {
            if (!_entries.TryGetValue(key, out var node)) return null;
            entry = node.Value;
            age = (uint)clock.GetElapsedTime(entry.StoredAt).TotalSeconds;
            if (age >= entry.Ttl)
            {
                Remove(node);
                return null;
            }
            _byUse.Remove(node);
            _byUse.AddLast(node);
        }
        return age == 0 ? entry.Message : entry.Message with
        {
            Answers = Aged(entry.Message.Answers, age),
            Authorities = Aged(entry.Message.Authorities, age),
            Additionals = Aged(entry.Message.Additionals, age),
        };
    }

    /// <param name="octets">What the message took on the wire.</param>
    public void Put(DnsCacheKey key, DnsMessage message, int octets)
    {
        var ttl = TimeToLive(key.Question, message);
        if (ttl == 0 || octets > maxOctets / 8) return;
        lock (_lock)
        {
            if (_entries.TryGetValue(key, out var old)) Remove(old);
            while (_byUse.First is { } first && (_entries.Count >= maxEntries || _octets + octets > maxOctets))
                Remove(first);
            _entries[key] = _byUse.AddLast(new Entry(key, message, clock.GetTimestamp(), ttl, octets));
            _octets += octets;
        }
    }

    /// <summary>For how many seconds an answer may be given again; 0 for not at all.</summary>
    public static uint TimeToLive(DnsQuestion question, DnsMessage message)
    {
        if (message.Code is not (DnsResponseCode.NoError or DnsResponseCode.NameError)) return Failure;
        var least = Longest;
        foreach (var record in message.Answers.Concat(message.Authorities).Concat(message.Additionals))
            least = Math.Min(least, record.Ttl);
        var positive = message.Code == DnsResponseCode.NoError
            && message.Answers.Any(a => a.Type == question.Type || question.Type == DnsType.ANY);
        if (positive) return least;
        // RFC 2308 §5: without a SOA nobody says how long the absence lasts.
        var soa = message.Authorities.FirstOrDefault(record => record.Type == DnsType.SOA);
        return soa is not null && soa.TryGetSoaMinimum(out var minimum)
            ? Math.Min(Math.Min(least, minimum), LongestNegative) : 0;
    }

    private static DnsRecord[] Aged(IReadOnlyList<DnsRecord> records, uint age) =>
        [.. records.Select(record => record with { Ttl = record.Ttl > age ? record.Ttl - age : 0 })];

    private void Remove(LinkedListNode<Entry> node)
    {
        _byUse.Remove(node);
        _entries.Remove(node.Value.Key);
        _octets -= node.Value.Octets;
    }

    private sealed record Entry(DnsCacheKey Key, DnsMessage Message, long StoredAt, uint Ttl, int Octets);
}
