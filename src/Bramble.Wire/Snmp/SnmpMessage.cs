using System.Formats.Asn1;

namespace Bramble.Wire.Snmp;

/// <summary>
/// A message of version 1 or 2c: <c>SEQUENCE { version, community, PDU }</c> (RFC 1157 §4, RFC 1901 §3). The community
/// is a password in the clear: it is never shown.
/// </summary>
public sealed class SnmpMessage(SnmpVersion version, ReadOnlyMemory<byte> community, SnmpPdu pdu)
{
    /// <summary>The largest UDP payload over IPv4.</summary>
    public const int MaxSize = 65507;

    public SnmpVersion Version { get; } = version;

    public ReadOnlyMemory<byte> Community { get; } = community;

    public SnmpPdu Pdu { get; } = pdu;

    /// <summary>The version alone, so that a receiver knows which of the two message shapes follows.</summary>
    public static bool TryReadVersion(ReadOnlySpan<byte> message, out SnmpVersion version, out WireError error)
    {
        version = default;
        var reader = new BerReader(message);
        var ok = reader.TryEnter(BerReader.Sequence, "the message", out _)
            && reader.TryInt32("the version", 0, 3, out var number) && IsKnown(ref reader, number, out version);
        error = reader.Error;
        return ok;
    }

    /// <summary>Reads a message of version 1 or 2c; it must fill the datagram.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out SnmpMessage message, out WireError error)
    {
        message = null!;
        var reader = new BerReader(bytes);
        var ok = TryRead(ref reader, ref message);
        error = reader.Error;
        return ok;
    }

    private static bool TryRead(ref BerReader reader, ref SnmpMessage message)
    {
        if (!reader.TryEnter(BerReader.Sequence, "the message", out var outer)
            || !reader.TryInt32("the version", 0, 1, out var version)
            || !reader.TryOctets("the community", MaxSize, out _, out var community)
            || !SnmpPdu.TryRead(ref reader, out var pdu)
            || !reader.TryLeave("the message", outer) || !reader.TryLeave("the datagram", outer))
            return false;
        message = new SnmpMessage((SnmpVersion)version, community.ToArray(), pdu);
        return true;
    }

    private static bool IsKnown(ref BerReader reader, int number, out SnmpVersion version)
    {
        version = (SnmpVersion)number;
        return number != 2 || reader.Fail("version 2 (SNMPv2u) is not spoken", 0);
    }

    /// <summary>Writes the message and returns its length.</summary>
    public int Write(Span<byte> to) => Encode().Encode(to);

    public byte[] ToBytes() => Encode().Encode();

    private AsnWriter Encode()
    {
        var writer = new AsnWriter(AsnEncodingRules.BER);
        using (writer.PushSequence())
        {
            writer.WriteInteger((int)Version);
            writer.WriteOctetString(Community.Span);
            Pdu.Write(writer);
        }
        return writer;
    }
}
