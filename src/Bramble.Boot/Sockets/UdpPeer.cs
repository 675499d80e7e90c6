using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Bramble.Wire;

namespace Bramble.Boot.Sockets;

/// <summary>An IPv4 address and port as one number, read from the kernel's form without allocating.</summary>
internal readonly record struct UdpPeer(ulong Bits)
{
    public IPv4Address Address => new((uint)(Bits >> 16));

    public int Port => (ushort)Bits;

    public static UdpPeer From(IPEndPoint endPoint) =>
        new((ulong)IPv4Address.From(endPoint.Address).Bits << 16 | (ushort)endPoint.Port);

    /// <summary>A buffer that the socket fills with the sender of a packet.</summary>
    public static SocketAddress Buffer() => new(AddressFamily.InterNetwork);

    // struct sockaddr_in: family (2 octets), port and address in network order.
    public static UdpPeer From(SocketAddress sender)
    {
        var octets = sender.Buffer.Span;
        return new UdpPeer(
            (ulong)BinaryPrimitives.ReadUInt32BigEndian(octets[4..]) << 16
            | BinaryPrimitives.ReadUInt16BigEndian(octets[2..]));
    }

    public SocketAddress ToSocketAddress() => new IPEndPoint(Address.ToIPAddress(), Port).Serialize();

    public override string ToString() => $"{Address}:{Port}";
}
