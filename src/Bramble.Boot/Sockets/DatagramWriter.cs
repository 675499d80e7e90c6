using System.Buffers.Binary;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using static Bramble.Boot.Sockets.LinuxSockets;

namespace Bramble.Boot.Sockets;

/// <summary>
/// Gathers datagrams and sends them in one system call. Datagrams of one size that follow each other to one peer go as
/// one, which the kernel or the card cuts up again (UDP_SEGMENT, Linux 4.18 and later): the path through the kernel is
/// walked once for dozens of blocks. Where that is refused (a path with a smaller MTU, a device that cannot), the same
/// datagrams go one by one. Nothing is allocated for a datagram. Not thread-safe.
/// </summary>
internal sealed unsafe class DatagramWriter : IDisposable
{
    /// <summary>The kernel takes no more segments in one (UDP_MAX_SEGMENTS, 64 until Linux 6.9).</summary>
    public const int MaxSegments = 64;

    /// <summary>Octets of the largest UDP payload over IPv4.</summary>
    private const int MaxDatagram = 65507;

    private const int Messages = 64;
    private const int NameSize = 16; // struct sockaddr_in
    private const ushort AddressFamilyNumber = 2; // AF_INET

    private readonly SafeSocketHandle _socket;
    private readonly Action<int, SocketError> _refused;
    private readonly int _room;
    private readonly byte* _octets;
    private readonly byte* _names;
    private readonly Extent* _extents;
    private readonly SegmentControl* _controls;
    private readonly Message* _messages;
    private readonly int[] _segments = new int[Messages];
    private readonly int[] _sizes = new int[Messages];
    private int _count;
    private int _used;
    private int _lastLength;
    private UdpPeer _last;
    private bool _open;

    /// <param name="largest">Octets of the largest datagram.</param>
    /// <param name="refused">Told how many datagrams the kernel refused, and why; as good as lost.</param>
    public DatagramWriter(Socket socket, int largest, Action<int, SocketError> refused)
    {
        _socket = socket.SafeHandle;
        _refused = refused;
        _room = Math.Max(2 * 65536, largest);
        _octets = (byte*)NativeMemory.Alloc((nuint)_room);
        _names = (byte*)NativeMemory.AllocZeroed(Messages, NameSize);
        _extents = (Extent*)NativeMemory.AllocZeroed(Messages, (nuint)sizeof(Extent));
        _controls = (SegmentControl*)NativeMemory.AllocZeroed(Messages, (nuint)sizeof(SegmentControl));
        _messages = (Message*)NativeMemory.AllocZeroed(Messages, (nuint)sizeof(Message));
        for (var i = 0; i < Messages; i++)
        {
            _controls[i] = new SegmentControl
            {
                Length = SegmentControl.UsedLength,
                Level = SOL_UDP,
                Type = UDP_SEGMENT,
            };
        }
        Segments = CanSegment(socket);
    }

    /// <summary>Whether datagrams are joined; false once the kernel has refused to take them.</summary>
    public bool Segments { get; set; }

    /// <summary>Room for one more datagram to a peer, filled before the next call; what is full is sent.</summary>
    /// <param name="joins">May share a message with the one before, if that went to the same peer.</param>
    public Span<byte> Add(UdpPeer to, int length, bool joins)
    {
        if (_used + length > _room) Flush();
        if (joins && Segments && _open && to == _last && Joins(length)) return Extend(length);
        if (_count == Messages) Flush();
        var i = _count++;
        var name = new Span<byte>(_names + i * NameSize, NameSize);
        MemoryMarshal.Write(name, AddressFamilyNumber);
        BinaryPrimitives.WriteUInt16BigEndian(name[2..], (ushort)to.Port);
        to.Address.Write(name[4..]);
        _extents[i] = new Extent { Start = _octets + _used, Length = (nuint)length };
        _messages[i].Header = new Header
        {
            Name = _names + i * NameSize,
            NameLength = NameSize,
            Extents = _extents + i,
            ExtentCount = 1,
        };
        _segments[i] = 1;
        _sizes[i] = length;
        _last = to;
        _open = true;
        return Take(length);
    }

