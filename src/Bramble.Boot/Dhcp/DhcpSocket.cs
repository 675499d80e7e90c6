using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Bramble.Boot.Sockets;
using Bramble.Wire;

namespace Bramble.Boot.Dhcp;

/// <summary>
/// A UDP port bound to one interface (SO_BINDTODEVICE): it hears that interface's broadcasts alone, and what it sends
/// leaves there, 255.255.255.255 included. So each network has its own socket and needs no IP_PKTINFO.
/// </summary>
internal sealed class DhcpSocket : IDhcpChannel
{
    private const int SolSocket = 1;
    private const int SoBindToDevice = 25;
    private const int SoReceiveBufferForce = 33;
    private const int InterfaceIndexOf = 0x8933;
    private const int InterfaceRequestSize = 40;
    private const int InterfaceNameSize = 16;
    private const int NoSuchDevice = 19;
    private const int ReceiveBuffer = 4 << 20;

    private readonly Socket _socket;
    private readonly NeighbourTable? _neighbours;
    private readonly string _interface;
    private readonly int _index;
    private readonly SocketAddress _from = new(AddressFamily.InterNetwork);
    private readonly SocketAddress _to = new(AddressFamily.InterNetwork);
    private readonly Lock _sending = new();

    private DhcpSocket(Socket socket, string name)
    {
        _socket = socket;
        _interface = name;
        _index = Index();
        _neighbours = NeighbourTable.TryOpen();
    }

    public bool IsThere => _index > 0 && Index() == _index;

    /// <exception cref="IOException">With the cause and what to do about it.</exception>
    public static IDhcpChannel Open(DhcpNetwork network, int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            socket.EnableBroadcast = true;
            Bind(socket, network.Interface);
            EnlargeReceiveBuffer(socket);
            socket.SendTimeout = LocalBinding.SendTimeoutMilliseconds;
            socket.Bind(new IPEndPoint(IPAddress.Any, port));
            return new DhcpSocket(socket, network.Interface);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new IOException(e.SocketErrorCode switch
            {
                SocketError.AddressAlreadyInUse =>
                    $"UDP port {port} on {network.Interface} is taken: another DHCP server runs on this machine",
                SocketError.AccessDenied =>
                    $"UDP port {port} on {network.Interface} needs root, or CAP_NET_BIND_SERVICE and CAP_NET_RAW",
                _ when e.NativeErrorCode == NoSuchDevice => $"there is no interface {network.Interface}",
                _ => $"UDP port {port} on {network.Interface} cannot be opened: {e.Message}",
            }, e);
        }
    }

    public async ValueTask<DhcpDatagram> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellation)
    {
        try
        {
            var length = await _socket.ReceiveFromAsync(buffer, SocketFlags.None, _from, cancellation)
                .ConfigureAwait(false);
            // sockaddr_in: family, port and address in network order.
            var octets = _from.Buffer.Span;
            return new DhcpDatagram(
                length, IPv4Address.Read(octets[4..]), BinaryPrimitives.ReadUInt16BigEndian(octets[2..]));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            throw new IOException($"receiving on {_interface} failed: {e.Message}", e);
        }
    }

    public void Send(ReadOnlySpan<byte> packet, in DhcpDestination to)
    {
        var address = to.Address;
        // Unicast to a client without an address: with a neighbour entry the kernel needs no ARP, and no raw frame has
        // to be made by hand. If the entry is refused (no CAP_NET_ADMIN), broadcast reaches the client too.
        if (to.Neighbour is { } neighbour
            && !(_neighbours?.TrySet(_index, neighbour.Address, neighbour.Mac, to.PinNeighbour) ?? false)
            && address == neighbour.Address)
            address = IPv4Address.Broadcast;
        try
        {
            SendTo(packet, address, to.Port);
        }
        catch (SocketException e) when (address != IPv4Address.Broadcast && to.Neighbour is not null)
        {
            // No route to the address that we just gave: our own is missing on the interface. Broadcast needs none.
            SendOrThrow(packet, IPv4Address.Broadcast, to.Port, e);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            throw new IOException($"sending to {address} on {_interface} failed: {e.Message}", e);
        }
    }

    public void Dispose()
    {
        _socket.Dispose();
        _neighbours?.Dispose();
    }

    private void SendOrThrow(ReadOnlySpan<byte> packet, IPv4Address address, int port, SocketException first)
    {
        try
        {
            SendTo(packet, address, port);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            throw new IOException(
                $"sending on {_interface} failed: {first.Message}; and by broadcast: {e.Message}", e);
        }
    }

    private void SendTo(ReadOnlySpan<byte> packet, IPv4Address address, int port)
    {
        lock (_sending)
        {
            var octets = _to.Buffer.Span;
            BinaryPrimitives.WriteUInt16BigEndian(octets[2..], (ushort)port);
            address.Write(octets[4..]);
            _socket.SendTo(packet, SocketFlags.None, _to);
        }
    }

    private static void Bind(Socket socket, string name)
    {
        var octets = Encoding.ASCII.GetBytes(name + "\0");
        if (octets.Length > InterfaceNameSize) throw new IOException($"'{name}' is too long for an interface's name");
        socket.SetRawSocketOption(SolSocket, SoBindToDevice, octets);
    }

    /// <summary>Room for the first packets of a thousand boards that get power at once.</summary>
    private static void EnlargeReceiveBuffer(Socket socket)
    {
        Span<byte> size = stackalloc byte[sizeof(int)];
        MemoryMarshal.Write(size, ReceiveBuffer);
        try
        {
            socket.SetRawSocketOption(SolSocket, SoReceiveBufferForce, size);
        }
        catch (SocketException)
        {
            // Past the system's limit only with CAP_NET_ADMIN; up to the limit for anybody.
            socket.ReceiveBufferSize = ReceiveBuffer;
        }
    }

    /// <summary>
    /// The interface's number by its name; asked of the socket, so that it is looked up in its own namespace.
    /// </summary>
    private int Index()
    {
        var request = new byte[InterfaceRequestSize];
        Encoding.ASCII.GetBytes(_interface, request);
        try
        {
            return ioctl(_socket.SafeHandle, InterfaceIndexOf, request) == 0
                ? MemoryMarshal.Read<int>(request.AsSpan(InterfaceNameSize))
                : 0;
        }
        catch (ObjectDisposedException)
        {
            return 0;
        }
    }

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int ioctl(SafeSocketHandle socket, nuint request, [In, Out] byte[] argument);
}
