using System.Buffers.Binary;
using System.Text;

namespace Bramble.Wire.Tftp;

/// <summary>Error codes (RFC 1350 appendix, RFC 2347 §5).</summary>
public enum TftpErrorCode : ushort
{
    /// <summary>See the message. A Raspberry Pi ends an existence probe with it ("Early terminate").</summary>
    NotDefined = 0,
    FileNotFound = 1,
    AccessViolation = 2,
    DiskFull = 3,
    IllegalOperation = 4,
    UnknownTransfer = 5,
    FileExists = 6,
    NoSuchUser = 7,

    /// <summary>The options were refused (RFC 2347 §5).</summary>
    OptionRefused = 8,
}

/// <summary>Ends a transfer, or refuses one (RFC 1350 §5). It is neither acknowledged nor retransmitted.</summary>
public readonly record struct TftpError(TftpErrorCode Code, string Message)
{
    /// <summary>Octets of message that are kept of a packet, and written at most.</summary>
    public const int MessageLimit = 200;

    /// <summary>Enough room for any packet that <see cref="Write"/> writes.</summary>
    public const int MaxSize = 4 + MessageLimit + 1;

    /// <summary>Lax: a missing NUL or message is accepted, because ROMs leave them out when they give up.</summary>
    public static bool TryRead(ReadOnlySpan<byte> packet, out TftpError refusal, out WireError error)
    {
        refusal = default;
        if (!TftpOpcodes.TryExpect(packet, TftpOpcode.Error, 4, out error)) return false;
        var text = packet[4..];
        var end = text.IndexOf((byte)0);
        if (end >= 0) text = text[..end];
        if (text.Length > MessageLimit) text = text[..MessageLimit];
        var code = (TftpErrorCode)BinaryPrimitives.ReadUInt16BigEndian(packet[2..]);
        refusal = new TftpError(code, Printable(text));
        return true;
    }

    /// <summary>Writes the packet; what is not printable ASCII in the message becomes '?', the rest is cut.</summary>
    public int Write(Span<byte> packet)
    {
        BinaryPrimitives.WriteUInt16BigEndian(packet, (ushort)TftpOpcode.Error);
        BinaryPrimitives.WriteUInt16BigEndian(packet[2..], (ushort)Code);
        var length = Math.Min(Message.Length, MessageLimit);
        for (var i = 0; i < length; i++) packet[4 + i] = Message[i] is >= ' ' and <= '~' ? (byte)Message[i] : (byte)'?';
        packet[4 + length] = 0;
        return 4 + length + 1;
    }

    // The message goes to logs and timelines: no terminal control, no broken encoding.
    private static string Printable(ReadOnlySpan<byte> text)
    {
        var shown = new StringBuilder(text.Length);
        foreach (var octet in text) shown.Append(octet is >= 0x20 and <= 0x7e ? (char)octet : '?');
        return shown.ToString();
    }
}
