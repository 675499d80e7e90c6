using Bramble.Wire;
using Bramble.Wire.Dhcp;
using Microsoft.Extensions.Logging;

namespace Bramble.Boot.Dhcp;

/// <summary>
/// The DHCP door of one network: receive → is it for us? → decide → commit → reply. One receive loop, no task per
/// packet; what has to wait, waits in a bounded queue (the lease committer's, or that of delayed OFFERs). All servers
/// of a daemon share one lease table and one committer, whose <see cref="LeaseCommitter.RunAsync"/> must run beside
/// them.
/// </summary>
public sealed partial class DhcpServer
{
    /// <summary>OFFERs that may wait for their delay at once.</summary>
    public const int DelayedCapacity = 8192;

    private const int LargestDatagram = 65536;

    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan InterfaceCheck = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan WarnAgain = TimeSpan.FromSeconds(10);

    private readonly DhcpNetwork _network;
    private readonly IBootDirectory _directory;
    private readonly LeaseTable _leases;
    private readonly LeaseCommitter _committer;
    private readonly TimeProvider _clock;
    private readonly ILogger<DhcpServer> _logger;
    private readonly Func<DhcpNetwork, int, IDhcpChannel> _open;
    private readonly DhcpCounters _counters;
    private readonly long[] _lastWarned = new long[Enum.GetValues<DhcpIgnoreReason>().Length];
    private DelayQueue<Outgoing>? _delayed;

    public DhcpServer(
        DhcpNetwork network, IBootDirectory directory, LeaseTable leases, LeaseCommitter committer, TimeProvider clock,
        ILogger<DhcpServer> logger)
        : this(network, directory, leases, committer, clock, logger, DhcpSocket.Open)
    {
    }

    /// <param name="open">Opens a port of the network; throws IOException with the cause if it cannot.</param>
    internal DhcpServer(
        DhcpNetwork network, IBootDirectory directory, LeaseTable leases, LeaseCommitter committer, TimeProvider clock,
        ILogger<DhcpServer> logger, Func<DhcpNetwork, int, IDhcpChannel> open)
    {
        _network = network;
        _directory = directory;
        _leases = leases;
        _committer = committer;
        _clock = clock;
        _logger = logger;
        _open = open;
        _counters = new DhcpCounters(network.Name);
    }

    /// <summary>A port that is served, over all the times that it had to be opened.</summary>
    private sealed class Door(int port, bool proxy)
    {
        private volatile IDhcpChannel? _channel;

        public int Port => port;

        public bool IsProxy => proxy;

        public IDhcpChannel? Channel
        {
            get => _channel;
            set => _channel = value;
        }
    }

    private sealed record Outgoing(Door Door, MacAddress Mac, DhcpDecision.Reply Reply);

    /// <summary>Counts since the start.</summary>
    public DhcpSnapshot Snapshot() => _counters.Snapshot(_delayed?.Count ?? 0);

