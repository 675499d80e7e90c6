using System.Buffers.Binary;
using Bramble.Wire;

namespace Bramble.Lab.Network;

/// <summary>
/// Ethernet frames as a board without a kernel puts them on the wire.
/// <code>
///  0 destination (6)  6 source (6)  12 type: 0800 IPv4, 0806 ARP  14 payload
/// IPv4 (RFC 791):  14 45 00  16 length  18 id  20 0000  22 ttl  23 11  24 checksum  26 source  30 destination
/// UDP (RFC 768):   34 source port  36 destination port  38 length  40 checksum  42 payload
/// ARP (RFC 826):   14 0001 0800 06 04  20 operation  22 sender MAC, IP  32 target MAC, IP
/// </code>
/// </summary>
internal static class EtherFrame
{
    public const int HeaderSize = 14;
    public const int UdpPayload = 42;
    public const int ArpSize = 42;
    public const ushort TypeIPv4 = 0x0800;
    public const ushort TypeArp = 0x0806;
    private const byte ProtocolUdp = 17;

    public static ushort TypeOf(ReadOnlySpan<byte> frame) =>
        frame.Length < HeaderSize ? (ushort)0 : BinaryPrimitives.ReadUInt16BigEndian(frame[12..]);

    /// <summary>
    /// Writes headers around a payload that already lies at <see cref="UdpPayload"/>. Returns the frame's length.
    /// </summary>
    public static int WriteUdp(Span<byte> frame, UdpFlow flow, int payloadLength, ushort id)
    {
        WriteHeader(frame, flow.DestinationMac, flow.SourceMac, TypeIPv4);
        var ip = frame[HeaderSize..];
        BinaryPrimitives.WriteUInt16BigEndian(ip, 0x4500);
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)(28 + payloadLength));
        BinaryPrimitives.WriteUInt16BigEndian(ip[4..], id);
        BinaryPrimitives.WriteUInt16BigEndian(ip[6..], 0);
        ip[8] = 64;
        ip[9] = ProtocolUdp;
        ip[10..12].Clear();
        flow.Source.Write(ip[12..]);
        flow.Destination.Write(ip[16..]);
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], Fold(Sum(ip[..20], 0)));

        var udp = ip.Slice(20, 8 + payloadLength);
        BinaryPrimitives.WriteUInt16BigEndian(udp, flow.SourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(udp[2..], flow.DestinationPort);
        BinaryPrimitives.WriteUInt16BigEndian(udp[4..], (ushort)udp.Length);
        udp[6..8].Clear();
        // The pseudo header: both addresses, the protocol, the length (RFC 768).
        var checksum = Fold(Sum(udp, Sum(ip.Slice(12, 8), ProtocolUdp + (uint)udp.Length)));
        BinaryPrimitives.WriteUInt16BigEndian(udp[6..], checksum == 0 ? (ushort)0xffff : checksum);
        return UdpPayload + payloadLength;
    }

    /// <summary>
    /// Reads an unfragmented UDP datagram. Checksums are not looked at: between two ends of a veth pair the kernel
    /// leaves them to hardware that is not there.
    /// </summary>
    public static bool TryReadUdp(ReadOnlySpan<byte> frame, out UdpFlow flow, out ReadOnlySpan<byte> payload)
    {
        flow = default;
        payload = default;
        if (TypeOf(frame) != TypeIPv4 || frame.Length < UdpPayload) return false;
        var ip = frame[HeaderSize..];
        var header = (ip[0] & 15) * 4;
        if (ip[0] >> 4 != 4 || header < 20 || ip[9] != ProtocolUdp
            || (BinaryPrimitives.ReadUInt16BigEndian(ip[6..]) & 0x3fff) != 0 || ip.Length < header + 8)
            return false;
        var udp = ip[header..];
        var length = BinaryPrimitives.ReadUInt16BigEndian(udp[4..]);
        if (length < 8 || length > udp.Length) return false;
        flow = new UdpFlow(MacAddress.Read(frame[6..]), MacAddress.Read(frame), IPv4Address.Read(ip[12..]),
            IPv4Address.Read(ip[16..]), BinaryPrimitives.ReadUInt16BigEndian(udp),
            BinaryPrimitives.ReadUInt16BigEndian(udp[2..]));
        payload = udp[8..length];
        return true;
    }

    /// <summary>Writes an ARP packet (RFC 826) from a sender to a MAC. Returns the frame's length.</summary>
    public static int WriteArp(Span<byte> frame, ArpPacket arp, MacAddress destination)
    {
        WriteHeader(frame, destination, arp.SenderMac, TypeArp);
        var body = frame[HeaderSize..];
        BinaryPrimitives.WriteUInt64BigEndian(body, 0x0001_0800_0604_0000UL | arp.Operation);
        arp.SenderMac.Write(body[8..]);
        arp.Sender.Write(body[14..]);
        arp.TargetMac.Write(body[18..]);
        arp.Target.Write(body[24..]);
        return ArpSize;
    }

    public static bool TryReadArp(ReadOnlySpan<byte> frame, out ArpPacket arp)
    {
        arp = default;
        if (TypeOf(frame) != TypeArp || frame.Length < ArpSize) return false;
        var body = frame[HeaderSize..];
        if (BinaryPrimitives.ReadUInt32BigEndian(body) != 0x0001_0800
            || BinaryPrimitives.ReadUInt16BigEndian(body[4..]) != 0x0604)
            return false;
        arp = new ArpPacket(BinaryPrimitives.ReadUInt16BigEndian(body[6..]), MacAddress.Read(body[8..]),
            IPv4Address.Read(body[14..]), MacAddress.Read(body[18..]), IPv4Address.Read(body[24..]));
        return true;
    }

    private static void WriteHeader(Span<byte> frame, MacAddress destination, MacAddress source, ushort type)
    {
        destination.Write(frame);
        source.Write(frame[6..]);
        BinaryPrimitives.WriteUInt16BigEndian(frame[12..], type);
    }

    // The Internet checksum (RFC 1071).
    private static uint Sum(ReadOnlySpan<byte> octets, uint sum)
    {
        while (octets.Length >= 2)
        {
            sum += BinaryPrimitives.ReadUInt16BigEndian(octets);
            octets = octets[2..];
        }
        return octets.Length == 1 ? sum + ((uint)octets[0] << 8) : sum;
    }

    private static ushort Fold(uint sum)
    {
        while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
        return (ushort)~sum;
    }
}

/// <summary>Both ends of a UDP datagram.</summary>
internal readonly record struct UdpFlow(
    MacAddress SourceMac, MacAddress DestinationMac, IPv4Address Source, IPv4Address Destination,
    ushort SourcePort, ushort DestinationPort);

/// <summary>ARP for IPv4 over Ethernet.</summary>
internal readonly record struct ArpPacket(
    ushort Operation, MacAddress SenderMac, IPv4Address Sender, MacAddress TargetMac, IPv4Address Target)
{
    public const ushort Request = 1;
    public const ushort Reply = 2;
}
