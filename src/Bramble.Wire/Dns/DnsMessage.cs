using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;

namespace Bramble.Wire.Dns;

/// <summary>
/// A whole message (RFC 1035 §4): header, questions, answers, authorities, additionals. The OPT record is taken out of
/// the additionals into <see cref="Edns"/>.
/// </summary>
public sealed record DnsMessage
{
    /// <summary>What UDP carries without EDNS (RFC 1035 §4.2.1).</summary>
    public const int PlainUdpSize = 512;

    public const int MaxSize = ushort.MaxValue;

    public const int Port = 53;

    public DnsHeader Header { get; init; }

    /// <summary>All twelve bits. Those above four need <see cref="Edns"/> to be sent.</summary>
    public DnsResponseCode Code { get; init; }

    public IReadOnlyList<DnsQuestion> Questions { get; init; } = [];

    public IReadOnlyList<DnsRecord> Answers { get; init; } = [];

    public IReadOnlyList<DnsRecord> Authorities { get; init; } = [];

    public IReadOnlyList<DnsRecord> Additionals { get; init; } = [];

    public DnsEdns? Edns { get; init; }

    /// <summary>Reads a message of which every octet must make sense; what follows its end is an error.</summary>
    public static bool TryRead(
        ReadOnlySpan<byte> packet, [NotNullWhen(true)] out DnsMessage? message, out WireError error)
    {
        message = null;
        if (!DnsHeader.TryRead(packet, out var header, out error)) return false;
        if (packet.Length > MaxSize) return Fail("a message has more than 65535 octets", MaxSize, out error);
        var at = DnsHeader.Size;
        var questions = new DnsQuestion[Count(packet, 4, 5)];
        for (var i = 0; i < Count(packet, 4); i++)
        {
            if (!DnsName.TryRead(packet, ref at, out var name, out error)) return false;
            if (at + 4 > packet.Length) return Fail("a question goes beyond the end", at, out error);
            questions[i] = new DnsQuestion(
                name, (DnsType)Number(packet, at), (DnsClass)Number(packet, at + 2));
            at += 4;
        }
        DnsEdns? edns = null;
        uint extended = 0;
        if (!TryRecords(packet, 6, ref at, ref edns, ref extended, out var answers, out error)
            || !TryRecords(packet, 8, ref at, ref edns, ref extended, out var authorities, out error)
            || !TryRecords(packet, 10, ref at, ref edns, ref extended, out var additionals, out error))
            return false;
        if (at != packet.Length) return Fail("octets follow the end of the message", at, out error);
        message = new DnsMessage
        {
            Header = header,
            Code = (DnsResponseCode)(extended << 4 | (uint)header.CodeBits),
            Questions = questions,
            Answers = answers,
            Authorities = authorities,
            Additionals = additionals,
            Edns = edns,
        };
        return true;
    }

    /// <summary>
    /// Writes into a buffer whose size is the limit. If answers or authorities do not fit, all records are left out and
    /// TC is set; additionals that do not fit are left out silently (RFC 2181 §9). 0 if not even the questions fit.
    /// </summary>
    public int Write(Span<byte> buffer) => DnsMessageWriter.Write(this, buffer);

    private static bool TryRecords(
        ReadOnlySpan<byte> packet, int countAt, ref int at, ref DnsEdns? edns, ref uint extended,
        out List<DnsRecord> records, out WireError error)
    {
        error = default;
        var count = Count(packet, countAt);
        records = new List<DnsRecord>(Count(packet, countAt, 11));
        for (var i = 0; i < count; i++)
        {
            var start = at;
            if (!DnsName.TryRead(packet, ref at, out var name, out error)) return false;
            if (at + 10 > packet.Length) return Fail("a record goes beyond the end", at, out error);
            var type = (DnsType)Number(packet, at);
            var @class = (DnsClass)Number(packet, at + 2);
            var ttl = BinaryPrimitives.ReadUInt32BigEndian(packet[(at + 4)..]);
            var length = Number(packet, at + 8);
            at += 10;
            if (at + length > packet.Length) return Fail("the data of a record goes beyond the end", at, out error);
            if (!DnsDataLayout.TryRead(packet, at, length, DnsDataLayout.Of(type, @class), out var data, out error))
                return false;
            at += length;
            if (type == DnsType.OPT)
            {
                // RFC 6891 §6.1.1: one, and among the additional records.
                if (countAt != 10 || edns is not null)
                    return Fail("an OPT record is there twice or out of place", start, out error);
                if (!DnsEdns.TryRead(name, (ushort)@class, ttl, data, start, out edns, out error)) return false;
                extended = ttl >> 24;
                continue;
            }
            // RFC 2181 §8: a TTL whose first bit is set counts as 0.
            records.Add(new DnsRecord(name, type, @class, ttl > int.MaxValue ? 0 : ttl, data));
        }
        return true;
    }

    private static int Number(ReadOnlySpan<byte> packet, int at) => BinaryPrimitives.ReadUInt16BigEndian(packet[at..]);

    private static int Count(ReadOnlySpan<byte> packet, int at) => Number(packet, at);

    /// <summary>No more than there can be, since a short packet may claim 65535.</summary>
    private static int Count(ReadOnlySpan<byte> packet, int at, int leastSize) =>
        Math.Min(Number(packet, at), (packet.Length - DnsHeader.Size) / leastSize);

    private static bool Fail(string reason, int at, out WireError error)
    {
        error = new WireError(reason, at);
        return false;
    }
}
