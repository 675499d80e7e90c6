namespace Bramble.Wire.Pcap;

/// <summary>Lays a capture file out; the caller brings the octets to where they belong.</summary>
public static class PcapWriter
{
    /// <summary>Octets that a frame of this length takes in the file.</summary>
    public static int SizeOf(in PcapHeader header, int frameLength) => PcapRecord.Size + Kept(header, frameLength);

    /// <summary>
    /// Writes a frame with its head, cut at the header's snap length. Returns the octets written, or 0 if the buffer
    /// is shorter than <see cref="SizeOf"/>.
    /// </summary>
    public static int WriteFrame(
        Span<byte> octets, in PcapHeader header, DateTimeOffset at, ReadOnlySpan<byte> frame)
    {
        var kept = Kept(header, frame.Length);
        if (octets.Length < PcapRecord.Size + kept) return 0;
        var size = new PcapRecord(at, kept, (uint)frame.Length).Write(octets, header);
        frame[..kept].CopyTo(octets[size..]);
        return size + kept;
    }

    private static int Kept(in PcapHeader header, int length) =>
        header.SnapLength > 0 && header.SnapLength < length ? (int)header.SnapLength : length;
}
