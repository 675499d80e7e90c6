using System.Diagnostics.CodeAnalysis;

namespace Bramble.Wire.Pcap;

/// <summary>
/// The head of one frame in a classic capture file; the frame follows it:
/// <code>
///  0 seconds since 1970   4 µs or ns   8 octets in the file   12 octets that the frame had
/// </code>
/// </summary>
/// <param name="At">When the frame was seen; .NET's clock counts in 100 ns.</param>
/// <param name="Captured">Octets in the file.</param>
/// <param name="Original">Octets that the frame had on the wire; more than captured if it was cut.</param>
[SuppressMessage("Naming", "CA1720", Justification = "as the format calls it")]
public readonly record struct PcapRecord(DateTimeOffset At, int Captured, uint Original)
{
    /// <summary>Octets.</summary>
    public const int Size = 16;

    /// <summary>No frame is longer: what says so is damaged.</summary>
    private const uint LargestFrame = 1 << 20;

    private const int NanosecondsOfTick = 100;

    public static bool TryRead(
        ReadOnlySpan<byte> octets, in PcapHeader header, out PcapRecord record, out WireError error)
    {
        record = default;
        error = default;
        if (octets.Length < Size)
        {
            error = new WireError("the file ends within the head of a frame", octets.Length);
            return false;
        }
        var seconds = PcapHeader.Read32(octets, header.IsBigEndian);
        var fraction = PcapHeader.Read32(octets[4..], header.IsBigEndian);
        var captured = PcapHeader.Read32(octets[8..], header.IsBigEndian);
        var original = PcapHeader.Read32(octets[12..], header.IsBigEndian);
        if (fraction >= (header.IsNanoseconds ? 1_000_000_000u : 1_000_000u))
        {
            error = new WireError("a frame's time has more than a second of fraction", 4);
            return false;
        }
        if (captured > LargestFrame)
        {
            error = new WireError($"a frame says that it has {captured} octets", 8);
            return false;
        }
        var ticks = header.IsNanoseconds ? fraction / NanosecondsOfTick : fraction * (long)TimeSpan.TicksPerMicrosecond;
        record = new PcapRecord(
            DateTimeOffset.UnixEpoch.AddTicks(seconds * TimeSpan.TicksPerSecond + ticks), (int)captured, original);
        return true;
    }

    /// <summary>Writes the head; the frame's captured octets go behind it. Returns <see cref="Size"/>.</summary>
    public int Write(Span<byte> octets, in PcapHeader header)
    {
        var ticks = Math.Max(0, (At - DateTimeOffset.UnixEpoch).Ticks);
        var fraction = ticks % TimeSpan.TicksPerSecond;
        PcapHeader.Write32(octets, (uint)(ticks / TimeSpan.TicksPerSecond), header.IsBigEndian);
        PcapHeader.Write32(octets[4..], (uint)(header.IsNanoseconds
            ? fraction * NanosecondsOfTick : fraction / TimeSpan.TicksPerMicrosecond), header.IsBigEndian);
        PcapHeader.Write32(octets[8..], (uint)Captured, header.IsBigEndian);
        PcapHeader.Write32(octets[12..], Original, header.IsBigEndian);
        return Size;
    }
}
