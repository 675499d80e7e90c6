using System.Buffers.Binary;

namespace Bramble.Wire.Tftp;

/// <summary>Tells the client which of its options the server takes, and with what value (RFC 2347 §3).</summary>
public sealed record TftpOptionAck(IReadOnlyList<TftpOption> Options)
{
    /// <summary>The most octets read or written: an answer to at most as many octets of options.</summary>
    public const int MaxSize = TftpRequest.MaxSize;

    public static bool TryRead(
        ReadOnlySpan<byte> packet,
        [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out TftpOptionAck? ack,
        out WireError error)
    {
        ack = null;
        if (!TftpOpcodes.TryExpect(packet, TftpOpcode.OptionAck, 2, out error)) return false;
        if (packet.Length > MaxSize)
        {
            error = new WireError($"an OACK has at most {MaxSize} octets", MaxSize);
            return false;
        }
        if (!TftpOption.TryReadAll(packet, 2, out var options, out error)) return false;
        ack = new TftpOptionAck(options);
        return true;
    }

    public int Write(Span<byte> packet)
    {
        BinaryPrimitives.WriteUInt16BigEndian(packet, (ushort)TftpOpcode.OptionAck);
        return 2 + TftpOption.WriteAll(Options, packet[2..]);
    }
}
