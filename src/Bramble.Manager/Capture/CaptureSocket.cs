using System.Buffers.Binary;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Bramble.Manager.Capture;

/// <summary>
/// The frames of one interface that belong to booting (packet(7), needs CAP_NET_RAW): ARP, all of UDP over IPv4, and of
/// the boot network's HTTP what begins, ends or asks. A filter in the kernel leaves the images themselves out.
/// </summary>
internal sealed class CaptureSocket : IDisposable
{
    private const int SolSocket = 1;
    private const int SoAttachFilter = 26;
    private const int EthernetAll = 3;
    private const int ReceiveBuffer = 4 << 20;
    private const uint Arp = 0x0806;
    private const uint IPv4 = 0x0800;
    private const uint Tcp = 6;
    private const uint Udp = 17;

    /// <summary>
    /// FIN, SYN, RST and PSH: the last segment of a request carries PSH, those of a long answer do not.
    /// </summary>
    private const uint TellingFlags = 0x0f;

    private readonly Socket _socket;

    /// <exception cref="SocketException">The right is missing, or the interface vanished.</exception>
    /// <exception cref="IOException">There is no such interface.</exception>
    public CaptureSocket(string interfaceName, int httpPort)
    {
        var index = IndexOf(interfaceName);
        // Protocol 0 receives nothing until bind: no frame slips in before the filter is there.
        _socket = new Socket(AddressFamily.Packet, SocketType.Raw, 0);
        try
        {
            AttachFilter((uint)httpPort);
            _socket.ReceiveBufferSize = ReceiveBuffer;
            _socket.Bind(new LinkLayerEndPoint(index));
        }
        catch
        {
            _socket.Dispose();
            throw;
        }
    }

    /// <summary>Whether a further frame waits already.</summary>
    public bool HasMore => _socket.Available > 0;

    public ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellation) =>
        _socket.ReceiveAsync(buffer, SocketFlags.None, cancellation);

    public void Dispose() => _socket.Dispose();

    private static int IndexOf(string interfaceName)
    {
        foreach (var nic in NetworkInterface.GetAllNetworkInterfaces())
            if (nic.Name == interfaceName) return nic.GetIPProperties().GetIPv4Properties().Index;
        throw new IOException($"there is no interface {interfaceName} now");
    }

    private unsafe void AttachFilter(uint httpPort)
    {
        // Jumps are counted from the next instruction on: (true, false). The last two are "all of it" and "nothing".
        ReadOnlySpan<SockFilter> program =
        [
            new(0x28, 0, 0, 12),              // ldh [12]: the type of the frame
            new(0x15, 13, 0, Arp),            // jeq ARP → all
            new(0x15, 0, 13, IPv4),           // jne IPv4 → nothing
            new(0x30, 0, 0, 23),              // ldb [23]: the protocol
            new(0x15, 10, 0, Udp),            // jeq UDP → all
            new(0x15, 0, 10, Tcp),            // jne TCP → nothing
            new(0x28, 0, 0, 20),              // ldh [20]: the fragment's offset
            new(0x45, 8, 0, 0x1fff),          // jset → nothing
            new(0xb1, 0, 0, 14),              // ldxb 4*([14]&0xf): the length of the IP header
            new(0x48, 0, 0, 14),              // ldh [x+14]: the source port
            new(0x15, 2, 0, httpPort),        // jeq → the flags
            new(0x48, 0, 0, 16),              // ldh [x+16]: the destination port
            new(0x15, 0, 3, httpPort),        // jne → nothing
            new(0x50, 0, 0, 27),              // ldb [x+27]: the flags
            new(0x45, 0, 1, TellingFlags),    // none of them → nothing
            new(0x06, 0, 0, 0x40000),
            new(0x06, 0, 0, 0),
        ];
        fixed (SockFilter* first = program)
        {
            var whole = new SockProgram { Length = (ushort)program.Length, Filter = (nint)first };
            _socket.SetRawSocketOption(
                SolSocket, SoAttachFilter, MemoryMarshal.AsBytes(new Span<SockProgram>(ref whole)));
        }
    }

    /// <summary>struct sock_filter.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct SockFilter(ushort Code, byte IfTrue, byte IfFalse, uint Value);

    /// <summary>struct sock_fprog.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct SockProgram
    {
        public ushort Length;
        public nint Filter;
    }

    /// <summary>
    /// struct sockaddr_ll: family 2, protocol 2 (big-endian), ifindex 4, hatype 2, pkttype 1, halen 1, addr 8.
    /// </summary>
    private sealed class LinkLayerEndPoint(int index) : EndPoint
    {
        public override AddressFamily AddressFamily => AddressFamily.Packet;

        public override SocketAddress Serialize()
        {
            var address = new SocketAddress(AddressFamily.Packet, 20);
            var octets = address.Buffer.Span;
            BinaryPrimitives.WriteUInt16BigEndian(octets[2..], EthernetAll);
            MemoryMarshal.Write(octets[4..], index);
            return address;
        }
    }
}
