using Bramble.Wire.Tftp;

namespace Bramble.Lab.Tftp;

/// <summary>How a boot ROM asks for files.</summary>
/// <param name="TransferSize">Whether it sends <c>tsize 0</c>.</param>
/// <param name="BlockSize">The <c>blksize</c> that it sends; null for none.</param>
/// <param name="Rollover">Whether it goes on after block 65535.</param>
internal sealed record TftpHabits(bool TransferSize, int? BlockSize, bool Rollover);

/// <summary>How a fetch stands.</summary>
internal enum TftpOutcome
{
    Running,

    /// <summary>The file came whole.</summary>
    Fetched,

    /// <summary>A probe: the file is there, and the server was told not to go on.</summary>
    Exists,

    /// <summary>The server says that there is no such file.</summary>
    Missing,

    /// <summary>See <see cref="TftpFetch.Reason"/>.</summary>
    Failed,
}

/// <summary>
/// One file fetched or probed as a boot ROM does it: lockstep, no window, duplicates acknowledged again. Without socket
/// or clock: the caller sends what <see cref="Reply"/> holds.
/// </summary>
/// <param name="file">The path as sent.</param>
/// <param name="probe">Ends with ERROR 0 as soon as the server has answered.</param>
/// <param name="sink">Takes the content; null drops it.</param>
internal sealed class TftpFetch(string file, TftpHabits habits, bool probe, Stream? sink)
{
    private readonly byte[] _reply = new byte[TftpRequest.MaxSize];
    private int _replyLength;
    private int _blockSize = TftpOption.DefaultBlockSize;
    private uint _expected = 1;
    private ushort? _port;

    public TftpOutcome Outcome { get; private set; } = TftpOutcome.Running;

    public string Reason { get; private set; } = "";

    public long Length { get; private set; }

    /// <summary>What was said last: sent now, and again when no answer comes.</summary>
    public ReadOnlySpan<byte> Reply => _reply.AsSpan(0, _replyLength);

    /// <summary>The server's port for this transfer; null before its first answer.</summary>
    public ushort? Port => _port;

    /// <summary>Room for the largest datagram that may come.</summary>
    public int BufferSize => TftpData.HeaderSize + Math.Max(habits.BlockSize ?? 0, TftpRequest.MaxSize) + 1;

    public void Start()
    {
        var options = new List<TftpOption>(2);
        if (habits.TransferSize) options.Add(new TftpOption("tsize", 0));
        if (habits.BlockSize is { } size) options.Add(new TftpOption("blksize", size));
        _replyLength = TftpRequest.Read(file, options).Write(_reply);
    }

    /// <summary>Takes a datagram. True if <see cref="Reply"/> is to be sent to <see cref="Port"/>.</summary>
    public bool Receive(ReadOnlySpan<byte> packet, ushort port)
    {
        if (Outcome != TftpOutcome.Running || !TftpOpcodes.TryRead(packet, out var opcode, out _)) return false;
        if (_port is not null && _port != port) return false;
        switch (opcode)
        {
            case TftpOpcode.Error when TftpError.TryRead(packet, out var error, out _):
                Outcome = error.Code == TftpErrorCode.FileNotFound ? TftpOutcome.Missing : TftpOutcome.Failed;
                Reason = $"error {(int)error.Code}: {error.Message}";
                return false;
            case TftpOpcode.OptionAck when habits.TransferSize || habits.BlockSize is not null:
                return TakeOptions(packet, port);
            case TftpOpcode.Data when TftpData.TryRead(packet, out var data, out _):
                _port = port;
                return probe ? EndProbe() : TakeData(data);
            default:
                return false;
        }
    }

    /// <summary>Gives up.</summary>
    public void Fail(string reason)
    {
        if (Outcome != TftpOutcome.Running) return;
        Outcome = TftpOutcome.Failed;
        Reason = reason;
    }

    private bool TakeOptions(ReadOnlySpan<byte> packet, ushort port)
    {
        if (!TftpOptionAck.TryRead(packet, out var ack, out _)) return false;
        _port = port;
        if (_expected != 1 || Length > 0) return false;
        if (TftpOption.Find(ack.Options, TftpOption.BlockSize) is { } granted)
        {
            if (!granted.TryGetNumber(out var size) || habits.BlockSize is not { } asked
                || size < TftpOption.MinBlockSize || size > asked)
                return Abort(TftpErrorCode.OptionRefused, $"the server grants blksize {granted.Value}");
            _blockSize = (int)size;
        }
        if (probe) return EndProbe();
        _replyLength = new TftpAck(0).Write(_reply);
        return true;
    }

    private bool TakeData(TftpData data)
    {
        if (data.Payload.Length > _blockSize)
            return Abort(TftpErrorCode.IllegalOperation, $"a block of {data.Payload.Length} octets");
        if (data.Block == (ushort)(_expected - 1) && _expected > 1)
        {
            // Heard before: the ACK got lost, or the server is nervous. A ROM says it again.
            return true;
        }
        if (data.Block != (ushort)_expected) return false;
        if (_expected > ushort.MaxValue && !habits.Rollover)
            return Abort(TftpErrorCode.DiskFull, "this boot loader cannot count past block 65535 (RE#720)");
        sink?.Write(data.Payload);
        Length += data.Payload.Length;
        _expected++;
        _replyLength = new TftpAck(data.Block).Write(_reply);
        if (data.Payload.Length < _blockSize) Outcome = TftpOutcome.Fetched;
        return true;
    }

    private bool EndProbe()
    {
        Outcome = TftpOutcome.Exists;
        _replyLength = new TftpError(TftpErrorCode.NotDefined, "Early terminate").Write(_reply);
        return true;
    }

    private bool Abort(TftpErrorCode code, string reason)
    {
        Outcome = TftpOutcome.Failed;
        Reason = reason;
        _replyLength = new TftpError(code, reason).Write(_reply);
        return true;
    }
}
