using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Bramble.Wire.Dhcp;

/// <summary>
/// Option 119 (RFC 3397): domain names one after the other, each a row of labels with their lengths and a zero, or
/// ending in a pointer (two octets, <c>c0</c> and up) to an end that was already written (RFC 1035 §4.1.4).
/// </summary>
public static class DomainList
{
    private const int LongestName = 253;
    private const int LongestLabel = 63;
    private const int PointerMark = 0xc0;
    private const int PointerLimit = 1 << 14;

    /// <summary>Encodes names, whatever they share written once.</summary>
    public static bool TryEncode(
        IReadOnlyList<string> names, List<byte> octets, [NotNullWhen(false)] out string? complaint)
    {
        complaint = null;
        var written = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
        foreach (var name in names)
        {
            var rest = name.Trim().TrimEnd('.');
            if (!IsName(rest))
            {
                complaint = $"'{name}' is not {DhcpOptionValue.Kind(DhcpOptionType.DomainList)}";
                return false;
            }
            while (rest.Length > 0 && !written.ContainsKey(rest))
            {
                if (octets.Count < PointerLimit) written[rest] = octets.Count;
                var dot = rest.IndexOf('.', StringComparison.Ordinal);
                var label = dot < 0 ? rest : rest[..dot];
                octets.Add((byte)label.Length);
                octets.AddRange(Encoding.ASCII.GetBytes(label));
                rest = dot < 0 ? "" : rest[(dot + 1)..];
            }
            if (rest.Length == 0)
            {
                octets.Add(0);
                continue;
            }
            octets.Add((byte)(PointerMark | written[rest] >> 8));
            octets.Add((byte)written[rest]);
        }
        return true;
    }

    public static bool TryRead(ReadOnlySpan<byte> octets, out IReadOnlyList<string> names, out WireError error)
    {
        var list = new List<string>();
        names = list;
        error = default;
        var at = 0;
        while (at < octets.Length)
        {
            if (!TryReadName(octets, ref at, out var name, out error)) return false;
            list.Add(name);
        }
        return true;
    }

    private static bool TryReadName(ReadOnlySpan<byte> octets, ref int at, out string name, out WireError error)
    {
        var text = new StringBuilder();
        name = "";
        error = default;
        var (here, next) = (at, -1);
        while (true)
        {
            if (here >= octets.Length) return Fail("a name runs out of the option", here, out error);
            int length = octets[here];
            if (length == 0) break;
            if (length >= PointerMark)
            {
                if (here + 1 >= octets.Length) return Fail("a pointer runs out of the option", here, out error);
                var target = (length & 0x3f) << 8 | octets[here + 1];
                if (next < 0) next = here + 2;
                // Only ever backwards: so no row of pointers is endless.
                if (target >= here) return Fail("a pointer leads onwards", here, out error);
                here = target;
                continue;
            }
            if (length > LongestLabel) return Fail("a label of an unknown kind", here, out error);
            if (here + 1 + length > octets.Length) return Fail("a label runs out of the option", here, out error);
            if (text.Length > 0) text.Append('.');
            text.Append(Encoding.Latin1.GetString(octets.Slice(here + 1, length)));
            if (text.Length > LongestName) return Fail("a name is longer than 253 octets", here, out error);
            here += 1 + length;
        }
        at = next < 0 ? here + 1 : next;
        name = text.ToString();
        return true;
    }

    private static bool IsName(string name) =>
        name.Length is > 0 and <= LongestName && name.Split('.').All(label => label.Length is > 0 and <= LongestLabel
            && label.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_') && label[0] != '-' && label[^1] != '-');

    private static bool Fail(string reason, int offset, out WireError error)
    {
        error = new WireError(reason, offset);
        return false;
    }
}
