using System.Formats.Asn1;

namespace Bramble.Wire.Snmp;

/// <summary>What the framework's BER writer lacks for SNMP: its application types and identifiers as numbers.</summary>
internal static class BerWriting
{
    public static void WriteValue(this AsnWriter writer, SnmpValue value)
    {
        switch (value.Type)
        {
            case SnmpType.Integer32:
                writer.WriteInteger(value.Number);
                break;
            case SnmpType.Counter32 or SnmpType.Gauge32 or SnmpType.TimeTicks or SnmpType.Counter64:
                writer.WriteInteger(value.Unsigned, Tag(value.Type));
                break;
            case SnmpType.OctetString or SnmpType.Opaque or SnmpType.IpAddress:
                writer.WriteOctetString(value.Octets, Tag(value.Type));
                break;
            case SnmpType.ObjectId:
                writer.WriteObjectId(value.ObjectId);
                break;
            case SnmpType.NoSuchObject or SnmpType.NoSuchInstance or SnmpType.EndOfMibView:
                writer.WriteNull(Tag(value.Type));
                break;
            default:
                writer.WriteNull();
                break;
        }
    }

    public static void WriteObjectId(this AsnWriter writer, ObjectId id)
    {
        var arcs = id.Arcs;
        // BER cannot say fewer than two arcs. As net-snmp does, the missing ones are zeros.
        var first = arcs.Length > 0 ? arcs[0] : 0;
        var second = arcs.Length > 1 ? arcs[1] : 0;
        Span<byte> encoded = stackalloc byte[4 + 5 * ObjectId.MaxArcs];
        const int body = 4;
        var end = body + Base128(encoded[body..], first * 40UL + second);
        for (var i = 2; i < arcs.Length; i++) end += Base128(encoded[end..], arcs[i]);
        var length = end - body;
        var start = body;
        if (length < 0x80)
        {
            encoded[--start] = (byte)length;
        }
        else
        {
            encoded[--start] = (byte)length;
            if (length > 0xff) encoded[--start] = (byte)(length >> 8);
            encoded[start - 1] = (byte)(0x80 | body - start);
            start--;
        }
        encoded[--start] = (byte)SnmpType.ObjectId;
        writer.WriteEncodedValue(encoded[start..end]);
    }

    private static int Base128(Span<byte> to, ulong number)
    {
        var groups = 1;
        for (var rest = number >> 7; rest != 0; rest >>= 7) groups++;
        for (var i = 0; i < groups; i++)
            to[i] = (byte)(number >> 7 * (groups - 1 - i) & 0x7f | (i < groups - 1 ? 0x80u : 0));
        return groups;
    }

    private static Asn1Tag Tag(SnmpType type) =>
        ((byte)type & 0xc0) switch
        {
            0x40 => new Asn1Tag(TagClass.Application, (byte)type & 0x1f),
            0x80 => new Asn1Tag(TagClass.ContextSpecific, (byte)type & 0x1f),
            _ => new Asn1Tag((UniversalTagNumber)type),
        };
}
