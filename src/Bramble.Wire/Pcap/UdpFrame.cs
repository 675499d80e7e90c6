using System.Buffers.Binary;

namespace Bramble.Wire.Pcap;

/// <summary>
/// A UDP datagram in its Ethernet frame:
/// <code>
///  0 destination (6)  6 source (6)  12 [8100 tag (2)]… 0800
/// IPv4 (RFC 791):  0 45 00  2 length  4 id  6 fragment  8 ttl  9 11  10 checksum  12 source  16 destination
/// UDP (RFC 768):   0 source port  2 destination port  4 length  6 checksum
/// </code>
/// </summary>
public readonly record struct UdpFrame(
    MacAddress SourceMac, MacAddress DestinationMac, IPv4Address Source, ushort SourcePort, IPv4Address Destination,
    ushort DestinationPort)
{
    /// <summary>Octets before the payload in what we write.</summary>
    public const int HeaderSize = EthernetSize + 20 + 8;

    private const int EthernetSize = 14;
    private const ushort TypeIPv4 = 0x0800;
    private const ushort TypeTag = 0x8100;
    private const ushort TypeServiceTag = 0x88a8;
    private const byte ProtocolUdp = 17;
    private const byte HopLimit = 64;

    /// <summary>
    /// Reads an unfragmented UDP datagram, through VLAN tags (IEEE 802.1Q). Checksums are not looked at: captured on
    /// the sending machine they are often not yet filled in. False with an empty error if the frame is something else.
    /// </summary>
    public static bool TryRead(
        ReadOnlySpan<byte> frame, out UdpFrame udp, out ReadOnlySpan<byte> payload, out WireError error)
    {
        udp = default;
        payload = default;
        error = default;
        var at = 12;
        ushort type = 0;
        while (at + 2 <= frame.Length)
        {
            type = BinaryPrimitives.ReadUInt16BigEndian(frame[at..]);
            at += 2;
            if (type is not (TypeTag or TypeServiceTag)) break;
            at += 2;
        }
        if (type != TypeIPv4) return false;
        if (frame.Length - at < 20) return Fail("the frame ends within its IPv4 header", at, out error);
        var ip = frame[at..];
        if (ip[9] != ProtocolUdp) return false;
        var header = (ip[0] & 15) * 4;
        var length = BinaryPrimitives.ReadUInt16BigEndian(ip[2..]);
        if (ip[0] >> 4 != 4 || header < 20)
            return Fail("no IPv4 header where the frame says that there is one", at, out error);
        if ((BinaryPrimitives.ReadUInt16BigEndian(ip[6..]) & 0x3fff) != 0)
            return Fail("a fragment of a datagram", at + 6, out error);
        // Ethernet fills short frames up: the length of IPv4 counts, not the frame's.
        if (length < header + 8 || length > ip.Length)
            return Fail("the frame ends within its datagram", at + 2, out error);
        var body = ip[header..length];
        var size = BinaryPrimitives.ReadUInt16BigEndian(body[4..]);
        if (size < 8 || size > body.Length)
            return Fail("the UDP length does not agree with that of IPv4", at + header + 4, out error);
        udp = new UdpFrame(MacAddress.Read(frame[6..]), MacAddress.Read(frame), IPv4Address.Read(ip[12..]),
            BinaryPrimitives.ReadUInt16BigEndian(body), IPv4Address.Read(ip[16..]),
            BinaryPrimitives.ReadUInt16BigEndian(body[2..]));
        payload = body[8..size];
        return true;
    }

    /// <summary>
    /// Writes the frame, both checksums included. Returns its length, or 0 if the buffer is too small or the payload
    /// too long for one datagram.
    /// </summary>
    public int Write(Span<byte> frame, ReadOnlySpan<byte> payload)
    {
        if (payload.Length > ushort.MaxValue - 28 || frame.Length < HeaderSize + payload.Length) return 0;
        DestinationMac.Write(frame);
        SourceMac.Write(frame[6..]);
        BinaryPrimitives.WriteUInt16BigEndian(frame[12..], TypeIPv4);
        var ip = frame[EthernetSize..];
        BinaryPrimitives.WriteUInt16BigEndian(ip, 0x4500);
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)(28 + payload.Length));
        ip[4..8].Clear();
        ip[8] = HopLimit;
        ip[9] = ProtocolUdp;
        ip[10..12].Clear();
        Source.Write(ip[12..]);
        Destination.Write(ip[16..]);
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], InternetChecksum.Of(ip[..20]));
        var udp = ip.Slice(20, 8 + payload.Length);
        BinaryPrimitives.WriteUInt16BigEndian(udp, SourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(udp[2..], DestinationPort);
        BinaryPrimitives.WriteUInt16BigEndian(udp[4..], (ushort)udp.Length);
        udp[6..8].Clear();
        payload.CopyTo(udp[8..]);
        // The pseudo header: both addresses, the protocol, the length. Zero would say that there is no checksum.
        var sum = InternetChecksum.Of(udp, InternetChecksum.Sum(ip.Slice(12, 8), ProtocolUdp + (uint)udp.Length));
        BinaryPrimitives.WriteUInt16BigEndian(udp[6..], sum == 0 ? (ushort)0xffff : sum);
        return HeaderSize + payload.Length;
    }

    private static bool Fail(string reason, int offset, out WireError error)
    {
        error = new WireError(reason, offset);
        return false;
    }
}
