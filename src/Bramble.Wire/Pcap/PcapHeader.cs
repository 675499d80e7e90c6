using System.Buffers.Binary;

namespace Bramble.Wire.Pcap;

/// <summary>
/// The head of a classic capture file (draft-ietf-opsawg-pcap), in the byte order of the machine that wrote it:
/// <code>
///  0 magic: a1b2c3d4 µs, a1b23c4d ns     4 major 2   6 minor 4
///  8 reserved (8)   16 snap length       20 link type (low 16 bits)
/// </code>
/// </summary>
/// <param name="IsBigEndian">The byte order of the file.</param>
/// <param name="IsNanoseconds">Whether times have nanoseconds; else microseconds.</param>
/// <param name="SnapLength">The most octets of a frame that the file holds; 0 is without a limit.</param>
/// <param name="LinkType">1 is Ethernet.</param>
public readonly record struct PcapHeader(bool IsBigEndian, bool IsNanoseconds, uint SnapLength, ushort LinkType)
{
    /// <summary>Octets.</summary>
    public const int Size = 24;

    public const ushort LinkTypeEthernet = 1;

    /// <summary>A whole frame of any kind that we meet, tcpdump's default.</summary>
    public const uint DefaultSnapLength = 262144;

    private const uint MagicMicroseconds = 0xa1b2c3d4;
    private const uint MagicNanoseconds = 0xa1b23c4d;
    private const uint MagicNextGeneration = 0x0a0d0d0a;

    /// <summary>Ethernet with nanoseconds, little-endian.</summary>
    public static PcapHeader Ethernet { get; } = new(false, true, DefaultSnapLength, LinkTypeEthernet);

    public static bool TryRead(ReadOnlySpan<byte> octets, out PcapHeader header, out WireError error)
    {
        header = default;
        error = default;
        if (octets.Length < Size)
        {
            error = new WireError("shorter than the head of a capture file", octets.Length);
            return false;
        }
        var big = BinaryPrimitives.ReadUInt32BigEndian(octets) is MagicMicroseconds or MagicNanoseconds;
        var magic = Read32(octets, big);
        if (magic is not (MagicMicroseconds or MagicNanoseconds))
        {
            error = new WireError(magic == MagicNextGeneration
                ? "a capture in the pcapng format; turn it into pcap with 'editcap -F pcap' or 'tshark -F pcap'"
                : "no capture file: it begins with no pcap magic", 0);
            return false;
        }
        var major = big ? BinaryPrimitives.ReadUInt16BigEndian(octets[4..])
            : BinaryPrimitives.ReadUInt16LittleEndian(octets[4..]);
        if (major != 2)
        {
            error = new WireError($"version {major} of the pcap format, which is not known", 4);
            return false;
        }
        header = new PcapHeader(big, magic == MagicNanoseconds, Read32(octets[16..], big),
            (ushort)Read32(octets[20..], big));
        return true;
    }

    public int Write(Span<byte> octets)
    {
        octets[..Size].Clear();
        Write32(octets, IsNanoseconds ? MagicNanoseconds : MagicMicroseconds, IsBigEndian);
        // Major 2 and minor 4, two fields of 16 bits.
        Write32(octets[4..], IsBigEndian ? 0x0002_0004u : 0x0004_0002u, IsBigEndian);
        Write32(octets[16..], SnapLength, IsBigEndian);
        Write32(octets[20..], LinkType, IsBigEndian);
        return Size;
    }

    internal static uint Read32(ReadOnlySpan<byte> octets, bool bigEndian) => bigEndian
        ? BinaryPrimitives.ReadUInt32BigEndian(octets) : BinaryPrimitives.ReadUInt32LittleEndian(octets);

    internal static void Write32(Span<byte> octets, uint value, bool bigEndian)
    {
        if (bigEndian) BinaryPrimitives.WriteUInt32BigEndian(octets, value);
        else BinaryPrimitives.WriteUInt32LittleEndian(octets, value);
    }
}
