using System.Buffers;

namespace Bramble.Wire.Dns;

/// <summary>
/// How the data of each known type is made up, as far as names are in it: these may be compressed and mean nothing
/// outside their message (RFC 3597 §4 lists the types). Data of all other types is octets.
/// </summary>
internal static class DnsDataLayout
{
    // c: a name that may be written with a pointer; n: a name that must be written whole; digits: that many octets;
    // s: a string behind its length; t: one such string or more; *: whatever is left.
    private const string Octets = "*";

    public static string Of(DnsType type, DnsClass @class) => type switch
    {
        DnsType.NS or DnsType.MD or DnsType.MF or DnsType.CNAME or DnsType.MB or DnsType.MG or DnsType.MR
            or DnsType.PTR => "c",
        DnsType.SOA => "cc44444",
        DnsType.MINFO => "cc",
        DnsType.MX => "2c",
        DnsType.HINFO => "ss",
        DnsType.TXT => "t",
        DnsType.RP => "nn",
        DnsType.AFSDB or DnsType.RT or DnsType.KX => "2n",
        DnsType.PX => "2nn",
        DnsType.DNAME => "n",
        DnsType.NXT => "n*",
        DnsType.SIG or DnsType.RRSIG => "882n*",
        DnsType.NAPTR => "4sssn",
        DnsType.A when @class == DnsClass.IN => "4",
        DnsType.AAAA when @class == DnsClass.IN => "88",
        DnsType.SRV when @class == DnsClass.IN => "222n",
        _ => Octets,
    };

    /// <summary>Reads data out of a message, with each name in it made whole.</summary>
    public static bool TryRead(
        ReadOnlySpan<byte> message, int start, int length, string layout, out byte[] data, out WireError error)
    {
        data = [];
        error = default;
        var end = start + length;
        if (layout == Octets)
        {
            data = message.Slice(start, length).ToArray();
            return true;
        }
        var whole = new ArrayBufferWriter<byte>(length + DnsName.MaxOctets);
        var at = start;
        // Nothing of the record lies behind its end; pointers go back in any case.
        var upToEnd = message[..end];
        foreach (var part in layout)
        {
            switch (part)
            {
                case 'c' or 'n':
                    if (!DnsName.TryRead(upToEnd, ref at, out var name, out error)) return false;
                    whole.Write(name.Octets);
                    continue;
                case 's':
                    if (!TryString(upToEnd, ref at, whole))
                        return Fail("a string goes beyond its record", at, out error);
                    continue;
                case 't':
                    do
                    {
                        if (!TryString(upToEnd, ref at, whole))
                            return Fail("a string goes beyond its record", at, out error);
                    }
                    while (at < end);
                    continue;
            }
            var size = part == '*' ? end - at : part - '0';
            if (size > end - at) return Fail("the data of a record is too short for its type", at, out error);
            whole.Write(message.Slice(at, size));
            at += size;
        }
        if (at != end) return Fail("the data of a record is too long for its type", at, out error);
        if (whole.WrittenCount > ushort.MaxValue)
            return Fail("the data of a record is too long without compression", at, out error);
        data = whole.WrittenSpan.ToArray();
        return true;
    }

    private static bool TryString(ReadOnlySpan<byte> message, ref int at, ArrayBufferWriter<byte> whole)
    {
        if (at >= message.Length || at + 1 + message[at] > message.Length) return false;
        var size = 1 + message[at];
        whole.Write(message.Slice(at, size));
        at += size;
        return true;
    }

    private static bool Fail(string reason, int at, out WireError error)
    {
        error = new WireError(reason, at);
        return false;
    }
}
