using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Bramble.Boot.Sockets;
using Bramble.Wire.Tftp;

namespace Bramble.BootBench;

/// <summary>
/// Boards that fetch one file by TFTP, all on one thread: many packets a system call, nothing allocated for a packet,
/// so that the server is what is measured. Each board has an address of its own, as servers bound what one may have.
/// </summary>
internal sealed class TftpLoad : IDisposable
{
    private const long PatienceMilliseconds = 500;

    private readonly LoadOptions _options;
    private readonly byte[]? _expected;
    private readonly Board[] _boards;
    private readonly DatagramReader _reader = new(128, 2048);
    private long _bytes;
    private long _retries;
    private int _window;

    private TftpLoad(LoadOptions options)
    {
        _options = options;
        _expected = options.Verify is { } file ? File.ReadAllBytes(file) : null;
        _boards = [.. Enumerable.Range(0, options.Clients).Select(i => new Board(options, i))];
    }

    public static LoadResult Run(LoadOptions options)
    {
        using var load = new TftpLoad(options);
        return load.Run();
    }

    public void Dispose()
    {
        _reader.Dispose();
        foreach (var board in _boards) board.Socket.Dispose();
    }

    private LoadResult Run()
    {
        using var set = LinuxSockets.NewReadinessSet();
        for (var i = 0; i < _boards.Length; i++) LinuxSockets.Watch(set, _boards[i].Socket.SafeHandle, (uint)i);
        using var wakeUp = LinuxSockets.NewWakeUp();
        var wakes = new byte[sizeof(ulong)];
        using var alarm = new Timer(_ => LinuxSockets.Wake(wakeUp), null, 100, 100);
        LinuxSockets.Watch(set, wakeUp, uint.MaxValue);
        var started = Stopwatch.GetTimestamp();
        foreach (var board in _boards) board.Request();
        Span<uint> ready = stackalloc uint[32];
        var left = _boards.Length;
        while (left > 0)
        {
            var count = LinuxSockets.WaitReady(set, ready);
            foreach (var number in ready[..count])
            {
                if (number != uint.MaxValue)
                {
                    left -= Take(_boards[number]);
                    continue;
                }
                RandomAccess.Read(wakeUp, wakes, 0);
                foreach (var board in _boards) _retries += board.AskAgainIfLate();
            }
        }
        return new LoadResult(_bytes, Stopwatch.GetElapsedTime(started).TotalSeconds, _retries, _window);
    }

    /// <summary>Takes what waits for a board; 1 when it has all that it wants.</summary>
    private int Take(Board board)
    {
        var count = _reader.Receive(board.Socket.SafeHandle);
        var before = board.Done;
        for (var i = 0; i < count; i++)
        {
            var packet = _reader.Packet(i);
            if (TftpData.TryRead(packet, out var data, out _))
            {
                _bytes += board.Take(data, _reader.Sender(i), _expected);
            }
            else if (TftpOptionAck.TryRead(packet, out var ack, out _))
            {
                _window = board.Accept(ack, _reader.Sender(i));
            }
            else if (TftpError.TryRead(packet, out var error, out _))
            {
                throw new InvalidOperationException($"the server says {error.Code}: {error.Message}");
            }
        }
        board.AcknowledgeIfDue();
        if (board.Done == before) return 0;
        if (board.Done == _options.Fetches) return 1;
        board.Request();
        return 0;
    }

    private sealed class Board
    {
        private readonly LoadOptions _options;
        private readonly byte[] _request = new byte[TftpRequest.MaxSize];
        private readonly byte[] _ack = new byte[TftpAck.Size];
        private readonly SocketAddress _door;
        private readonly IPAddress _own;
        private int _blockSize = 512;
        private int _window = 1;
        private int _inWindow;
        private long _expected;
        private long _length;
        private bool _due;
        private bool _gap;
        private bool _requested;
        private UdpPeer _tid;
        private SocketAddress? _to;
        private long _heardAt;

        public Board(LoadOptions options, int index)
        {
            _options = options;
            _own = IPAddress.Parse(BenchNetwork.ClientAddress(index));
            _door = new IPEndPoint(IPAddress.Parse(options.Server), options.Port).Serialize();
            Socket = Open();
        }

        public Socket Socket { get; }

        public int Done { get; private set; }

        public void Request()
        {
            var options = new List<TftpOption>
            {
                new(TftpOption.BlockSize, _options.BlockSize),
                new(TftpOption.TransferSize, 0),
            };
            if (_options.WindowSize > 1) options.Add(new TftpOption(TftpOption.WindowSize, _options.WindowSize));
            (_blockSize, _window, _inWindow, _expected, _length) = (512, 1, 0, 0, 0);
            (_tid, _to, _due, _gap, _requested) = (default, null, false, false, true);
            _heardAt = Environment.TickCount64;
            var length = TftpRequest.Read(_options.Path, options).Write(_request);
            Socket.SendTo(_request.AsSpan(0, length), SocketFlags.None, _door);
        }

        public int Accept(TftpOptionAck ack, UdpPeer from)
        {
            if (!_requested || _expected > 0) return _window;
            foreach (var option in ack.Options)
            {
                if (!option.TryGetNumber(out var value)) continue;
                if (option.Is(TftpOption.BlockSize)) _blockSize = (int)value;
                if (option.Is(TftpOption.WindowSize)) _window = (int)value;
            }
            Meet(from);
            _expected = 1;
            _due = true;
            return _window;
        }

        public int Take(TftpData data, UdpPeer from, byte[]? expected)
        {
            if (_to is null && _requested) Meet(from);
            if (from != _tid || !_requested) return 0;
            if (_expected == 0) _expected = 1;
            if (data.Block != (ushort)_expected)
            {
                // RFC 7440 §4: once for a gap, the last block that came in order.
                if (!_gap && (ushort)(data.Block - (ushort)_expected) < 0x8000) (_gap, _due) = (true, true);
                return 0;
            }
            if (expected is not null
                && !data.Payload.SequenceEqual(expected.AsSpan((int)_length, data.Payload.Length)))
                throw new InvalidOperationException($"block {_expected} is not what the file holds");
            _gap = false;
            _length += data.Payload.Length;
            _heardAt = Environment.TickCount64;
            var last = data.Payload.Length < _blockSize;
            if (++_inWindow == _window || last) _due = true;
            _expected++;
            if (!last) return data.Payload.Length;
            if (expected is not null && _length != expected.Length)
                throw new InvalidOperationException($"{_length} octets came of {expected.Length}");
            AcknowledgeIfDue();
            _requested = false;
            Done++;
            return data.Payload.Length;
        }

        public void AcknowledgeIfDue()
        {
            if (!_due || !_requested) return;
            _due = false;
            _inWindow = 0;
            new TftpAck((ushort)(_expected - 1)).Write(_ack);
            Socket.SendTo(_ack, SocketFlags.None, _to!);
        }

        public int AskAgainIfLate()
        {
            if (!_requested || Environment.TickCount64 - _heardAt < PatienceMilliseconds) return 0;
            if (_to is null)
            {
                Request();
            }
            else
            {
                _heardAt = Environment.TickCount64;
                _due = true;
                AcknowledgeIfDue();
            }
            return 1;
        }

        private void Meet(UdpPeer from)
        {
            _tid = from;
            _to = from.ToSocketAddress();
            _heardAt = Environment.TickCount64;
        }

        private Socket Open()
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp)
            {
                ReceiveBufferSize = 1 << 20,
            };
            socket.Bind(new IPEndPoint(_own, 0));
            return socket;
        }
    }
}
