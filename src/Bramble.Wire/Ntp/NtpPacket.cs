using System.Buffers.Binary;

namespace Bramble.Wire.Ntp;

/// <summary>Whether the last minute of the day has a leap second, or the clock is not set at all.</summary>
public enum NtpLeap : byte
{
    None = 0,
    LastMinuteHas61Seconds = 1,
    LastMinuteHas59Seconds = 2,

    /// <summary>Unsynchronized: clients are to ignore the time.</summary>
    Alarm = 3,
}

/// <summary>The part that the sender plays (RFC 5905 §7.3).</summary>
public enum NtpMode : byte
{
    Reserved = 0,
    SymmetricActive = 1,
    SymmetricPassive = 2,
    Client = 3,
    Server = 4,
    Broadcast = 5,
    Control = 6,
    Private = 7,
}

/// <summary>
/// An NTP or SNTP packet (RFC 5905 §7.3, RFC 4330 §4). Extension fields and authenticators after the 48 octets are
/// not read.
/// <code>
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +---+-----+-----+---------------+---------------+---------------+
/// |LI | VN  |Mode |    Stratum    |     Poll      |   Precision   |
/// +---+-----+-----+---------------+---------------+---------------+
/// |                 Root delay (16.16 seconds)                    |  4
/// |               Root dispersion (16.16 seconds)                 |  8
/// |                    Reference identifier                       | 12
/// |                 Reference timestamp (64)                      | 16
/// |                  Origin timestamp (64)                        | 24
/// |                  Receive timestamp (64)                       | 32
/// |                  Transmit timestamp (64)                      | 40
/// +---------------------------------------------------------------+
/// </code>
/// </summary>
public readonly record struct NtpPacket
{
    /// <summary>Octets without extensions.</summary>
    public const int Size = 48;

    /// <summary>The port of servers.</summary>
    public const int Port = 123;

    public NtpLeap Leap { get; init; }

    /// <summary>0 to 7; the current one is 4.</summary>
    public byte Version { get; init; }

    public NtpMode Mode { get; init; }

    /// <summary>1 is a primary server; 0 a "kiss of death" whose reason is the reference identifier.</summary>
    public byte Stratum { get; init; }

    /// <summary>Log2 of seconds.</summary>
    public sbyte Poll { get; init; }

    /// <summary>Log2 of seconds.</summary>
    public sbyte Precision { get; init; }

    /// <summary>In units of 1/65536 s.</summary>
    public uint RootDelay { get; init; }

    /// <summary>In units of 1/65536 s.</summary>
    public uint RootDispersion { get; init; }

    /// <summary>Four ASCII letters at stratum 0 and 1, else the address of the server's own source.</summary>
    public uint ReferenceId { get; init; }

    public NtpTimestamp ReferenceTime { get; init; }

    /// <summary>In a reply, the transmit time of the request: the client matches the two by it.</summary>
    public NtpTimestamp OriginTime { get; init; }

    public NtpTimestamp ReceiveTime { get; init; }

    public NtpTimestamp TransmitTime { get; init; }

    public static bool TryRead(ReadOnlySpan<byte> packet, out NtpPacket result, out WireError error)
    {
        result = default;
        error = default;
        if (packet.Length < Size)
        {
            error = new WireError($"an NTP packet has at least {Size} octets", packet.Length);
            return false;
        }
        result = new NtpPacket
        {
            Leap = (NtpLeap)(packet[0] >> 6),
            Version = (byte)(packet[0] >> 3 & 7),
            Mode = (NtpMode)(packet[0] & 7),
            Stratum = packet[1],
            Poll = (sbyte)packet[2],
            Precision = (sbyte)packet[3],
            RootDelay = BinaryPrimitives.ReadUInt32BigEndian(packet[4..]),
            RootDispersion = BinaryPrimitives.ReadUInt32BigEndian(packet[8..]),
            ReferenceId = BinaryPrimitives.ReadUInt32BigEndian(packet[12..]),
            ReferenceTime = new NtpTimestamp(BinaryPrimitives.ReadUInt64BigEndian(packet[16..])),
            OriginTime = new NtpTimestamp(BinaryPrimitives.ReadUInt64BigEndian(packet[24..])),
            ReceiveTime = new NtpTimestamp(BinaryPrimitives.ReadUInt64BigEndian(packet[32..])),
            TransmitTime = new NtpTimestamp(BinaryPrimitives.ReadUInt64BigEndian(packet[40..])),
        };
        return true;
    }

    public int Write(Span<byte> packet)
    {
        packet[0] = (byte)((byte)Leap << 6 | (Version & 7) << 3 | (byte)Mode);
        packet[1] = Stratum;
        packet[2] = (byte)Poll;
        packet[3] = (byte)Precision;
        BinaryPrimitives.WriteUInt32BigEndian(packet[4..], RootDelay);
        BinaryPrimitives.WriteUInt32BigEndian(packet[8..], RootDispersion);
        BinaryPrimitives.WriteUInt32BigEndian(packet[12..], ReferenceId);
        BinaryPrimitives.WriteUInt64BigEndian(packet[16..], ReferenceTime.Bits);
        BinaryPrimitives.WriteUInt64BigEndian(packet[24..], OriginTime.Bits);
        BinaryPrimitives.WriteUInt64BigEndian(packet[32..], ReceiveTime.Bits);
        BinaryPrimitives.WriteUInt64BigEndian(packet[40..], TransmitTime.Bits);
        return Size;
    }

    /// <summary>A duration in the units of root delay and dispersion, cut to what fits.</summary>
    public static uint ToShort(TimeSpan duration) =>
        (uint)Math.Clamp(Math.Round(duration.TotalSeconds * 65536), 0, uint.MaxValue);
}
