using System.Buffers.Binary;

namespace Bramble.Wire.Tftp;

/// <summary>Acknowledges a block, or with 0 an OACK (RFC 1350 §5, RFC 2347 §3).</summary>
public readonly record struct TftpAck(ushort Block)
{
    public const int Size = 4;

    /// <summary>Octets beyond the fourth are ignored: some ROMs send a longer buffer.</summary>
    public static bool TryRead(ReadOnlySpan<byte> packet, out TftpAck ack, out WireError error)
    {
        ack = default;
        if (!TftpOpcodes.TryExpect(packet, TftpOpcode.Ack, Size, out error)) return false;
        ack = new TftpAck(BinaryPrimitives.ReadUInt16BigEndian(packet[2..]));
        return true;
    }

    public int Write(Span<byte> packet)
    {
        BinaryPrimitives.WriteUInt16BigEndian(packet, (ushort)TftpOpcode.Ack);
        BinaryPrimitives.WriteUInt16BigEndian(packet[2..], Block);
        return Size;
    }
}
