using Bramble.Wire.Tftp;

namespace Bramble.Boot.Tftp;

internal enum TftpEventKind
{
    /// <summary>The request was accepted.</summary>
    Start,

    /// <summary>The client sent an ACK.</summary>
    Ack,

    /// <summary>The client sent an ERROR.</summary>
    ClientError,

    /// <summary>Time has passed; it may or may not have reached the deadline.</summary>
    Tick,

    /// <summary>The content could not be read, or the server stops: end it and tell the client why.</summary>
    Abort,

    /// <summary>The same client port asked for something else: it no longer listens to this transfer.</summary>
    Superseded,

    /// <summary>The same client port sent the same request again.</summary>
    Repeated,
}

/// <summary>What happens to a transfer.</summary>
internal readonly record struct TftpEvent(TftpEventKind Kind, ushort Block = 0, TftpError Error = default)
{
    public static readonly TftpEvent Start = new(TftpEventKind.Start);

    public static readonly TftpEvent Tick = new(TftpEventKind.Tick);

    public static readonly TftpEvent Superseded = new(TftpEventKind.Superseded);

    public static readonly TftpEvent Repeated = new(TftpEventKind.Repeated);

    public static TftpEvent Ack(ushort block) => new(TftpEventKind.Ack, block);

    public static TftpEvent ClientError(TftpError error) => new(TftpEventKind.ClientError, Error: error);

    public static TftpEvent Abort(string reason) =>
        new(TftpEventKind.Abort, Error: new TftpError(TftpErrorCode.NotDefined, reason));
}

internal enum TftpActionKind
{
    Nothing,

    SendOptionAck,

    /// <summary>Send the blocks <see cref="TftpAction.First"/> and following.</summary>
    SendBlocks,

    /// <summary>The transfer is over; send <see cref="TftpEnd.Notice"/> if there is one.</summary>
    End,
}

/// <summary>What the driver is to do.</summary>
internal readonly record struct TftpAction(TftpActionKind Kind, long First = 0, int Count = 0, TftpEnd? End = null)
{
    public static readonly TftpAction Nothing = new(TftpActionKind.Nothing);

    public static readonly TftpAction SendOptionAck = new(TftpActionKind.SendOptionAck);
}

/// <summary>How a transfer ended.</summary>
/// <param name="Outcome">Ok, Probe or Failed.</param>
/// <param name="Reason">For people; empty if it simply went well.</param>
/// <param name="Notice">Told to the client before the transfer is forgotten.</param>
internal sealed record TftpEnd(StepOutcome Outcome, string Reason, TftpError? Notice = null);
