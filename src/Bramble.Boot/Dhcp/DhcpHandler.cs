using Bramble.Wire;
using Bramble.Wire.Dhcp;
using Microsoft.Extensions.Logging;

namespace Bramble.Boot.Dhcp;

/// <summary>A port that is served, over all the times that it had to be opened.</summary>
internal sealed class DhcpDoor(int port, bool proxy)
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

/// <summary>
/// What becomes of a datagram: decide → try the address → commit → wait → reply, and each step or reason to keep silent
/// told. It never blocks; what has to wait, waits in a bounded queue.
/// </summary>
internal sealed partial class DhcpHandler : IDisposable
{
    /// <summary>How often an address may turn out to be taken before the client is left to ask again.</summary>
    private const int MostTries = 3;

    private static readonly TimeSpan WarnAgain = TimeSpan.FromSeconds(10);

    private readonly DhcpNetworks _networks;
    private readonly IBootDirectory _directory;
    private readonly LeaseTable _leases;
    private readonly LeaseCommitter _committer;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly Dictionary<string, DhcpCounters> _counters;
    private readonly ClientLimiter _limiter;
    private readonly DelayQueue<Outgoing> _delayed;
    private readonly IReadOnlyDictionary<AddressProbe, AddressProber> _probers;
    private readonly long[] _lastWarned = new long[Enum.GetValues<DhcpIgnoreReason>().Length];

    public DhcpHandler(
        DhcpNetworks networks, IBootDirectory directory, LeaseTable leases, LeaseCommitter committer,
        IReadOnlyDictionary<AddressProbe, AddressProber> probers, TimeProvider clock, ILogger logger)
    {
        _networks = networks;
        _directory = directory;
        _leases = leases;
        _committer = committer;
        _probers = probers;
        _clock = clock;
        _logger = logger;
        _counters = networks.All.ToDictionary(n => n.Name, n => new DhcpCounters(n.Name));
        _limiter = new ClientLimiter(clock, networks.Own.ClientRate);
        _delayed = new DelayQueue<Outgoing>(clock, DhcpServer.DelayedCapacity, SendDelayed);
    }

    private sealed record Outgoing(
        DhcpDoor Door, DhcpIngress Ingress, DhcpJudgement Judged, DhcpDecision.Reply Reply, long ReceivedAt,
        int Tries = 1)
    {
        public MacAddress Mac => Judged.Packet!.Mac;

        public DhcpNetwork Network => Judged.Network;
    }

    /// <summary>Raised on the loops' threads: keep it short.</summary>
    public event Action<DhcpNotice>? Noticed;

    public DhcpSnapshot Snapshot(string network) =>
        _counters[network].Snapshot(network == _networks.Own.Name ? _delayed.Count : 0);

    /// <summary>Takes one datagram to the end of what can be done about it now.</summary>
    public void Handle(DhcpDoor door, ReadOnlySpan<byte> octets, in DhcpDatagram from)
    {
        var mac = MacOf(octets);
        if (mac is { } client && !_limiter.TryTake(client))
        {
            // Counted and no more: a line on the timeline for each packet would be the flood's second victim.
            _counters[_networks.Own.Name].Ignored(DhcpIgnoreReason.RateLimited);
            Report(_networks.Own, DhcpIgnoreReason.RateLimited, "DHCP", client, "more packets than one client needs");
            return;
        }
        var ingress = new DhcpIngress(from.Source, from.SourcePort, door.IsProxy);
        var judged = DhcpJudgement.Of(octets, ingress, _networks, _directory, _leases, _clock.GetUtcNow());
        var what = judged.Packet is { } packet ? packet.MessageType.Label() : "DHCP";
        var counters = _counters[judged.Network.Name];
        counters.Received(what);
        switch (judged.Decision)
        {
            case DhcpDecision.Ignore ignore:
                counters.Ignored(ignore.Reason);
                Report(judged.Network, ignore.Reason, what, mac ?? default, ignore.Text);
                Record(mac, null, what, StepOutcome.Ignored, ignore.Text, judged.Board);
                break;
            case DhcpDecision.Noted noted:
                Record(mac, null, what, StepOutcome.Ok, noted.Detail);
                LogNoted(judged.Network.Name, what, judged.Packet!.Mac, noted.Detail);
                // A lost RELEASE costs nothing: its lease runs out by itself.
                if (noted.Commit is { } commit) _committer.TryCommit(commit, static _ => { });
                if (noted.Commit is { State: LeaseState.Declined } declined)
                    Notice(judged.Network, DhcpNoticeKind.AddressInUse,
                        $"{declined.Address} was declined by {declined.Mac}: {noted.Detail}");
                break;
            case DhcpDecision.Reply reply:
                Record(mac, null, what, StepOutcome.Ok, DhcpMessageLabels.Describe(judged.Board!), judged.Board);
                Answer(new Outgoing(door, ingress, judged, reply, _clock.GetTimestamp()));
                break;
        }
    }

    public void Fault(Exception cause, IPv4Address source)
    {
        LogFault(cause, _networks.Own.Name, source);
        _counters[_networks.Own.Name].Ignored(DhcpIgnoreReason.Fault);
    }

    public void Notice(DhcpNetwork network, DhcpNoticeKind kind, string message) =>
        Noticed?.Invoke(new DhcpNotice(network.Name, kind, message));

    public void Dispose() => _delayed.Dispose();

