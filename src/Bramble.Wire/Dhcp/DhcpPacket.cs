using System.Buffers.Binary;
using System.Text;

namespace Bramble.Wire.Dhcp;

/// <summary>
/// A DHCPv4 message (RFC 2131 §2):
/// <code>
///   0 op    1 htype  2 hlen   3 hops
///   4 xid
///   8 secs           10 flags (0x8000: answer by broadcast)
///  12 ciaddr  16 yiaddr  20 siaddr  24 giaddr
///  28 chaddr (16)
///  44 sname (64)     108 file (128)
/// 236 63 82 53 63    240 options
/// </code>
/// What is read is written back the same, but for pads, the layout of parts and what follows the End option.
/// </summary>
public sealed class DhcpPacket
{
    /// <summary>Octets before the first option.</summary>
    public const int HeaderSize = DhcpOptionsReader.OptionsOffset;

    /// <summary>A BOOTP packet has 300 octets (RFC 951 §3); relays and old firmware drop shorter ones.</summary>
    public const int MinimumSize = 300;

    /// <summary>What every client takes (RFC 2131 §2: 576 with IP and UDP headers), as UDP payload.</summary>
    public const int DefaultMaximumSize = 576 - 28;

    /// <summary>The largest that we send: one Ethernet frame, as UDP payload.</summary>
    public const int LargestSize = 1500 - 28;

    public const ushort BroadcastFlag = 0x8000;

    private const uint MagicCookie = 0x63825363;

    public DhcpOperation Operation { get; set; } = DhcpOperation.Request;

    /// <summary><c>htype</c>: 1 is Ethernet.</summary>
    public byte HardwareType { get; set; } = 1;

    /// <summary><c>hlen</c>, at most 16.</summary>
    public byte HardwareLength { get; set; } = MacAddress.Size;

    public byte Hops { get; set; }

    /// <summary><c>xid</c>. The 3B and 3B+ always say 0x26f30339: it identifies nobody.</summary>
    public uint TransactionId { get; set; }

    public ushort Seconds { get; set; }

    public ushort Flags { get; set; }

    /// <summary><c>ciaddr</c>: the address that the client already uses.</summary>
    public IPv4Address ClientAddress { get; set; }

    /// <summary><c>yiaddr</c>: the address that the client gets.</summary>
    public IPv4Address YourAddress { get; set; }

    /// <summary><c>siaddr</c>: the next server of the boot.</summary>
    public IPv4Address NextServer { get; set; }

    /// <summary><c>giaddr</c>: the relay.</summary>
    public IPv4Address RelayAddress { get; set; }

    /// <summary><c>chaddr</c>, all 16 octets, first octet highest.</summary>
    public UInt128 HardwareBits { get; set; }

    /// <summary><c>sname</c> without the zeros that fill it up; empty if it holds options.</summary>
    public ReadOnlyMemory<byte> ServerName { get; set; }

    /// <summary><c>file</c> without the zeros that fill it up; empty if it holds options.</summary>
    public ReadOnlyMemory<byte> File { get; set; }

    public DhcpOptions Options { get; init; } = new();

    /// <summary>
    /// Whether <c>file</c> and <c>sname</c> may be lent to options (RFC 2132 §9.3): not towards BOOTP clients, which do
    /// not know that.
    /// </summary>
    public bool MayOverload { get; set; } = true;

    /// <summary>The Ethernet address in <c>chaddr</c>.</summary>
    public MacAddress Mac
    {
        get => new((ulong)(HardwareBits >> 80));
        set => HardwareBits = (UInt128)value.Bits << 80;
    }

    public bool IsEthernet => HardwareType == 1 && HardwareLength == MacAddress.Size;

    public bool WantsBroadcast => (Flags & BroadcastFlag) != 0;

    public DhcpMessageType MessageType =>
        Options.TryGetByte(DhcpOption.MessageType, out var type) ? (DhcpMessageType)type : DhcpMessageType.None;

    /// <summary>The boot file: from <c>file</c>, else from option 67.</summary>
    public string BootFile =>
        !File.IsEmpty ? Encoding.Latin1.GetString(File.Span)
            : Options.TryGetText(DhcpOption.BootFileName, out var name) ? name : "";

    /// <summary>How large an answer this client takes, as UDP payload (option 57, RFC 2132 §9.10).</summary>
    public int MaximumReplySize =>
        Options.TryGetUInt16(DhcpOption.MaximumMessageSize, out var size) && size > 576
            ? Math.Min(size - 28, LargestSize)
            : DefaultMaximumSize;

