using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Bramble.Wire;

namespace Bramble.Boot.Dhcp;

/// <summary>Ethernet frames of one interface. The seam at which tests put frames of their own.</summary>
internal interface ILinkChannel : IInterfaceChannel
{
    /// <summary>The interface's own address.</summary>
    MacAddress Mac { get; }

    /// <summary>Sends at once or throws; never waits.</summary>
    /// <exception cref="IOException">The network refused it.</exception>
    void Send(ReadOnlySpan<byte> frame);

    /// <exception cref="IOException">The channel broke; it must be opened anew.</exception>
    ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellation);
}

/// <summary>An instruction of classic BPF: struct sock_filter.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct SockFilter(ushort Code, byte IfTrue, byte IfFalse, uint Value);

/// <summary>
/// Raw Ethernet frames (packet(7)) of one type, filtered in the kernel: for ARP probes, to hear what other servers
/// say to clients, and for captures. Bound to one type, it does not hear what we send ourselves; bound to all, it does.
/// </summary>
internal sealed class LinkSocket : ILinkChannel
{
    public const ushort TypeArp = 0x0806;
    public const ushort TypeIPv4 = 0x0800;

    /// <summary>ETH_P_ALL.</summary>
    public const ushort TypeAll = 3;

    private const int SolSocket = 1;
    private const int SoAttachFilter = 26;
    private const int InterfaceIndexOf = 0x8933;
    private const int HardwareAddressOf = 0x8927;
    private const int InterfaceRequestSize = 40;
    private const int InterfaceNameSize = 16;

    private readonly Socket _socket;
    private readonly string _interface;
    private readonly int _index;

    private LinkSocket(Socket socket, string name, int index, MacAddress mac) =>
        (_socket, _interface, _index, Mac) = (socket, name, index, mac);

    public MacAddress Mac { get; }

    public bool IsThere => IndexOf(_socket, _interface) == _index;

    /// <summary>Whether a further frame waits already.</summary>
    public bool HasMore => _socket.Available > 0;

    /// <summary>What goes to this UDP port, of IPv4 frames.</summary>
    public static SockFilter[] UdpTo(ushort port) =>
    [
        // Classic BPF: ldb [23]; UDP? ldh [20]; fragment? ldxb 4*([14]&0xf); ldh [x+16]; the port? all; none.
        new(0x30, 0, 0, 23),
        new(0x15, 0, 6, 17),
        new(0x28, 0, 0, 20),
        new(0x45, 4, 0, 0x1fff),
        new(0xb1, 0, 0, 14),
        new(0x48, 0, 0, 16),
        new(0x15, 0, 1, port),
        new(0x06, 0, 0, 0x40000),
        new(0x06, 0, 0, 0),
    ];

    /// <param name="filter">What passes; all if empty.</param>
    /// <param name="receiveBuffer">Octets; 0 for the kernel's usual.</param>
    /// <exception cref="IOException">With the cause.</exception>
    public static LinkSocket Open(
        string name, ushort type, ReadOnlySpan<SockFilter> filter = default, int receiveBuffer = 0)
    {
        // Protocol 0 receives nothing until bind: no frame slips in before the filter is there.
        Socket? socket = null;
        try
        {
            socket = new Socket(AddressFamily.Packet, SocketType.Raw, 0);
            var index = IndexOf(socket, name);
            if (index == 0) throw new IOException($"there is no interface {name}");
            var hardware = Ask(socket, name, HardwareAddressOf)
                ?? throw new IOException($"interface {name} has no Ethernet address");
            if (filter.Length > 0) Attach(socket, filter);
            if (receiveBuffer > 0) socket.ReceiveBufferSize = receiveBuffer;
            socket.Bind(new LinkLayerEndPoint(index, type));
            // struct ifreq: the name, then a struct sockaddr with its family first.
            return new LinkSocket(socket, name, index, MacAddress.Read(hardware.AsSpan(InterfaceNameSize + 2)));
        }
        catch (SocketException e)
        {
            socket?.Dispose();
            throw new IOException(e.SocketErrorCode == SocketError.AccessDenied
                ? $"raw frames on {name} need root or CAP_NET_RAW" : $"raw frames on {name}: {e.Message}", e);
        }
        catch (IOException)
        {
            socket?.Dispose();
            throw;
        }
    }

    public void Send(ReadOnlySpan<byte> frame)
    {
        try
        {
            _socket.Send(frame);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            throw new IOException($"sending on {_interface} failed: {e.Message}", e);
        }
    }

    public async ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellation)
    {
        try
        {
            return await _socket.ReceiveAsync(buffer, SocketFlags.None, cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            throw new IOException($"receiving on {_interface} failed: {e.Message}", e);
        }
    }

    public void Dispose() => _socket.Dispose();

    /// <summary>An interface's number, in the socket's own namespace; 0 if it is not there.</summary>
    public static int IndexOf(Socket socket, string name) => Ask(socket, name, InterfaceIndexOf) is { } answer
        ? MemoryMarshal.Read<int>(answer.AsSpan(InterfaceNameSize)) : 0;

    private static byte[]? Ask(Socket socket, string name, int what)
    {
        var request = new byte[InterfaceRequestSize];
        if (name.Length >= InterfaceNameSize) return null;
        Encoding.ASCII.GetBytes(name, request);
        try
        {
            return ioctl(socket.SafeHandle, (nuint)what, request) == 0 ? request : null;
        }
        catch (ObjectDisposedException)
        {
            return null;
        }
    }

    private static unsafe void Attach(Socket socket, ReadOnlySpan<SockFilter> program)
    {
        fixed (SockFilter* first = program)
        {
            var whole = new SockProgram { Length = (ushort)program.Length, Filter = (nint)first };
            socket.SetRawSocketOption(
                SolSocket, SoAttachFilter, MemoryMarshal.AsBytes(new Span<SockProgram>(ref whole)));
        }
    }

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int ioctl(SafeSocketHandle socket, nuint request, [In, Out] byte[] argument);

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
    private sealed class LinkLayerEndPoint(int index, ushort type) : EndPoint
    {
        public override AddressFamily AddressFamily => AddressFamily.Packet;

        public override SocketAddress Serialize()
        {
            var address = new SocketAddress(AddressFamily.Packet, 20);
            var octets = address.Buffer.Span;
            BinaryPrimitives.WriteUInt16BigEndian(octets[2..], type);
            MemoryMarshal.Write(octets[4..], index);
            return address;
        }
    }
}
