namespace Bramble.Wire.Dns;

/// <summary>The OPT record (RFC 6891 §6.1), which is no data but a larger header.</summary>
/// <param name="UdpSize">Octets of UDP payload that the sender can take.</param>
/// <param name="Version">0 is the only one there is.</param>
/// <param name="DnssecOk">It wants DNSSEC's records with the answer (RFC 3225).</param>
/// <param name="Options">Pairs of code and data, as on the wire; the reader has checked that they add up.</param>
public sealed record DnsEdns(ushort UdpSize, byte Version, bool DnssecOk, ReadOnlyMemory<byte> Options)
{
    private const uint DnssecOkBit = 0x8000;

    /// <summary>Reads the fields that stand in place of class and TTL.</summary>
    internal static bool TryRead(
        DnsName name, ushort udpSize, uint fields, byte[] options, int at, out DnsEdns edns, out WireError error)
    {
        edns = new DnsEdns(udpSize, (byte)(fields >> 16), (fields & DnssecOkBit) != 0, options);
        error = default;
        if (!name.IsRoot)
        {
            error = new WireError("an OPT record must have the root's name", at);
            return false;
        }
        var rest = options.AsSpan();
        while (rest.Length > 0)
        {
            var length = rest.Length < 4 ? int.MaxValue : rest[2] << 8 | rest[3];
            if (length > rest.Length - 4)
            {
                error = new WireError("an EDNS option goes beyond its record", at);
                return false;
            }
            rest = rest[(4 + length)..];
        }
        return true;
    }

    /// <summary>What stands in place of the TTL, with the upper bits of the response code.</summary>
    internal uint Fields(DnsResponseCode code) =>
        (uint)((int)code >> 4) << 24 | (uint)Version << 16 | (DnssecOk ? DnssecOkBit : 0);

    public bool Equals(DnsEdns? other) => other is not null && UdpSize == other.UdpSize && Version == other.Version
        && DnssecOk == other.DnssecOk && Options.Span.SequenceEqual(other.Options.Span);

    public override int GetHashCode() => HashCode.Combine(UdpSize, Version, DnssecOk, Options.Length);
}