    /// <summary>
    /// Serves until cancelled. An interface that is not there or vanishes is waited for; nothing else ends the loop.
    /// </summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        using var delayed = new DelayQueue<Outgoing>(_clock, DelayedCapacity, SendDelayed);
        _delayed = delayed;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var doors = new List<Task> { ServeAsync(new Door(_network.ServerPort, proxy: false), end.Token) };
        if (_network.Mode == DhcpMode.Proxy)
            doors.Add(ServeAsync(new Door(_network.ProxyPort, proxy: true), end.Token));
        await Task.WhenAny(doors).ConfigureAwait(false);
        // One that ended by an error takes the other along, so that the error is seen.
        await end.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(doors).ConfigureAwait(false);
    }

    private async Task ServeAsync(Door door, CancellationToken cancellation)
    {
        var retry = FirstRetry;
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                using var channel = _open(_network, door.Port);
                door.Channel = channel;
                LogListening(_network.Name, _network.Interface, door.Port, _network.Mode);
                using var gone = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
                // A socket bound to a deleted interface stays silent for ever: only looking tells.
                using var watch = _clock.CreateTimer(_ =>
                {
                    try
                    {
                        if (!channel.IsThere) gone.Cancel();
                    }
                    catch (ObjectDisposedException)
                    {
                        // The channel was given up while we looked.
                    }
                }, null, InterfaceCheck, InterfaceCheck);
                var started = _clock.GetTimestamp();
                try
                {
                    await ReceiveAsync(door, channel, gone.Token).ConfigureAwait(false);
                }
                catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
                {
                    throw new IOException($"interface {_network.Interface} has vanished or was replaced");
                }
                finally
                {
                    door.Channel = null;
                    if (_clock.GetElapsedTime(started) > LastRetry) retry = FirstRetry;
                }
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                return;
            }
            catch (IOException e)
            {
                LogNotServing(_network.Name, e.Message, retry.TotalSeconds);
            }
            try
            {
                await Task.Delay(retry, _clock, cancellation).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            retry = retry * 2 < LastRetry ? retry * 2 : LastRetry;
        }
    }

    private async Task ReceiveAsync(Door door, IDhcpChannel channel, CancellationToken cancellation)
    {
        var buffer = new byte[LargestDatagram];
        while (true)
        {
            var datagram = await channel.ReceiveAsync(buffer, cancellation).ConfigureAwait(false);
            try
            {
                Handle(door, buffer.AsSpan(0, datagram.Length), datagram);
            }
            catch (Exception e)
            {
                // One packet must not take the others' server away.
                LogFault(e, _network.Name, datagram.Source);
                _counters.Ignored(DhcpIgnoreReason.Fault);
            }
        }
    }

    private void Handle(Door door, ReadOnlySpan<byte> octets, DhcpDatagram from)
    {
        if (!DhcpPacket.TryRead(octets, out var packet, out var error))
        {
            _counters.Received(DhcpMessageType.None);
            Ignore(MacOf(octets), "DHCP", new(DhcpIgnoreReason.Malformed, error.ToString()));
            return;
        }
        var what = packet.MessageType.Label();
        _counters.Received(packet.MessageType);
        if (DhcpResponder.Screen(packet, _network) is { } refused)
        {
            Ignore(packet.Mac, what, refused);
            return;
        }
        if (!BoardClassifier.TryClassify(packet, out var board, out error))
        {
            Ignore(packet.Mac, what, new(DhcpIgnoreReason.BadMachineIdentifier, error.ToString()));
            return;
        }
        if (_network.Mode == DhcpMode.Proxy && board.Family == BoardFamily.PlainClient)
        {
            // Beside another server, what does not boot from the network is not even looked up: not ours to know.
            Ignore(packet.Mac, what, new(DhcpIgnoreReason.NotForProxy, "not a network boot"));
            return;
        }
        var plan = _directory.Find(new BoardSighting(_network.Name, packet.Mac, board));
        var decision = DhcpResponder.Decide(packet, new DhcpIngress(from.Source, from.SourcePort, door.IsProxy), board,
            plan, _network, _leases, _clock.GetUtcNow());
        switch (decision)
        {
            case DhcpDecision.Ignore ignore:
                Ignore(packet.Mac, what, ignore, board);
                break;
            case DhcpDecision.Noted noted:
                Record(packet.Mac, null, what, StepOutcome.Ok, noted.Detail);
                LogNoted(_network.Name, what, packet.Mac, noted.Detail);
                // A lost RELEASE costs nothing: its lease runs out by itself.
                if (noted.Commit is { } released) _committer.TryCommit(released, static _ => { });
                break;
            case DhcpDecision.Reply reply:
                Record(packet.Mac, null, what, StepOutcome.Ok, Describe(board), board);
                Answer(new Outgoing(door, packet.Mac, reply));
                break;
        }
    }

    /// <summary>Durable first, then the delay, then out.</summary>
    private void Answer(Outgoing outgoing)
    {
        if (outgoing.Reply.Commit is not { } lease)
        {
            Schedule(outgoing);
            return;
        }
        var queued = _committer.TryCommit(lease, failure =>
        {
            if (failure is null) Schedule(outgoing);
            else Fail(outgoing, DhcpIgnoreReason.StoreFailed, $"the lease could not be stored: {failure.Message}");
        });
        if (!queued) Fail(outgoing, DhcpIgnoreReason.Overloaded, "too many leases wait for the store");
    }

    private void Schedule(Outgoing outgoing)
    {
        if (outgoing.Reply.Delay <= TimeSpan.Zero)
            Send(outgoing);
        else if (_delayed?.TryAdd(outgoing, outgoing.Reply.Delay) != true)
            Fail(outgoing, DhcpIgnoreReason.Overloaded, "too many answers wait for their delay");
    }

    /// <summary>On the timer's thread, where nobody would catch what escapes.</summary>
    private void SendDelayed(Outgoing outgoing)
    {
        try
        {
            Send(outgoing);
        }
        catch (Exception e)
        {
            LogFault(e, _network.Name, outgoing.Reply.Packet.YourAddress);
            _counters.Ignored(DhcpIgnoreReason.Fault);
        }
    }

    private void Send(Outgoing outgoing)
    {
        var reply = outgoing.Reply;
        Span<byte> buffer = stackalloc byte[DhcpPacket.LargestSize];
        var size = DhcpReplies.Write(reply.Packet, buffer[..Math.Min(reply.MaximumSize, buffer.Length)]);
        if (size == 0)
        {
            Fail(outgoing, DhcpIgnoreReason.ReplyTooLarge, $"does not fit into {reply.MaximumSize} octets");
            return;
        }
        try
        {
            if (outgoing.Door.Channel is not { } channel)
                throw new IOException($"interface {_network.Interface} is not there");
            channel.Send(buffer[..size], reply.To);
        }
        catch (IOException e)
        {
            Fail(outgoing, DhcpIgnoreReason.SendFailed, e.Message);
            return;
        }
        var type = reply.Packet.MessageType;
        _counters.Sent(type);
        LogAnswered(_network.Name, type.Label(), outgoing.Mac, reply.Detail);
        var outcome = type == DhcpMessageType.Nak ? StepOutcome.Failed : StepOutcome.Ok;
        Record(outgoing.Mac, Given(reply), type.Label(), outcome, reply.Detail);
    }

    private static IPv4Address? Given(DhcpDecision.Reply reply) =>
        reply.Packet.YourAddress.IsAny ? null : reply.Packet.YourAddress;

    private void Fail(Outgoing outgoing, DhcpIgnoreReason reason, string why)
    {
        var what = outgoing.Reply.Packet.MessageType.Label();
        _counters.Ignored(reason);
        Report(reason, what, outgoing.Mac, why);
        Record(outgoing.Mac, Given(outgoing.Reply), what, StepOutcome.Failed, why);
    }

    private void Ignore(MacAddress? mac, string what, DhcpDecision.Ignore ignore, BoardIdentity? board = null)
    {
        _counters.Ignored(ignore.Reason);
        Report(ignore.Reason, what, mac ?? default, ignore.Text);
        Record(mac, null, what, StepOutcome.Ignored, ignore.Text, board);
    }

    /// <summary>What an operator must act on is a warning, once in a while; the rest is for those who look.</summary>
    private void Report(DhcpIgnoreReason reason, string what, MacAddress mac, string why)
    {
        var warn = reason is DhcpIgnoreReason.PoolExhausted or DhcpIgnoreReason.StoreFailed
            or DhcpIgnoreReason.Overloaded or DhcpIgnoreReason.SendFailed or DhcpIgnoreReason.ReplyTooLarge;
        var last = Interlocked.Read(ref _lastWarned[(int)reason]);
        if (warn && (last == 0 || _clock.GetElapsedTime(last) >= WarnAgain))
        {
            Interlocked.Exchange(ref _lastWarned[(int)reason], Math.Max(1, _clock.GetTimestamp()));
            LogUnanswered(_network.Name, what, mac, reason, why);
        }
        else
        {
            LogIgnored(_network.Name, what, mac, reason, why);
        }
    }

    private void Record(MacAddress? mac, IPv4Address? address, string what, StepOutcome outcome, string detail,
        BoardIdentity? board = null) =>
        _directory.Record(new BootStep(_clock.GetUtcNow(), BootStage.Dhcp, what, outcome, detail)
        {
            Mac = mac,
            Address = address,
            Board = board,
        });

    private static string Describe(BoardIdentity board) =>
        board.Model.Length == 0 ? board.Family == BoardFamily.Pxe ? "a PXE client" : "a client that does not netboot"
            : board.Serial.Length == 0 ? board.Model
            : $"{board.Model}, serial {board.Serial}";

    /// <summary>Whose garbage it was, if at least the header is whole.</summary>
    private static MacAddress? MacOf(ReadOnlySpan<byte> octets) =>
        octets.Length >= 34 && octets[1] == 1 && octets[2] == MacAddress.Size ? MacAddress.Read(octets[28..]) : null;
}
