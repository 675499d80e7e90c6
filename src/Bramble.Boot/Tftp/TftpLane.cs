using System.Net.Sockets;
using Bramble.Boot.Sockets;
using Bramble.Wire.Tftp;
using Microsoft.Extensions.Logging;

namespace Bramble.Boot.Tftp;

/// <summary>
/// One socket, hence one server TID, and the transfers that use it, told apart by the client's address and port. One
/// lock, one deadline queue, one timer. What a batch of ACKs asks for is gathered and sent in one system call, and
/// nothing is allocated for a block.
/// </summary>
internal sealed partial class TftpLane : IDatagramSink, IDisposable
{
    /// <summary>Packets of clients are ACKs and ERRORs; what is longer is cut and still understood.</summary>
    public const int ReceiveSize = 1024;

    /// <summary>
    /// How long an ended transfer still swallows what its client sends. A late ACK would otherwise draw an ERROR 5,
    /// which a ROM that uses one port for all its requests takes for the answer to its next one.
    /// </summary>
    private static readonly TimeSpan Quarantine = TimeSpan.FromSeconds(3);

    /// <summary>Sessions above which an ended transfer is forgotten at once: a flood must not fill memory.</summary>
    private const int QuarantineLimit = 4096;

    private readonly Lock _lock = new();
    private readonly Socket _socket;
    private readonly TimeProvider _clock;
    private readonly long _origin;
    private readonly IBootDirectory _directory;
    private readonly TftpRegistry _registry;
    private readonly ContentCache _cache;
    private readonly ILogger _logger;
    private readonly Dictionary<UdpPeer, TftpSession> _sessions = [];
    private readonly PriorityQueue<TftpSession, TimeSpan> _queue = new();
    private readonly ITimer _timer;
    private readonly DatagramWriter _writer;
    private readonly int _largest;
    private TimeSpan _timerFor = TimeSpan.MaxValue;
    private long _payload;
    private bool _closed;

