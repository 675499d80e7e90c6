using System.Buffers.Binary;

namespace Bramble.Wire.Tftp;

/// <summary>
/// Asks to read or to write a file (RFC 1350 §5, RFC 2347 §2).
/// <code>
///  2 octets   string    1   string   1   string   1   string   1
/// +---------+----------+---+--------+---+--------+---+--------+---+
/// | 01 / 02 | filename | 0 |  mode  | 0 | option | 0 | value  | 0 |  ...
/// +---------+----------+---+--------+---+--------+---+--------+---+
/// </code>
/// </summary>
/// <param name="Opcode">Read or write request.</param>
/// <param name="FileName">As sent; untrusted.</param>
/// <param name="Mode">As sent: <c>octet</c>, <c>netascii</c> or <c>mail</c> in any case.</param>
public sealed record TftpRequest(TftpOpcode Opcode, string FileName, string Mode, IReadOnlyList<TftpOption> Options)
{
    /// <summary>The most octets that a request may have (RFC 2347 §2).</summary>
    public const int MaxSize = 512;

    public const string Octet = "octet";

    /// <summary>A read request in octet mode, which is all that boot ROMs send.</summary>
    public static TftpRequest Read(string fileName, params IReadOnlyList<TftpOption> options) =>
        new(TftpOpcode.ReadRequest, fileName, Octet, options);

    public static bool TryRead(
        ReadOnlySpan<byte> packet,
        [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out TftpRequest? request,
        out WireError error)
    {
        request = null;
        if (!TftpOpcodes.TryRead(packet, out var opcode, out error)) return false;
        if (opcode is not (TftpOpcode.ReadRequest or TftpOpcode.WriteRequest))
        {
            error = new WireError("the opcode is not that of a request", 0);
            return false;
        }
        if (packet.Length > MaxSize)
        {
            error = new WireError($"a request has at most {MaxSize} octets", MaxSize);
            return false;
        }
        var offset = 2;
        if (!TftpOption.TryReadText(packet, ref offset, out var fileName, out error)) return false;
        if (fileName.Length == 0)
        {
            error = new WireError("the file name is empty", 2);
            return false;
        }
        if (!TftpOption.TryReadText(packet, ref offset, out var mode, out error)) return false;
        if (!TftpOption.TryReadAll(packet, offset, out var options, out error)) return false;
        request = new TftpRequest(opcode, fileName, mode, options);
        return true;
    }

    /// <summary>Writes the packet; the texts hold no NUL, and the buffer has room for <see cref="MaxSize"/>.</summary>
    public int Write(Span<byte> packet)
    {
        BinaryPrimitives.WriteUInt16BigEndian(packet, (ushort)Opcode);
        var offset = 2;
        offset += TftpOption.WriteText(FileName, packet[offset..]);
        offset += TftpOption.WriteText(Mode, packet[offset..]);
        return offset + TftpOption.WriteAll(Options, packet[offset..]);
    }
}
