using System.Buffers.Binary;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Bramble.Lab.Network;

/// <summary>
/// Raw Ethernet frames of one interface (packet(7)). A filter in the kernel passes only ARP and what goes to port 68:
/// the boards' file transfers are the kernel's business.
/// </summary>
internal sealed class PacketSocket : IDisposable
{
    private const int SolSocket = 1;
    private const int SoAttachFilter = 26;
    private const int EthernetAll = 3;
    private const int ReceiveBuffer = 4 << 20;

    private readonly Socket _socket;

    /// <exception cref="SocketException">No such interface, or not root.</exception>
    public PacketSocket(string interfaceName)
    {
        var index = IndexOf(interfaceName);
        // Protocol 0 receives nothing until bind: no frame slips in before the filter is there.
        _socket = new Socket(AddressFamily.Packet, SocketType.Raw, 0);
        try
        {
            AttachFilter();
            _socket.ReceiveBufferSize = ReceiveBuffer;
            _socket.SendBufferSize = ReceiveBuffer;
            _socket.Bind(new LinkLayerEndPoint(index));
        }
        catch
        {
            _socket.Dispose();
            throw;
        }
    }

    public void Send(ReadOnlySpan<byte> frame)
    {
        try
        {
            _socket.Send(frame);
        }
        catch (SocketException e) when (e.SocketErrorCode
            is SocketError.NoBufferSpaceAvailable or SocketError.NetworkDown)
        {
            // A full or dead cable loses frames; boards repeat themselves.
        }
        catch (ObjectDisposedException)
        {
            // The lab is ending.
        }
    }

    public ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellation) =>
        _socket.ReceiveAsync(buffer, SocketFlags.None, cancellation);

    public void Dispose() => _socket.Dispose();

    private static int IndexOf(string interfaceName)
    {
        foreach (var nic in NetworkInterface.GetAllNetworkInterfaces())
            if (nic.Name == interfaceName) return nic.GetIPProperties().GetIPv4Properties().Index;
        throw new ArgumentException($"there is no interface {interfaceName} here; run 'bramble-lab net up' first and "
            + "start this in the lab's network namespace (ip netns exec)");
    }

    private unsafe void AttachFilter()
    {
        // Classic BPF: ldh [12]; jeq ARP → all; jne IPv4 → none; ldb [23]; jne UDP → none; ldh [20]; jset fragment →
        // none; ldxb 4*([14]&0xf); ldh [x+16]; jeq 68 → all; none.
        ReadOnlySpan<SockFilter> program =
        [
            new(0x28, 0, 0, 12),
            new(0x15, 8, 0, EtherFrame.TypeArp),
            new(0x15, 0, 8, EtherFrame.TypeIPv4),
            new(0x30, 0, 0, 23),
            new(0x15, 0, 6, 17),
            new(0x28, 0, 0, 20),
            new(0x45, 4, 0, 0x1fff),
            new(0xb1, 0, 0, 14),
            new(0x48, 0, 0, 16),
            new(0x15, 0, 1, 68),
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
