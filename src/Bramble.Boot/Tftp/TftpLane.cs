using System.Net.Sockets;
using Bramble.Boot.Sockets;
using Bramble.Wire.Tftp;
using Microsoft.Extensions.Logging;

namespace Bramble.Boot.Tftp;

/// <summary>
/// One socket, hence one server TID, and the transfers that use it, told apart by the client's address and port. One
/// lock, one deadline queue, one timer, one send buffer: nothing is allocated for a block.
/// </summary>
internal sealed partial class TftpLane : IDisposable
{
    /// <summary>Packets of clients are ACKs and ERRORs; what is longer is cut and still understood.</summary>
    private const int ReceiveSize = 1024;

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
    private readonly ILogger _logger;
    private readonly Dictionary<UdpPeer, TftpSession> _sessions = [];
    private readonly PriorityQueue<TftpSession, TimeSpan> _queue = new();
    private readonly ITimer _timer;
    private readonly byte[] _packet;
    private TimeSpan _timerFor = TimeSpan.MaxValue;
    private bool _closed;

    public TftpLane(
        Socket socket, int maxBlockSize, TimeProvider clock, IBootDirectory directory, TftpRegistry registry,
        ILogger logger)
    {
        _socket = socket;
        _clock = clock;
        _origin = clock.GetTimestamp();
        _directory = directory;
        _registry = registry;
        _logger = logger;
        _packet = new byte[TftpData.HeaderSize + Math.Max(maxBlockSize, TftpOption.DefaultBlockSize)];
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
            Step(session, TftpEvent.Start);
        }
    }

    /// <summary>
    /// A client port that has a transfer here sent a request. True if that is answered or ignored; false if the old
    /// transfer has ended by it and a new one is due.
    /// </summary>
    public bool TakesRepeated(UdpPeer peer, TftpRequest request)
    {
        lock (_lock)
        {
            if (!_sessions.TryGetValue(peer, out var session) || session.Transfer.Ended) return false;
            Step(session, session.IsFor(request) ? TftpEvent.Repeated : TftpEvent.Superseded);
            return !session.Transfer.Ended;
        }
    }

    /// <summary>Refuses a request from this lane's TID.</summary>
    public void Refuse(UdpPeer peer, TftpError refusal)
    {
        lock (_lock)
            if (!_closed) Send(peer, refusal);
    }

    /// <summary>Receives until cancelled, or until the socket fails.</summary>
    public async Task ReceiveAsync(CancellationToken cancellation)
    {
        var buffer = new byte[ReceiveSize];
        var sender = UdpPeer.Buffer();
        while (true)
        {
            var length = await _socket.ReceiveFromAsync(buffer, SocketFlags.None, sender, cancellation);
            lock (_lock)
            {
                if (_closed) return;
                OnPacket(UdpPeer.From(sender), buffer.AsSpan(0, length));
            }
        }
    }

    /// <summary>Ends every transfer and tells the clients why.</summary>
    public void Close(string reason)
    {
        lock (_lock)
        {
            if (_closed) return;
            foreach (var session in _sessions.Values) Step(session, TftpEvent.Abort(reason));
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
    }

    private void OnPacket(UdpPeer peer, ReadOnlySpan<byte> packet)
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
            Step(session, TftpEvent.Ack(ack.Block));
        }
        else if (TftpError.TryRead(packet, out var error, out _))
        {
            Step(session, TftpEvent.ClientError(error));
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
                else if (!session.Transfer.Ended) Step(session, TftpEvent.Tick);
                else if (_sessions.TryGetValue(session.Peer, out var s) && s == session) _sessions.Remove(session.Peer);
            }
            Arm();
        }
    }

    private void Step(TftpSession session, in TftpEvent happened)
    {
        var before = session.Transfer.Retransmissions;
        var (next, action) = session.Transfer.Step(happened, Now);
        session.Transfer = next;
        if (next.Retransmissions > before) TftpMetrics.Retransmissions.Add(next.Retransmissions - before);
        switch (action.Kind)
        {
            case TftpActionKind.SendOptionAck:
                var ack = new TftpOptionAck(next.Terms.Granted);
                Send(session.PeerAddress, ack.Write(_packet));
                break;
            case TftpActionKind.SendBlocks when !TrySend(session, action, out var failure):
                Step(session, TftpEvent.Abort(failure));
                return;
            case TftpActionKind.End:
                End(session, action.End!);
                break;
        }
        Schedule(session);
    }

    private bool TrySend(TftpSession session, in TftpAction action, out string failure)
    {
        failure = "";
        var terms = session.Transfer.Terms;
        for (var block = action.First; block < action.First + action.Count; block++)
        {
            var payload = _packet.AsSpan(TftpData.HeaderSize, terms.PayloadOf(block));
            try
            {
                if (session.Content.Read((block - 1) * terms.BlockSize, payload) != payload.Length)
                    throw new IOException("the file ended early");
            }
            catch (IOException e)
            {
                LogReadFailed(e, session.Path, block);
                failure = $"reading failed at block {block} of {terms.LastBlock}: {e.Message}";
                return false;
            }
            TftpData.WriteHeader(_packet, (ushort)block);
            Send(session.PeerAddress, TftpData.HeaderSize + payload.Length);
            TftpMetrics.Bytes.Add(payload.Length);
        }
        return true;
    }

    private void End(TftpSession session, TftpEnd end)
    {
        if (end.Notice is { } notice) Send(session.Peer, notice);
        session.Content.Dispose();
        _registry.Leave(session.Peer);
        if (_sessions.Count > QuarantineLimit) _sessions.Remove(session.Peer);
        TftpMetrics.Active.Add(-1);
        TftpMetrics.CountEnd(end.Outcome);
        var detail = session.Describe(end, Now);
        LogEnded(session.Peer, session.Path, end.Outcome, detail);
        _directory.Record(new BootStep(_clock.GetUtcNow(), BootStage.Tftp, session.Path, end.Outcome, detail)
        {
            Address = session.Peer.Address,
        });
    }

    private void Send(UdpPeer peer, TftpError error) => Send(peer.ToSocketAddress(), error.Write(_packet));

    private void Send(System.Net.SocketAddress peer, int length)
    {
        try
        {
            _socket.SendTo(_packet.AsSpan(0, length), SocketFlags.None, peer);
        }
        catch (SocketException e)
        {
            // The client has no ARP entry, or the interface is down: as good as lost, and retransmitted as such.
            TftpMetrics.SendErrors.Add(1);
            LogSendFailed(e.SocketErrorCode);
        }
    }

    private void Schedule(TftpSession session)
    {
        session.WakeAt = session.Transfer.Ended ? Now + Quarantine : session.Transfer.Deadline;
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