    public static bool TryRead(ReadOnlySpan<byte> octets, out DhcpPacket packet, out WireError error)
    {
        packet = null!;
        if (octets.Length < HeaderSize)
        {
            error = new WireError("shorter than a DHCP header", octets.Length);
            return false;
        }
        if (octets[0] is not (1 or 2))
        {
            error = new WireError("op is neither request nor reply", 0);
            return false;
        }
        if (octets[2] > 16)
        {
            error = new WireError("hlen is over 16", 2);
            return false;
        }
        var cookie = BinaryPrimitives.ReadUInt32BigEndian(octets[236..]);
        // A BOOTP client without vendor information has zeros there (RFC 951 §3, RFC 1497).
        if (cookie == 0 && !octets[236..].ContainsAnyExcept((byte)0) && octets.Length >= MinimumSize)
        {
            error = default;
            packet = ReadHeader(octets, new DhcpOptions(), 0);
            return true;
        }
        if (cookie != MagicCookie)
        {
            error = new WireError("no DHCP magic cookie", 236);
            return false;
        }
        if (!DhcpOptionsReader.TryRead(octets, out var options, out var overload, out error)) return false;
        packet = ReadHeader(octets, options, overload);
        return true;
    }

    /// <summary>
    /// Writes the packet, never longer than the buffer. Returns its length, at least <see cref="MinimumSize"/>, or 0 if
    /// the buffer is too small for the options even with <c>file</c> and <c>sname</c> lent to them.
    /// </summary>
    /// <exception cref="ArgumentException"><c>sname</c> or <c>file</c> are longer than their fields.</exception>
    public int Write(Span<byte> buffer)
    {
        if (ServerName.Length > 64) throw new ArgumentException("sname has at most 64 octets");
        if (File.Length > 128) throw new ArgumentException("file has at most 128 octets");
        if (buffer.Length < MinimumSize) return 0;
        buffer[..MinimumSize].Clear();
        buffer[0] = (byte)Operation;
        buffer[1] = HardwareType;
        buffer[2] = HardwareLength;
        buffer[3] = Hops;
        BinaryPrimitives.WriteUInt32BigEndian(buffer[4..], TransactionId);
        BinaryPrimitives.WriteUInt16BigEndian(buffer[8..], Seconds);
        BinaryPrimitives.WriteUInt16BigEndian(buffer[10..], Flags);
        ClientAddress.Write(buffer[12..]);
        YourAddress.Write(buffer[16..]);
        NextServer.Write(buffer[20..]);
        RelayAddress.Write(buffer[24..]);
        BinaryPrimitives.WriteUInt128BigEndian(buffer[28..], HardwareBits);
        ServerName.Span.CopyTo(buffer[44..]);
        File.Span.CopyTo(buffer[108..]);
        BinaryPrimitives.WriteUInt32BigEndian(buffer[236..], MagicCookie);

        var lendable = (File.IsEmpty ? 1 : 0) | (ServerName.IsEmpty ? 2 : 0);
        var end = DhcpOptionsWriter.Write(buffer, Options, MayOverload ? lendable : 0);
        if (end == 0) return 0;
        var size = Math.Max(end, MinimumSize);
        // What a try that did not fit left behind must not follow the End option.
        buffer[end..size].Clear();
        return size;
    }

    /// <summary>The packet as a new array of its exact length, at most <paramref name="maximum"/> octets.</summary>
    /// <exception cref="InvalidOperationException">It does not fit.</exception>
    public byte[] ToArray(int maximum = LargestSize)
    {
        var buffer = new byte[maximum];
        var size = Write(buffer);
        return size > 0 ? buffer[..size]
            : throw new InvalidOperationException($"the options do not fit in {maximum} octets");
    }

    private static DhcpPacket ReadHeader(ReadOnlySpan<byte> octets, DhcpOptions options, int overload) => new()
    {
        Operation = (DhcpOperation)octets[0],
        HardwareType = octets[1],
        HardwareLength = octets[2],
        Hops = octets[3],
        TransactionId = BinaryPrimitives.ReadUInt32BigEndian(octets[4..]),
        Seconds = BinaryPrimitives.ReadUInt16BigEndian(octets[8..]),
        Flags = BinaryPrimitives.ReadUInt16BigEndian(octets[10..]),
        ClientAddress = IPv4Address.Read(octets[12..]),
        YourAddress = IPv4Address.Read(octets[16..]),
        NextServer = IPv4Address.Read(octets[20..]),
        RelayAddress = IPv4Address.Read(octets[24..]),
        HardwareBits = BinaryPrimitives.ReadUInt128BigEndian(octets[28..]),
        ServerName = (overload & 2) != 0 ? default : Trimmed(octets.Slice(44, 64)),
        File = (overload & 1) != 0 ? default : Trimmed(octets.Slice(108, 128)),
        Options = options,
    };

    private static ReadOnlyMemory<byte> Trimmed(ReadOnlySpan<byte> field) => field.TrimEnd((byte)0).ToArray();
}
