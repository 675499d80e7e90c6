using System.Buffers.Binary;

namespace Bramble.Wire.Dns;

/// <summary>
/// The fixed head of a message (RFC 1035 §4.1.1; AD and CD: RFC 4035 §3.1.6). The counts of sections come behind.
/// <code>
///   0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15
/// +-----------------------------------------------+
/// |                      ID                       |  0
/// |QR|   Opcode  |AA|TC|RD|RA| Z|AD|CD|   RCODE   |  2
/// |                    QDCOUNT                    |  4
/// |                    ANCOUNT                    |  6
/// |                    NSCOUNT                    |  8
/// |                    ARCOUNT                    | 10
/// +-----------------------------------------------+
/// </code>
/// </summary>
public readonly record struct DnsHeader(ushort Id, ushort Bits)
{
    public const int Size = 12;

    private const ushort ResponseBit = 0x8000;
    private const ushort AuthoritativeBit = 0x0400;
    private const ushort TruncatedBit = 0x0200;
    private const ushort RecursionDesiredBit = 0x0100;
    private const ushort RecursionAvailableBit = 0x0080;
    private const ushort AuthenticDataBit = 0x0020;
    private const ushort CheckingDisabledBit = 0x0010;

    public bool IsResponse { get => Has(ResponseBit); init => Bits = With(ResponseBit, value); }

    public DnsOpcode Opcode
    {
        get => (DnsOpcode)(Bits >> 11 & 15);
        init => Bits = (ushort)(Bits & ~0x7800 | ((int)value & 15) << 11);
    }

    public bool IsAuthoritative { get => Has(AuthoritativeBit); init => Bits = With(AuthoritativeBit, value); }

    public bool IsTruncated { get => Has(TruncatedBit); init => Bits = With(TruncatedBit, value); }

    public bool RecursionDesired { get => Has(RecursionDesiredBit); init => Bits = With(RecursionDesiredBit, value); }

    public bool RecursionAvailable
    {
        get => Has(RecursionAvailableBit);
        init => Bits = With(RecursionAvailableBit, value);
    }

    public bool AuthenticData { get => Has(AuthenticDataBit); init => Bits = With(AuthenticDataBit, value); }

    public bool CheckingDisabled { get => Has(CheckingDisabledBit); init => Bits = With(CheckingDisabledBit, value); }

    /// <summary>The lower four bits of the response code.</summary>
    public int CodeBits { get => Bits & 15; init => Bits = (ushort)(Bits & ~15 | value & 15); }

    public static bool TryRead(ReadOnlySpan<byte> message, out DnsHeader header, out WireError error)
    {
        header = default;
        error = default;
        if (message.Length < Size)
        {
            error = new WireError($"a DNS message has at least {Size} octets", message.Length);
            return false;
        }
        header = new DnsHeader(
            BinaryPrimitives.ReadUInt16BigEndian(message), BinaryPrimitives.ReadUInt16BigEndian(message[2..]));
        return true;
    }

    private bool Has(ushort bit) => (Bits & bit) != 0;

    private ushort With(ushort bit, bool on) => (ushort)(on ? Bits | bit : Bits & ~bit);
}
