using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Bramble.Wire;

namespace Bramble.Boot.Sockets;

/// <summary>Where a door stands: an address, and optionally the one interface that it may use.</summary>
internal sealed partial record LocalBinding(IPv4Address Address, string? Interface)
{
    private const int SOL_SOCKET = 1;
    private const int SO_BINDTODEVICE = 25;
    private const int SO_RCVBUFFORCE = 33;
    private const int Backlog = 1024;

    /// <summary>
    /// Octets of receive buffer: a rack that is switched on at once sends a thousand requests in a second.
    /// </summary>
    private const int ReceiveBuffer = 4 << 20;

    /// <summary>
    /// How long a packet may wait for room in the send buffer: an interface that takes nothing (paused by its switch,
    /// or full of packets for a neighbour that does not answer) must not stop the loop that serves the others.
    /// </summary>
    public const int SendTimeoutMilliseconds = 100;

    /// <summary>Opens a port; a TCP one listens.</summary>
    /// <exception cref="SocketException">The interface or the address is not there, or the port is taken.</exception>
    public Socket Open(ProtocolType transport, int port)
    {
        // The kernel's own word for it, ENODEV, has no name among the framework's socket errors.
        if (Interface is not null && InterfaceIndex == 0)
            throw new SocketException((int)SocketError.NetworkDown, $"there is no interface {Interface}");
        var isTcp = transport == ProtocolType.Tcp;
        var socket = new Socket(AddressFamily.InterNetwork, isTcp ? SocketType.Stream : SocketType.Dgram, transport);
        try
        {
            if (Interface is not null)
                socket.SetRawSocketOption(SOL_SOCKET, SO_BINDTODEVICE, Encoding.UTF8.GetBytes(Interface + "\0"));
            if (!isTcp)
            {
                Enlarge(socket);
                socket.SendTimeout = SendTimeoutMilliseconds;
            }
            socket.Bind(new IPEndPoint(Address.ToIPAddress(), port));
            if (isTcp) socket.Listen(Backlog);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The number of the interface; 0 if it is not there. A socket that was bound to an interface stays deaf when one
    /// of the same name comes back, and gets no error: only the number tells.
    /// </summary>
    public uint InterfaceIndex => Interface is null ? 0 : IndexOf(Interface);

    public override string ToString() => Interface is null ? Address.ToString() : $"{Address} on {Interface}";

    private static void Enlarge(Socket socket)
    {
        var size = ReceiveBuffer;
        try
        {
            socket.SetRawSocketOption(SOL_SOCKET, SO_RCVBUFFORCE, MemoryMarshal.AsBytes(new Span<int>(ref size)));
        }
        catch (SocketException)
        {
            // Needs CAP_NET_ADMIN; without it the kernel's limit applies.
            socket.ReceiveBufferSize = size;
        }
    }

    [LibraryImport("libc", EntryPoint = "if_nametoindex", StringMarshalling = StringMarshalling.Utf8)]
    private static partial uint IndexOf(string name);
}
