using System.Globalization;
using System.Text;

namespace Bramble.Wire.Tftp;

/// <summary>A name and its value, both text (RFC 2347 §2). Names are compared without regard to case.</summary>
public readonly record struct TftpOption(string Name, string Value)
{
    /// <summary>Octets in a block, 8 to 65464 (RFC 2348).</summary>
    public const string BlockSize = "blksize";

    /// <summary>Seconds until a retransmission, 1 to 255 (RFC 2349).</summary>
    public const string Timeout = "timeout";

    /// <summary>Octets in the file; 0 in a read request asks for it (RFC 2349).</summary>
    public const string TransferSize = "tsize";

    /// <summary>Blocks sent before an ACK is awaited, 1 to 65535 (RFC 7440).</summary>
    public const string WindowSize = "windowsize";

    public const int MinBlockSize = 8;
    public const int MaxBlockSize = 65464;

    /// <summary>The block size of a transfer without the option (RFC 1350 §2).</summary>
    public const int DefaultBlockSize = 512;

    /// <summary>Pairs that a packet may carry; RFC 2347 names no number, 512 octets would hold 127.</summary>
    public const int Limit = 32;

    public TftpOption(string name, long value)
        : this(name, value.ToString(CultureInfo.InvariantCulture))
    {
    }

    public bool Is(string name) => Name.Equals(name, StringComparison.OrdinalIgnoreCase);

    /// <summary>Decimal digits only, as the RFCs have it; neither sign nor space.</summary>
    public bool TryGetNumber(out long value) =>
        long.TryParse(Value, NumberStyles.None, CultureInfo.InvariantCulture, out value);

    /// <summary>Finds an option; null if the packet lacks it.</summary>
    public static TftpOption? Find(IReadOnlyList<TftpOption> options, string name)
    {
        foreach (var option in options)
            if (option.Is(name)) return option;
        return null;
    }

    internal static bool TryReadAll(
        ReadOnlySpan<byte> packet, int offset, out IReadOnlyList<TftpOption> options, out WireError error)
    {
        options = [];
        error = default;
        List<TftpOption>? found = null;
        while (offset < packet.Length)
        {
            // Trailing NULs are padding: ROMs that send a fixed-size buffer leave them there.
            if (!packet[offset..].ContainsAnyExcept((byte)0)) break;
            var start = offset;
            if (!TryReadText(packet, ref offset, out var name, out error)) return false;
            if (!TryReadText(packet, ref offset, out var value, out error)) return false;
            if (name.Length == 0)
            {
                error = new WireError("an option has no name", start);
                return false;
            }
            found ??= [];
            if (found.Count == Limit)
            {
                error = new WireError($"more than {Limit} options", start);
                return false;
            }
            // RFC 2347 §2: an option may be given only once.
            if (Find(found, name) is not null)
            {
                error = new WireError("an option is given twice", start);
                return false;
            }
            found.Add(new TftpOption(name, value));
        }
        if (found is not null) options = found;
        return true;
    }

    internal static bool TryReadText(ReadOnlySpan<byte> packet, ref int offset, out string text, out WireError error)
    {
        text = "";
        error = default;
        var rest = packet[offset..];
        var end = rest.IndexOf((byte)0);
        if (end < 0)
        {
            error = new WireError("a text is not ended by a NUL", offset);
            return false;
        }
        if (!System.Text.Unicode.Utf8.IsValid(rest[..end]))
        {
            error = new WireError("a text is not UTF-8", offset);
            return false;
        }
        text = Encoding.UTF8.GetString(rest[..end]);
        offset += end + 1;
        return true;
    }

    internal static int WriteAll(IReadOnlyList<TftpOption> options, Span<byte> packet)
    {
        var offset = 0;
        foreach (var option in options)
        {
            offset += WriteText(option.Name, packet[offset..]);
            offset += WriteText(option.Value, packet[offset..]);
        }
        return offset;
    }

    internal static int WriteText(string text, Span<byte> packet)
    {
        var length = Encoding.UTF8.GetBytes(text, packet);
        packet[length] = 0;
        return length + 1;
    }
}
