using System.Buffers.Binary;

namespace Bramble.Wire;

/// <summary>The checksum of IPv4, ICMP and UDP (RFC 1071): the ones' complement sum of 16-bit words.</summary>
public static class InternetChecksum
{
    /// <summary>The sum so far, not folded, for the next part. Only the last part may be of odd length.</summary>
    public static uint Sum(ReadOnlySpan<byte> octets, uint sum = 0)
    {
        while (octets.Length >= 2)
        {
            sum += BinaryPrimitives.ReadUInt16BigEndian(octets);
            octets = octets[2..];
        }
        return octets.Length == 1 ? sum + ((uint)octets[0] << 8) : sum;
    }

    /// <summary>The checksum; 0 over octets that hold their own right one.</summary>
    public static ushort Of(ReadOnlySpan<byte> octets, uint sum = 0)
    {
        sum = Sum(octets, sum);
        while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
        return (ushort)~sum;
    }
}
