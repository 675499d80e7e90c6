namespace Bramble.Wire.Tests.Dhcp;

/// <summary>
/// A second decoder of DHCP, written from RFC 951, 2131, 2132 and 3396 alone and for clarity alone: one octet after the
/// other, strings and dictionaries, nothing shared with the real one. Where the two disagree, one of them is wrong.
/// </summary>
internal sealed class SlowDhcpDecoder
{
    private readonly byte[] _octets;
    private readonly List<int> _order = [];
    private readonly Dictionary<int, List<byte>> _values = [];
    private int _overload;

    private SlowDhcpDecoder(byte[] octets) => _octets = octets;

    /// <summary>All that the message says, a line each; null if it is to be refused.</summary>
    public static IReadOnlyList<string>? Decode(byte[] octets)
    {
        if (octets.Length < 240 || octets[0] < 1 || octets[0] > 2 || octets[2] > 16) return null;
        var decoder = new SlowDhcpDecoder(octets);
        var cookie = Hex(octets, 236, 4);
        // RFC 951 §3: at least 300 octets, vendor information all zero if there is none.
        var isBootpWithoutVendor = octets.Length >= 300 && octets.Skip(236).All(o => o == 0);
        if (!isBootpWithoutVendor)
        {
            if (cookie != "63825363") return null;
            if (!decoder.Field(240, octets.Length, isFirst: true)) return null;
            // RFC 2132 §9.3 and RFC 3396 §5: file is read before sname.
            if ((decoder._overload == 1 || decoder._overload == 3) && !decoder.Field(108, 236, isFirst: false))
                return null;
            if ((decoder._overload == 2 || decoder._overload == 3) && !decoder.Field(44, 108, isFirst: false))
                return null;
        }
        return decoder.Lines();
    }

    private bool Field(int from, int to, bool isFirst)
    {
        var i = from;
        while (i < to)
        {
            int code = _octets[i];
            if (code == 255) return true;
            if (code == 0)
            {
                i += 1;
                continue;
            }
            if (i + 1 == to) return false;
            int length = _octets[i + 1];
            if (i + 2 + length > to) return false;
            var value = _octets.Skip(i + 2).Take(length);
            if (code == 52)
            {
                if (isFirst)
                {
                    if (length != 1 || value.Single() is 0 or > 3) return false;
                    _overload = value.Single();
                }
            }
            else
            {
                if (!_values.TryGetValue(code, out var joined))
                {
                    _order.Add(code);
                    joined = _values[code] = [];
                }
                joined.AddRange(value);
            }
            i += 2 + length;
        }
        return true;
    }

    private List<string> Lines()
    {
        var lines = new List<string>
        {
            $"op {_octets[0]} htype {_octets[1]} hlen {_octets[2]} hops {_octets[3]}",
            $"xid {Hex(_octets, 4, 4)} secs {Hex(_octets, 8, 2)} flags {Hex(_octets, 10, 2)}",
            $"ciaddr {Hex(_octets, 12, 4)} yiaddr {Hex(_octets, 16, 4)}",
            $"siaddr {Hex(_octets, 20, 4)} giaddr {Hex(_octets, 24, 4)}",
            $"chaddr {Hex(_octets, 28, 16)}",
            $"sname {(_overload is 2 or 3 ? "" : Text(44, 64))}",
            $"file {(_overload is 1 or 3 ? "" : Text(108, 128))}",
        };
        foreach (var code in _order) lines.Add($"option {code} {Hex([.. _values[code]], 0, _values[code].Count)}");
        return lines;
    }

    /// <summary>A field up to the zeros that fill it up.</summary>
    private string Text(int from, int length)
    {
        while (length > 0 && _octets[from + length - 1] == 0) length--;
        return Hex(_octets, from, length);
    }

    private static string Hex(byte[] octets, int from, int length) =>
        string.Concat(octets.Skip(from).Take(length).Select(o => o.ToString("x2")));
}