    /// <summary>The address tried if need be, then durable, then the delay, then out.</summary>
    private void Answer(Outgoing outgoing)
    {
        if (outgoing.Reply.Probe
            && _probers.TryGetValue(outgoing.Network.Probe, out var prober)
            && prober.TryProbe(outgoing.Reply.Packet.YourAddress, outgoing.Mac, outgoing.Network.ProbeTimeout,
                taken => Guard(outgoing, taken ? AnswerAnew : Commit)))
            return;
        // A probe that cannot be made, because too many run or the interface is gone, holds nobody up.
        Commit(outgoing);
    }

    /// <summary>A stranger has the address: nobody gets it for a while, and the client gets another.</summary>
    private void AnswerAnew(Outgoing outgoing)
    {
        var address = outgoing.Reply.Packet.YourAddress;
        var network = outgoing.Network;
        if (_leases.Decline(network.Name, outgoing.Mac, address) is { } declined)
        {
            _committer.TryCommit(declined, static _ => { });
            var message = $"{address} answers to a probe, though it was given to nobody: set aside for "
                + $"{LeaseTable.Quarantine.TotalMinutes:0} minutes";
            LogTaken(network.Name, message);
            Record(outgoing.Mac, null, "probe", StepOutcome.Ok, message);
            Notice(network, DhcpNoticeKind.AddressInUse, message);
        }
        if (outgoing.Tries >= MostTries)
        {
            Fail(outgoing, DhcpIgnoreReason.AddressesInUse,
                $"{MostTries} addresses in a row are used by strangers; the last one is {address}");
            return;
        }
        var judged = outgoing.Judged;
        var decision = DhcpResponder.Decide(judged.Packet!, outgoing.Ingress, judged.Board!, judged.Plan!, network,
            _leases, _clock.GetUtcNow());
        switch (decision)
        {
            case DhcpDecision.Reply reply:
                Answer(outgoing with { Reply = reply, Tries = outgoing.Tries + 1 });
                break;
            case DhcpDecision.Ignore ignore:
                Fail(outgoing, ignore.Reason, ignore.Text);
                break;
        }
    }

    private void Commit(Outgoing outgoing)
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
        // The time that a probe took counts: a Pi 3 gives up soon after the delay that it needs.
        var delay = outgoing.Reply.Delay;
        if (outgoing.Reply.Probe) delay -= _clock.GetElapsedTime(outgoing.ReceivedAt);
        if (delay <= TimeSpan.Zero)
            Send(outgoing);
        else if (!_delayed.TryAdd(outgoing, delay))
            Fail(outgoing, DhcpIgnoreReason.Overloaded, "too many answers wait for their delay");
    }

    private void SendDelayed(Outgoing outgoing) => Guard(outgoing, Send);

    /// <summary>On threads where nobody would catch what escapes.</summary>
    private void Guard(Outgoing outgoing, Action<Outgoing> deed)
    {
        try
        {
            deed(outgoing);
        }
        catch (Exception e)
        {
            Fault(e, outgoing.Reply.Packet.YourAddress);
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
                throw new IOException($"interface {_networks.Own.Interface} is not there");
            channel.Send(buffer[..size], reply.To);
        }
        catch (IOException e)
        {
            Fail(outgoing, DhcpIgnoreReason.SendFailed, e.Message);
            return;
        }
        var type = reply.Packet.MessageType;
        var what = type.AnswerLabel();
        _counters[outgoing.Network.Name].Sent(what);
        LogAnswered(outgoing.Network.Name, what, outgoing.Mac, reply.Detail);
        var outcome = type == DhcpMessageType.Nak ? StepOutcome.Failed : StepOutcome.Ok;
        Record(outgoing.Mac, Given(reply), what, outcome, reply.Detail);
    }

    private static IPv4Address? Given(DhcpDecision.Reply reply) =>
        reply.Packet.YourAddress.IsAny ? null : reply.Packet.YourAddress;

    private void Fail(Outgoing outgoing, DhcpIgnoreReason reason, string why)
    {
        var what = outgoing.Reply.Packet.MessageType.AnswerLabel();
        _counters[outgoing.Network.Name].Ignored(reason);
        Report(outgoing.Network, reason, what, outgoing.Mac, why);
        Record(outgoing.Mac, Given(outgoing.Reply), what, StepOutcome.Failed, why);
    }

    /// <summary>What an operator must act on is a warning, once in a while; the rest is for those who look.</summary>
    private void Report(DhcpNetwork network, DhcpIgnoreReason reason, string what, MacAddress mac, string why)
    {
        var warn = reason is DhcpIgnoreReason.PoolExhausted or DhcpIgnoreReason.StoreFailed
            or DhcpIgnoreReason.Overloaded or DhcpIgnoreReason.SendFailed or DhcpIgnoreReason.ReplyTooLarge
            or DhcpIgnoreReason.AddressesInUse or DhcpIgnoreReason.RateLimited or DhcpIgnoreReason.TooManyStrangers;
        var last = Interlocked.Read(ref _lastWarned[(int)reason]);
        if (warn && (last == 0 || _clock.GetElapsedTime(last) >= WarnAgain))
        {
            Interlocked.Exchange(ref _lastWarned[(int)reason], Math.Max(1, _clock.GetTimestamp()));
            LogUnanswered(network.Name, what, mac, reason, why);
        }
        else
        {
            LogIgnored(network.Name, what, mac, reason, why);
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

    /// <summary>Whose it is, garbage or not, if at least the header is whole.</summary>
    private static MacAddress? MacOf(ReadOnlySpan<byte> octets) =>
        octets.Length >= 34 && octets[1] == 1 && octets[2] == MacAddress.Size ? MacAddress.Read(octets[28..]) : null;
}