    public TftpLane(
        Socket socket, int maxBlockSize, TimeProvider clock, IBootDirectory directory, TftpRegistry registry,
        ContentCache cache, ILogger logger)
    {
        _socket = socket;
        _clock = clock;
        _origin = clock.GetTimestamp();
        _directory = directory;
        _registry = registry;
        _cache = cache;
        _logger = logger;
        _largest = TftpData.HeaderSize + Math.Max(maxBlockSize, TftpOption.DefaultBlockSize);
        _writer = new DatagramWriter(socket, _largest, OnRefused);
        _timer = clock.CreateTimer(_ => OnTimer(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    private TimeSpan Now => _clock.GetElapsedTime(_origin);

    /// <summary>Begins a transfer; the lane owns the content from here on.</summary>
    public void Begin(UdpPeer peer, TftpRequest request, string path, IBootContent content, TftpTerms terms)
    {
        lock (_lock)
        {
            if (_closed)
            {
                content.Dispose();
                return;
            }
            var session = new TftpSession(peer, request, path, content, terms, Now);
            _sessions[peer] = session; // an ended one in quarantine gives way
            _registry.Enter(peer, this);
            TftpMetrics.Active.Add(1);
            Step(session, TftpEvent.Start, Now);
            _writer.Flush();
        }
    }

    /// <summary>
    /// A client port that has a transfer here sent a request. True if that is answered or ignored; false if the old
    /// transfer has ended by it, or before, and a new one is due.
    /// </summary>
    /// <param name="reader">Of the request's thread.</param>
    /// <exception cref="SocketException">The socket is broken.</exception>
    public bool TakesRepeated(UdpPeer peer, TftpRequest request, DatagramReader reader)
    {
        // What the client sent before its request came first, to another socket: the ACK of its last block may still
        // wait there, and without it a client that asks at once for the same file again would look like an echo.
        Receive(reader);
        lock (_lock)
        {
            if (!_sessions.TryGetValue(peer, out var session) || session.Transfer.Ended) return false;
            Step(session, session.IsFor(request) ? TftpEvent.Repeated : TftpEvent.Superseded, Now);
            _writer.Flush();
            return !session.Transfer.Ended;
        }
    }

    /// <summary>Refuses a request from this lane's TID.</summary>
    public void Refuse(UdpPeer peer, TftpError refusal)
    {
        lock (_lock)
        {
            if (_closed) return;
            Send(peer, refusal);
            _writer.Flush();
        }
    }

    public SafeSocketHandle Handle => _socket.SafeHandle;

    public void Receive(DatagramReader reader)
    {
        // Taken under the lock: whoever holds it knows that what is not done yet still waits at the socket.
        lock (_lock)
        {
            if (_closed) return;
            var count = reader.Receive(_socket.SafeHandle);
            if (count == 0) return;
            var now = Now;
            var sent = _payload;
            for (var i = 0; i < count; i++) OnPacket(reader.Sender(i), reader.Packet(i), now);
            _writer.Flush();
            if (_payload > sent) TftpMetrics.Bytes.Add(_payload - sent);
        }
    }

    /// <summary>Ends every transfer and tells the clients why.</summary>
    public void Close(string reason)
    {
        lock (_lock)
        {
            if (_closed) return;
            var now = Now;
            foreach (var session in _sessions.Values) Step(session, TftpEvent.Abort(reason), now);
            _writer.Flush();
            _closed = true;
            _sessions.Clear();
            _queue.Clear();
        }
    }

    public void Dispose()
    {
        Close("server stops");
        _timer.Dispose();
        _socket.Dispose();
        _writer.Dispose();
    }

    private void OnPacket(UdpPeer peer, ReadOnlySpan<byte> packet, TimeSpan now)
    {
        if (!_sessions.TryGetValue(peer, out var session))
        {
            TftpMetrics.CountStray("unknown_transfer");
            // RFC 1350 §4; but an ERROR is never answered with an ERROR.
            if (TftpOpcodes.TryRead(packet, out var opcode, out _) && opcode != TftpOpcode.Error)
                Send(peer, new TftpError(TftpErrorCode.UnknownTransfer, "unknown transfer"));
        }
        else if (TftpAck.TryRead(packet, out var ack, out _))
        {
            Step(session, TftpEvent.Ack(ack.Block), now);
        }
        else if (TftpError.TryRead(packet, out var error, out _))
        {
            Step(session, TftpEvent.ClientError(error), now);
        }
        else
        {
            // Anyone can forge a sender: what makes no sense does not end a transfer that makes progress.
            TftpMetrics.CountStray("malformed");
        }
    }

    private void OnTimer()
    {
        lock (_lock)
        {
            _timerFor = TimeSpan.MaxValue;
            var now = Now;
            while (!_closed && _queue.TryPeek(out var session, out var due) && due <= now)
            {
                _queue.Dequeue();
                if (session.QueuedFor != due) continue;
                session.QueuedFor = TimeSpan.MaxValue;
                if (session.WakeAt > now) Enqueue(session);
                else if (!session.Transfer.Ended) Step(session, TftpEvent.Tick, now);
                else if (_sessions.TryGetValue(session.Peer, out var s) && s == session) _sessions.Remove(session.Peer);
            }
            if (!_closed) _writer.Flush();
            Arm();
        }
    }

    private void Step(TftpSession session, in TftpEvent happened, TimeSpan now)
    {
        var before = session.Transfer.Retransmissions;
        var (next, action) = session.Transfer.Step(happened, now);
        session.Transfer = next;
        if (next.Retransmissions > before) TftpMetrics.Retransmissions.Add(next.Retransmissions - before);
        switch (action.Kind)
        {
            case TftpActionKind.SendOptionAck:
                Send(session.Peer, new TftpOptionAck(next.Terms.Granted));
                break;
            case TftpActionKind.SendBlocks when !TrySend(session, action, out var failure):
                Step(session, TftpEvent.Abort(failure), now);
                return;
            case TftpActionKind.End:
                End(session, action.End!, now);
                break;
        }
        Schedule(session, now);
    }

    private bool TrySend(TftpSession session, in TftpAction action, out string failure)
    {
        failure = "";
        var terms = session.Transfer.Terms;
        for (var block = action.First; block < action.First + action.Count; block++)
        {
            var length = terms.PayloadOf(block);
            // The blocks of a window go as one to the kernel, which makes datagrams of them.
            var packet = _writer.Add(session.Peer, TftpData.HeaderSize + length, joins: block > action.First);
            try
            {
                var payload = packet[TftpData.HeaderSize..];
                if (session.Read(_cache, (block - 1) * terms.BlockSize, payload) != length)
                    throw new IOException("the file ended early");
            }
            catch (IOException e)
            {
                _writer.TakeBack();
                LogReadFailed(e, session.Path, block);
                failure = $"reading failed at block {block} of {terms.LastBlock}: {e.Message}";
                return false;
            }
            TftpData.WriteHeader(packet, (ushort)block);
            _payload += length;
        }
        return true;
    }

    private void End(TftpSession session, TftpEnd end, TimeSpan now)
    {
        if (end.Notice is { } notice) Send(session.Peer, notice);
        session.Content.Dispose();
        _registry.Leave(session.Peer);
        if (_sessions.Count > QuarantineLimit) _sessions.Remove(session.Peer);
        TftpMetrics.Active.Add(-1);
        TftpMetrics.CountEnd(end.Outcome);
        var detail = session.Describe(end, now);
        LogEnded(session.Peer, session.Path, end.Outcome, detail);
        _directory.Record(new BootStep(_clock.GetUtcNow(), BootStage.Tftp, session.Path, end.Outcome, detail)
        {
            Address = session.Peer.Address,
        });
    }

    private void Send(UdpPeer peer, TftpError error)
    {
        Span<byte> packet = stackalloc byte[TftpError.MaxSize];
        packet = packet[..error.Write(packet)];
        packet.CopyTo(_writer.Add(peer, packet.Length, joins: false));
    }

    private void Send(UdpPeer peer, TftpOptionAck ack)
    {
        Span<byte> packet = stackalloc byte[TftpOptionAck.MaxSize];
        packet = packet[..ack.Write(packet)];
        packet.CopyTo(_writer.Add(peer, packet.Length, joins: false));
    }

    private void OnRefused(int packets, SocketError error)
    {
        // The client has no ARP entry, or the interface is down: as good as lost, and retransmitted as such.
        TftpMetrics.SendErrors.Add(packets);
        LogSendFailed(error);
    }

    private void Schedule(TftpSession session, TimeSpan now)
    {
        session.WakeAt = session.Transfer.Ended ? now + Quarantine : session.Transfer.Deadline;
        // An entry that comes too early re-queues itself: an ACK moves the deadline without touching the queue.
        if (session.WakeAt >= session.QueuedFor) return;
        Enqueue(session);
        Arm();
    }

    private void Enqueue(TftpSession session)
    {
        session.QueuedFor = session.WakeAt;
        _queue.Enqueue(session, session.WakeAt);
    }

    private void Arm()
    {
        if (!_queue.TryPeek(out _, out var due) || due >= _timerFor) return;
        _timerFor = due;
        var wait = due - Now;
        _timer.Change(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }
}
