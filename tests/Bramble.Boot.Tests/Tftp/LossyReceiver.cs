using Bramble.Wire.Tftp;

namespace Bramble.Boot.Tests.Tftp;

/// <summary>
/// A client of the simple-minded kind: it acknowledges whatever it gets, repeated blocks too, and repeats its last ACK
/// when it hears nothing. Against a server that answers repeated ACKs this starts the Sorcerer's Apprentice.
/// </summary>
internal sealed class LossyReceiver(int blockSize, int windowSize, bool expectsOptions)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly List<byte> _file = [];
    private long _expected = 1;
    private int _inWindow;
    private bool _started;

    public TimeSpan Deadline { get; private set; } = TimeSpan.MaxValue;

    public byte[] Received => [.. _file];

    public byte[]? Receive(byte[] packet, TimeSpan now)
    {
        if (TftpOptionAck.TryRead(packet, out _, out _))
        {
            Assert.True(expectsOptions);
            _started = true;
            // A late second OACK is answered as well, as real clients do.
            return Ack(now);
        }
        Assert.True(TftpData.TryRead(packet, out var data, out _));
        Assert.True(_started || !expectsOptions, "data before the OACK was confirmed");
        if (data.Block != (ushort)_expected) return OnWrongBlock(now);
        _file.AddRange(data.Payload);
        _expected++;
        _inWindow++;
        if (data.Payload.Length < blockSize)
        {
            var last = Ack(now);
            Deadline = TimeSpan.MaxValue;
            return last;
        }
        return _inWindow >= windowSize ? Ack(now) : null;
    }

    public byte[]? OnSilence(TimeSpan now) => Ack(now);

    // RFC 7440 §4: the first block out of order is answered with the last one in order.
    private byte[]? OnWrongBlock(TimeSpan now) => Ack(now);

    private byte[] Ack(TimeSpan now)
    {
        _inWindow = 0;
        Deadline = now + Patience;
        var packet = new byte[TftpAck.Size];
        new TftpAck((ushort)(_expected - 1)).Write(packet);
        return packet;
    }
}
