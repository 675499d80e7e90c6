using System.Buffers.Binary;

namespace Bramble.Wire.Tftp;

/// <summary>The first two octets of every TFTP packet (RFC 1350 §5, RFC 2347 §4).</summary>
public enum TftpOpcode : ushort
{
    ReadRequest = 1,
    WriteRequest = 2,
    Data = 3,
    Ack = 4,
    Error = 5,
    OptionAck = 6,
}

/// <summary>What tells TFTP packets apart.</summary>
public static class TftpOpcodes
{
    /// <summary>Reads the opcode; the packet's own <c>TryRead</c> then reads the rest.</summary>
    public static bool TryRead(ReadOnlySpan<byte> packet, out TftpOpcode opcode, out WireError error)
    {
        opcode = default;
        error = default;
        if (packet.Length < 2)
        {
            error = new WireError("a TFTP packet has at least 2 octets", packet.Length);
            return false;
        }
        opcode = (TftpOpcode)BinaryPrimitives.ReadUInt16BigEndian(packet);
        if (opcode is >= TftpOpcode.ReadRequest and <= TftpOpcode.OptionAck) return true;
        error = new WireError("no TFTP opcode (1 to 6)", 0);
        return false;
    }

    /// <summary>Reads a two-octet field after checking that the packet is of one kind and long enough.</summary>
    internal static bool TryExpect(
        ReadOnlySpan<byte> packet, TftpOpcode wanted, int size, out WireError error)
    {
        if (!TryRead(packet, out var opcode, out error)) return false;
        if (opcode != wanted)
        {
            error = new WireError($"the opcode is not that of {wanted}", 0);
            return false;
        }
        if (packet.Length >= size) return true;
        error = new WireError($"a {wanted} packet has at least {size} octets", packet.Length);
        return false;
    }
}