    /// <summary>Takes the last <see cref="Add"/> back: there is nothing to put into it.</summary>
    public void TakeBack()
    {
        var i = _count - 1;
        _used -= _lastLength;
        _extents[i].Length -= (nuint)_lastLength;
        if (--_segments[i] == 0) _count--;
        _open = false;
    }

    /// <summary>Sends what was gathered.</summary>
    public void Flush()
    {
        var sent = 0;
        while (sent < _count)
        {
            var n = SendMany(_socket, _messages + sent, (uint)(_count - sent), 0);
            if (n > 0)
            {
                sent += n;
                continue;
            }
            var errno = Marshal.GetLastPInvokeError();
            if (errno == EINTR) continue;
            if (_segments[sent] > 1 && errno is EINVAL or EIO or EMSGSIZE or ENOPROTOOPT)
            {
                Segments = false;
                SendSingly(sent++);
                continue;
            }
            // No room for as long as the socket waits for it: the interface takes nothing, and what follows would only
            // hold up the receiving side as long again, each.
            var lost = errno == EAGAIN ? _count - sent : 1;
            _refused(Datagrams(sent, lost), Kernel.Refused(errno).SocketErrorCode);
            sent += lost;
        }
        (_count, _used, _open) = (0, 0, false);
    }

    public void Dispose()
    {
        NativeMemory.Free(_octets);
        NativeMemory.Free(_names);
        NativeMemory.Free(_extents);
        NativeMemory.Free(_controls);
        NativeMemory.Free(_messages);
    }

    private int Datagrams(int from, int messages)
    {
        var sum = 0;
        foreach (var segments in _segments.AsSpan(from, messages)) sum += segments;
        return sum;
    }

    private bool Joins(int length)
    {
        var i = _count - 1;
        return length <= _sizes[i] && _segments[i] < MaxSegments && (int)_extents[i].Length + length <= MaxDatagram;
    }

    private Span<byte> Extend(int length)
    {
        var i = _count - 1;
        _extents[i].Length += (nuint)length;
        if (++_segments[i] == 2)
        {
            _controls[i].Data = 0;
            *(ushort*)&_controls[i].Data = (ushort)_sizes[i];
            _messages[i].Header.Control = (byte*)(_controls + i);
            _messages[i].Header.ControlLength = (nuint)sizeof(SegmentControl);
        }
        // Only the last segment may be shorter.
        if (length < _sizes[i]) _open = false;
        return Take(length);
    }

    private Span<byte> Take(int length)
    {
        var room = new Span<byte>(_octets + _used, length);
        _lastLength = length;
        _used += length;
        return room;
    }

    /// <summary>What the kernel did not take as one, as the datagrams that it is.</summary>
    private void SendSingly(int index)
    {
        var all = _extents[index];
        var message = _messages[index];
        var one = new Extent();
        message.Header.Extents = &one;
        message.Header.Control = null;
        message.Header.ControlLength = 0;
        for (nuint done = 0; done < all.Length; done += one.Length)
        {
            one = new Extent
            {
                Start = all.Start + done,
                Length = Math.Min((nuint)_sizes[index], all.Length - done),
            };
            while (SendMany(_socket, &message, 1, 0) < 0)
            {
                var errno = Marshal.GetLastPInvokeError();
                if (errno == EINTR) continue;
                _refused(1, Kernel.Refused(errno).SocketErrorCode);
                break;
            }
        }
    }

    /// <summary>A kernel that knows the option says so; size 0 leaves it off for what is sent without it.</summary>
    private static bool CanSegment(Socket socket)
    {
        Span<byte> off = stackalloc byte[sizeof(int)];
        off.Clear();
        try
        {
            socket.SetRawSocketOption(SOL_UDP, UDP_SEGMENT, off);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
