using System.Buffers.Binary;

namespace Bramble.Wire.Tftp;

/// <summary>
/// One block of the file (RFC 1350 §5). A view over the packet: nothing is copied.
/// <code>
///  2 octets  2 octets   n octets
/// +--------+----------+---------+
/// |   03   |  block   |  data   |   n &lt; block size ends the transfer
/// +--------+----------+---------+
/// </code>
/// </summary>
public readonly ref struct TftpData(ushort block, ReadOnlySpan<byte> payload)
{
    /// <summary>Octets before the payload.</summary>
    public const int HeaderSize = 4;

    /// <summary>The block number as on the wire; after 65535 comes 0.</summary>
    public ushort Block { get; } = block;

    public ReadOnlySpan<byte> Payload { get; } = payload;

    public static bool TryRead(ReadOnlySpan<byte> packet, out TftpData data, out WireError error)
    {
        data = default;
        if (!TftpOpcodes.TryExpect(packet, TftpOpcode.Data, HeaderSize, out error)) return false;
        data = new TftpData(BinaryPrimitives.ReadUInt16BigEndian(packet[2..]), packet[HeaderSize..]);
        return true;
    }

    public int Write(Span<byte> packet)
    {
        WriteHeader(packet, Block);
        Payload.CopyTo(packet[HeaderSize..]);
        return HeaderSize + Payload.Length;
    }

    /// <summary>Writes the header alone, for a sender that reads the file straight into the packet.</summary>
    public static void WriteHeader(Span<byte> packet, ushort block)
    {
        BinaryPrimitives.WriteUInt16BigEndian(packet, (ushort)TftpOpcode.Data);
        BinaryPrimitives.WriteUInt16BigEndian(packet[2..], block);
    }
}
