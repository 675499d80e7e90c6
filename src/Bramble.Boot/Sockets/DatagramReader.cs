using System.Buffers.Binary;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using static Bramble.Boot.Sockets.LinuxSockets;

namespace Bramble.Boot.Sockets;

/// <summary>
/// Takes what waits at a socket, many datagrams in one system call. The buffers are made once: nothing is allocated
/// for a datagram. For one thread.
/// </summary>
internal sealed unsafe class DatagramReader : IDisposable
{
    private const int NameSize = 16; // struct sockaddr_in

    private readonly int _capacity;
    private readonly int _size;
    private readonly byte* _packets;
    private readonly byte* _names;
    private readonly Extent* _extents;
    private readonly Message* _messages;

    /// <param name="capacity">Datagrams taken in one call.</param>
    /// <param name="size">Octets kept of each; what is longer is cut.</param>
    public DatagramReader(int capacity, int size)
    {
        (_capacity, _size) = (capacity, size);
        _packets = (byte*)NativeMemory.AllocZeroed((nuint)capacity, (nuint)size);
        _names = (byte*)NativeMemory.AllocZeroed((nuint)capacity, NameSize);
        _extents = (Extent*)NativeMemory.AllocZeroed((nuint)capacity, (nuint)sizeof(Extent));
        _messages = (Message*)NativeMemory.AllocZeroed((nuint)capacity, (nuint)sizeof(Message));
        for (var i = 0; i < capacity; i++)
        {
            _extents[i] = new Extent { Start = _packets + i * size, Length = (nuint)size };
            _messages[i].Header = new Header
            {
                Name = _names + i * NameSize,
                Extents = _extents + i,
                ExtentCount = 1,
            };
        }
    }

    public int Capacity => _capacity;

    /// <summary>Takes what waits, without waiting; 0 if nothing does.</summary>
    /// <exception cref="SocketException">The socket is broken.</exception>
    public int Receive(SafeSocketHandle socket)
    {
        // The kernel writes the length of the name and the flags anew each time.
        for (var i = 0; i < _capacity; i++) _messages[i].Header.NameLength = NameSize;
        var count = ReceiveMany(socket, _messages, (uint)_capacity, MSG_DONTWAIT, 0);
        if (count >= 0) return count;
        var errno = Marshal.GetLastPInvokeError();
        return errno is EAGAIN or EINTR ? 0 : throw Kernel.Refused(errno);
    }

    public ReadOnlySpan<byte> Packet(int index) =>
        new(_packets + index * _size, (int)Math.Min(_messages[index].Transferred, (uint)_size));

    public UdpPeer Sender(int index)
    {
        var name = new ReadOnlySpan<byte>(_names + index * NameSize, NameSize);
        return new UdpPeer((ulong)BinaryPrimitives.ReadUInt32BigEndian(name[4..]) << 16
            | BinaryPrimitives.ReadUInt16BigEndian(name[2..]));
    }

    public void Dispose()
    {
        NativeMemory.Free(_packets);
        NativeMemory.Free(_names);
        NativeMemory.Free(_extents);
        NativeMemory.Free(_messages);
    }
}
