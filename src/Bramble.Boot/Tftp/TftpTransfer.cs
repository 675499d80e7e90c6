using Bramble.Wire.Tftp;

namespace Bramble.Boot.Tftp;

/// <summary>
/// One read transfer as a value: <see cref="Step"/> takes what happened and returns the next state and the one thing
/// to do. It owns no socket, clock or buffer. Blocks are counted without rollover; only the wire has 16 bits.
/// </summary>
internal readonly record struct TftpTransfer
{
    // RFC 6298 §2: smoothing by 1/8 and 1/4, four deviations.
    private const int SmoothingShare = 8;
    private const int VariationShare = 4;

    private static readonly TimeSpan LeastGapWait = TimeSpan.FromMilliseconds(5);

    private TftpTransfer(TftpTerms terms) => Terms = terms;

    public TftpTerms Terms { get; private init; }

    /// <summary>
    /// The highest block that the client has confirmed. -1: not even the OACK; 0: the OACK, or none sent.
    /// </summary>
    public long Acked { get; private init; }

    /// <summary>The highest block of the window in flight; 0 while the OACK is.</summary>
    public long Sent { get; private init; }

    /// <summary>Retransmissions since the last progress.</summary>
    public int Tries { get; private init; }

    /// <summary>Retransmissions in all.</summary>
    public int Retransmissions { get; private init; }

    /// <summary>When the present packets are held for lost, on the driver's clock.</summary>
    public TimeSpan Deadline { get; private init; }

    /// <summary>When the client last moved the transfer on.</summary>
    public TimeSpan Progressed { get; private init; }

    public bool Ended { get; private init; }

    /// <summary>The highest block ever sent: what lies above it is still new.</summary>
    private long EverSent { get; init; }

    private TimeSpan SentAt { get; init; }

    /// <summary>
    /// The flight holds something that was sent before, so its ACK tells no round trip (Karn's rule).
    /// </summary>
    private bool Ambiguous { get; init; }

    /// <summary>
    /// An ACK from inside the window came; unless more follow, the deadline goes back to the missed block.
    /// </summary>
    private bool GapTold { get; init; }

    private TimeSpan RetryAfter { get; init; }

    private TimeSpan SmoothedTrip { get; init; }

    private TimeSpan TripVariation { get; init; }

    public static TftpTransfer Create(TftpTerms terms) =>
        new(terms) { Acked = -1, RetryAfter = terms.Interval ?? terms.Timing.Initial };

    public (TftpTransfer Next, TftpAction Action) Step(in TftpEvent happened, TimeSpan now)
    {
        if (Ended) return (this, TftpAction.Nothing);
        return happened.Kind switch
        {
            TftpEventKind.Start => OnStart(now),
            TftpEventKind.Ack => OnAck(happened.Block, now),
            TftpEventKind.ClientError => OnClientError(happened.Error),
            TftpEventKind.Tick => now >= Deadline ? OnTimeout(now) : (this, TftpAction.Nothing),
            TftpEventKind.Abort => Finish(StepOutcome.Failed, happened.Error.Message, happened.Error),
            TftpEventKind.Superseded => OnSuperseded(),
            TftpEventKind.Repeated => OnRepeated(now),
            _ => (this, TftpAction.Nothing),
        };
    }

    private string Where => $"at block {Math.Max(Acked, 0) + 1} of {Terms.LastBlock}";

    private (TftpTransfer, TftpAction) OnStart(TimeSpan now)
    {
        var started = this with { Progressed = now, SentAt = now };
        if (Terms.Granted.Count == 0) return (started with { Acked = 0 }).SendWindow(now);
        return (started with { Deadline = now + RetryAfter }, TftpAction.SendOptionAck);
    }

    private (TftpTransfer, TftpAction) OnAck(ushort block, TimeSpan now)
    {
        // The ACK of an OACK is block 0. Any other number belongs to an earlier transfer of this client.
        if (Acked < 0) return block == 0 ? Advance(0, now) : (this, TftpAction.Nothing);
        // The only block in the window whose low 16 bits these are. Blocks behind the window land far beyond it.
        var confirmed = Acked + (ushort)(block - (ushort)Acked);
        // A repeated ACK never causes a send, or one packet that the network doubled would double every later one:
        // the Sorcerer's Apprentice (RFC 1123 §4.2.3.1). If something was lost, the deadline finds it out.
        if (confirmed == Acked || confirmed > Sent) return (this, TftpAction.Nothing);
        return Advance(confirmed, now);
    }

    private (TftpTransfer, TftpAction) Advance(long confirmed, TimeSpan now)
    {
        var next = this with { Acked = confirmed, Tries = 0, Progressed = now };
        if (!Ambiguous && confirmed == Sent) next = next.Measured(now - SentAt);
        if (confirmed == Terms.LastBlock) return next.Finish(StepOutcome.Ok, "");
        if (confirmed == Sent) return next.SendWindow(now);
        // An ACK inside the window says that the next block was missed: go back to it (RFC 7440 §4). But clients also
        // acknowledge a block that the network doubled, and going back at each of those would multiply the traffic by
        // the window. After a true gap no further ACK comes, so wait a round trip for one.
        var wait = SmoothedTrip < LeastGapWait ? LeastGapWait : Shorter(SmoothedTrip, RetryAfter);
        return (next with { GapTold = true, Deadline = now + wait }, TftpAction.Nothing);
    }

    private (TftpTransfer, TftpAction) OnClientError(TftpError error)
    {
        // The client has the last block, and its ACK was lost: its port is closed, or it no longer knows us.
        if (Sent == Terms.LastBlock && error.Code == TftpErrorCode.UnknownTransfer)
            return Finish(StepOutcome.Ok, "the last ACK was lost");
        var said = error.Message.Length > 0 ? error.Message : error.Code.ToString();
        // Looking at the size, or at whether the file exists: Raspberry Pis send ERROR 0 "Early terminate", PXE ROMs
        // 0 or 8, both before they took more than a block.
        if (Acked <= 1 && error.Code is TftpErrorCode.NotDefined or TftpErrorCode.OptionRefused)
            return Finish(StepOutcome.Probe, $"client only looked: {said}");
        return Finish(StepOutcome.Failed, $"client gave up {Where}: {said}");
    }

    private (TftpTransfer, TftpAction) OnSuperseded() => Finish(
        Acked <= 0 ? StepOutcome.Probe : StepOutcome.Failed, $"client began another transfer {Where}");

    /// <summary>
    /// A repeated request before anything was confirmed says that our first packet was lost: send it again, unless it
    /// has only just left. Later it is an echo of the network, or a board that was reset and has the same port.
    /// </summary>
    private (TftpTransfer, TftpAction) OnRepeated(TimeSpan now)
    {
        if (Acked > 0) return now - Progressed < Terms.Timing.Initial ? (this, TftpAction.Nothing) : OnSuperseded();
        return now - SentAt < Terms.Timing.Min ? (this, TftpAction.Nothing) : SendAgain(now);
    }

    private (TftpTransfer, TftpAction) OnTimeout(TimeSpan now)
    {
        if (GapTold) return SendAgain(now);
        if (Tries >= Terms.Timing.MaxRetries)
        {
            var reason = $"client fell silent {Where} after {Tries} retries";
            return Finish(StepOutcome.Failed, reason, new TftpError(TftpErrorCode.NotDefined, "timed out"));
        }
        var again = this with
        {
            Tries = Tries + 1,
            // Exponential back-off (RFC 1123 §4.2.3.2), unless the client chose the interval. It stays until a clean
            // round trip is measured (Karn).
            RetryAfter = Terms.Interval ?? Shorter(RetryAfter * 2, Terms.Timing.Max),
        };
        return again.SendAgain(now);
    }

    private (TftpTransfer, TftpAction) SendAgain(TimeSpan now)
    {
        var again = this with { Retransmissions = Retransmissions + 1 };
        if (Acked >= 0) return again.SendWindow(now);
        again = again with { Ambiguous = true, SentAt = now, Deadline = now + RetryAfter };
        return (again, TftpAction.SendOptionAck);
    }

    private (TftpTransfer, TftpAction) SendWindow(TimeSpan now)
    {
        var first = Acked + 1;
        var last = Math.Min(Acked + Terms.WindowSize, Terms.LastBlock);
        var next = this with
        {
            Sent = last,
            SentAt = now,
            GapTold = false,
            Ambiguous = first <= EverSent,
            EverSent = Math.Max(EverSent, last),
            Deadline = now + RetryAfter,
        };
        return (next, new TftpAction(TftpActionKind.SendBlocks, first, (int)(last - first + 1)));
    }

    private TftpTransfer Measured(TimeSpan trip)
    {
        var first = SmoothedTrip == TimeSpan.Zero;
        var smoothed = first ? trip : SmoothedTrip + (trip - SmoothedTrip) / SmoothingShare;
        var variation = first
            ? trip / 2
            : TripVariation + ((SmoothedTrip - trip).Duration() - TripVariation) / VariationShare;
        var wait = smoothed + variation * 4;
        return this with
        {
            SmoothedTrip = smoothed,
            TripVariation = variation,
            RetryAfter = Terms.Interval ?? Shorter(wait < Terms.Timing.Min ? Terms.Timing.Min : wait, Terms.Timing.Max),
        };
    }

    private (TftpTransfer, TftpAction) Finish(StepOutcome outcome, string reason, TftpError? notice = null) => (
        this with { Ended = true, Deadline = TimeSpan.MaxValue },
        new TftpAction(TftpActionKind.End, End: new TftpEnd(outcome, reason, notice)));

    private static TimeSpan Shorter(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
