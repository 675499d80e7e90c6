using System.Runtime.InteropServices;
using Bramble.Wire;

namespace Bramble.Boot.Dhcp;

/// <summary>
/// Tells the kernel which MAC has an address (rtnetlink RTM_NEWNEIGH, as <c>ip neigh replace</c> does): for clients
/// that have no address yet, and for the 3B, which stops answering ARP during TFTP. Opened in the network namespace of
/// the calling thread.
/// </summary>
internal sealed class NeighbourTable : IDisposable
{
    private const int AddressFamilyNetlink = 16;
    private const int SocketRaw = 3;
    private const int SocketCloseOnExec = 0x80000;
    private const int ProtocolRoute = 0;
    private const int DontWait = 0x40;
    private const ushort NewNeighbour = 28;
    private const ushort ErrorMessage = 2;

    /// <summary>NLM_F_REQUEST, ACK, REPLACE and CREATE.</summary>
    private const ushort Flags = 0x001 | 0x004 | 0x100 | 0x400;

    private const ushort StateReachable = 0x02;
    private const ushort StatePermanent = 0x80;
    private const ushort AttributeAddress = 1;
    private const ushort AttributeMac = 2;
    private const int MessageSize = 16 + 12 + 8 + 12;

    private readonly Lock _gate = new();
    private int _socket;

    private NeighbourTable(int socket) => _socket = socket;

    public static NeighbourTable? TryOpen()
    {
        var fd = socket(AddressFamilyNetlink, SocketRaw | SocketCloseOnExec, ProtocolRoute);
        return fd < 0 ? null : new NeighbourTable(fd);
    }

    /// <summary>Adds or replaces an entry; false if the kernel refuses.</summary>
    /// <param name="pinned">It never ages; else it counts as just confirmed.</param>
    public bool TrySet(int interfaceIndex, IPv4Address address, MacAddress mac, bool pinned)
    {
        // struct nlmsghdr, struct ndmsg, NDA_DST, NDA_LLADDR (padded to four), in the machine's byte order.
        Span<byte> message = stackalloc byte[MessageSize];
        message.Clear();
        Put(message, MessageSize);
        Put(message[4..], NewNeighbour);
        Put(message[6..], Flags);
        message[16] = 2; // AF_INET
        Put(message[20..], interfaceIndex);
        Put(message[24..], pinned ? StatePermanent : StateReachable);
        Put(message[28..], (ushort)8);
        Put(message[30..], AttributeAddress);
        address.Write(message[32..]);
        Put(message[36..], (ushort)10);
        Put(message[38..], AttributeMac);
        mac.Write(message[40..]);

        Span<byte> answer = stackalloc byte[128];
        lock (_gate)
        {
            if (_socket < 0 || send(_socket, ref message[0], MessageSize, 0) != MessageSize) return false;
            // The kernel has answered by the time send returns.
            var length = (int)recv(_socket, ref answer[0], (nuint)answer.Length, DontWait);
            return length >= 20 && MemoryMarshal.Read<ushort>(answer[4..]) == ErrorMessage
                && MemoryMarshal.Read<int>(answer[16..]) == 0;
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (_socket >= 0) _ = close(_socket);
            _socket = -1;
        }
    }

    private static void Put<T>(Span<byte> octets, T value) where T : unmanaged => MemoryMarshal.Write(octets, value);

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int socket(int domain, int type, int protocol);

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint send(int socket, ref byte data, nuint length, int flags);

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint recv(int socket, ref byte data, nuint length, int flags);

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int close(int socket);
}
