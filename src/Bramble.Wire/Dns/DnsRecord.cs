using System.Buffers.Binary;
using System.Text;

namespace Bramble.Wire.Dns;

/// <summary>What is asked (RFC 1035 §4.1.2).</summary>
public sealed record DnsQuestion(DnsName Name, DnsType Type, DnsClass Class = DnsClass.IN)
{
    public override string ToString() => $"{Name} {Class} {Type}";
}

/// <summary>A resource record (RFC 1035 §4.1.3). Names inside its data stand there whole, uncompressed.</summary>
/// <param name="Name">Whose record it is.</param>
/// <param name="Type">What its data means.</param>
/// <param name="Class">Internet, as good as always.</param>
/// <param name="Ttl">How many seconds it may be remembered; at most 2^31-1 (RFC 2181 §8).</param>
/// <param name="Data">RDATA.</param>
public sealed record DnsRecord(DnsName Name, DnsType Type, DnsClass Class, uint Ttl, ReadOnlyMemory<byte> Data)
{
    public static DnsRecord A(DnsName name, uint ttl, IPv4Address address)
    {
        var data = new byte[IPv4Address.Size];
        address.Write(data);
        return new DnsRecord(name, DnsType.A, DnsClass.IN, ttl, data);
    }

    /// <param name="type">One whose data is a name alone: NS, CNAME, PTR.</param>
    public static DnsRecord OfName(DnsName name, DnsType type, uint ttl, DnsName target) =>
        new(name, type, DnsClass.IN, ttl, target.Octets.ToArray());

    /// <summary>A text of several strings (RFC 1035 §3.3.14), each cut to 255 octets.</summary>
    public static DnsRecord Txt(DnsName name, uint ttl, params string[] strings) =>
        new(name, DnsType.TXT, DnsClass.IN, ttl, Strings(strings));

    /// <summary>The answer to ANY that spares both sides the rest (RFC 8482 §4.2).</summary>
    public static DnsRecord Any(DnsName name, uint ttl) =>
        new(name, DnsType.HINFO, DnsClass.IN, ttl, Strings(["RFC8482", ""]));

    /// <summary>Where a service is (RFC 2782).</summary>
    public static DnsRecord Srv(
        DnsName name, uint ttl, ushort priority, ushort weight, ushort port, DnsName target)
    {
        var data = new byte[6 + target.Octets.Length];
        BinaryPrimitives.WriteUInt16BigEndian(data, priority);
        BinaryPrimitives.WriteUInt16BigEndian(data.AsSpan(2), weight);
        BinaryPrimitives.WriteUInt16BigEndian(data.AsSpan(4), port);
        target.Octets.CopyTo(data.AsSpan(6));
        return new DnsRecord(name, DnsType.SRV, DnsClass.IN, ttl, data);
    }

    /// <summary>The start of a zone (RFC 1035 §3.3.13).</summary>
    public static DnsRecord Soa(DnsName name, uint ttl, DnsSoa soa)
    {
        var server = soa.Server.Octets;
        var mailbox = soa.Mailbox.Octets;
        var data = new byte[server.Length + mailbox.Length + 20];
        server.CopyTo(data);
        mailbox.CopyTo(data.AsSpan(server.Length));
        var numbers = data.AsSpan(server.Length + mailbox.Length);
        BinaryPrimitives.WriteUInt32BigEndian(numbers, soa.Serial);
        BinaryPrimitives.WriteUInt32BigEndian(numbers[4..], soa.Refresh);
        BinaryPrimitives.WriteUInt32BigEndian(numbers[8..], soa.Retry);
        BinaryPrimitives.WriteUInt32BigEndian(numbers[12..], soa.Expire);
        BinaryPrimitives.WriteUInt32BigEndian(numbers[16..], soa.Minimum);
        return new DnsRecord(name, DnsType.SOA, DnsClass.IN, ttl, data);
    }

    /// <summary>The last number of a SOA: for how long its zone lets an absence be remembered (RFC 2308 §4).</summary>
    public bool TryGetSoaMinimum(out uint minimum)
    {
        minimum = 0;
        if (Type != DnsType.SOA || Data.Length < 22) return false;
        minimum = BinaryPrimitives.ReadUInt32BigEndian(Data.Span[^4..]);
        return true;
    }

    /// <summary>The name in the data of an SRV record.</summary>
    public bool TryGetSrvTarget(out DnsName target)
    {
        target = DnsName.Root;
        if (Type != DnsType.SRV || Data.Length < 7) return false;
        var at = 6;
        if (!DnsName.TryRead(Data.Span, ref at, out var read, out _)) return false;
        target = read;
        return true;
    }

    public bool Equals(DnsRecord? other) => other is not null && Name.Equals(other.Name) && Type == other.Type
        && Class == other.Class && Ttl == other.Ttl && Data.Span.SequenceEqual(other.Data.Span);

    public override int GetHashCode() => HashCode.Combine(Name, Type, Class, Ttl, Data.Length);

    public override string ToString() => $"{Name} {Ttl} {Class} {Type} {Convert.ToHexStringLower(Data.Span)}";

    private static byte[] Strings(IEnumerable<string> strings)
    {
        var data = new List<byte>();
        foreach (var text in strings)
        {
            var octets = Encoding.UTF8.GetBytes(text).AsSpan();
            if (octets.Length > 255) octets = octets[..255];
            data.Add((byte)octets.Length);
            data.AddRange(octets);
        }
        return [.. data];
    }
}

/// <summary>The data of a SOA record; times in seconds.</summary>
public sealed record DnsSoa(
    DnsName Server, DnsName Mailbox, uint Serial, uint Refresh, uint Retry, uint Expire, uint Minimum);
