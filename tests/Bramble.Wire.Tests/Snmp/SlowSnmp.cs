using System.Numerics;

namespace Bramble.Wire.Tests.Snmp;

/// <summary>
/// Reads a message of version 1 or 2c a second time, from RFC 1157, 3416 and X.690 alone: on lists and big numbers,
/// with no code of ours. The content as text, or null if it is no such message.
/// </summary>
internal static class SlowSnmp
{
    private sealed class Refused : Exception;

    public static string? Read(byte[] octets)
    {
        try
        {
            var rest = octets.ToList();
            var message = Element(rest, 0x30);
            End(rest);
            var version = Number(Element(message, 2), 0, 1);
            var community = Convert.ToHexString([.. Element(message, 4)]);
            if (message.Count == 0) throw new Refused();
            var type = message[0];
            if (type is < 0xa0 or > 0xa8 or 0xa4) throw new Refused();
            var pdu = Element(message, type);
            End(message);
            string[] head =
                [.. Enumerable.Range(0, 3).Select(_ => Number(Element(pdu, 2), int.MinValue, int.MaxValue))];
            var list = Element(pdu, 0x30);
            End(pdu);
            var variables = new List<string>();
            while (list.Count > 0)
            {
                var variable = Element(list, 0x30);
                var name = Identifier(Element(variable, 6));
                if (variable.Count == 0) throw new Refused();
                var tag = variable[0];
                variables.Add($"{name}={tag:x2}:{Value(tag, Element(variable, tag))}");
                End(variable);
            }
            return $"{version} {community} {type & 0x1f} {string.Join(' ', head)} {string.Join(' ', variables)}";
        }
        catch (Refused)
        {
            return null;
        }
    }

    /// <summary>Takes one element off the front; its content.</summary>
    private static List<byte> Element(List<byte> from, byte wanted)
    {
        if (from.Count < 2 || from[0] != wanted || (wanted & 0x1f) == 0x1f) throw new Refused();
        BigInteger length = from[1];
        var at = 2;
        // X.690 §8.1.3.5: the count of length octets; none is the indefinite form, 127 is reserved.
        if (from[1] >= 0x80)
        {
            var count = from[1] - 0x80;
            if (count is 0 or 127 || from.Count < at + count) throw new Refused();
            length = from.GetRange(at, count).Aggregate(BigInteger.Zero, (sum, octet) => sum * 256 + octet);
            at += count;
        }
        if (length > from.Count - at) throw new Refused();
        var content = from.GetRange(at, (int)length);
        from.RemoveRange(0, at + content.Count);
        return content;
    }

    private static void End(List<byte> rest)
    {
        if (rest.Count > 0) throw new Refused();
    }

    private static string Number(List<byte> content, long least, long most)
    {
        if (content.Count == 0) throw new Refused();
        var value = new BigInteger([.. content], isBigEndian: true);
        return value >= least && value <= most ? $"{value}" : throw new Refused();
    }

    private static string Unsigned(List<byte> content, ulong most)
    {
        if (content.Count == 0) throw new Refused();
        var value = new BigInteger([.. content], isUnsigned: true, isBigEndian: true);
        return value <= most ? $"{value}" : throw new Refused();
    }

    private static string Identifier(List<byte> content)
    {
        var numbers = new List<BigInteger>();
        var (sum, open) = (BigInteger.Zero, true);
        foreach (var octet in content)
        {
            sum = sum * 128 + octet % 128;
            open = octet >= 128;
            if (open) continue;
            numbers.Add(sum);
            sum = 0;
        }
        if (open) throw new Refused();
        var first = BigInteger.Min(numbers[0] / 40, 2);
        var arcs = numbers.Skip(1).Prepend(numbers[0] - first * 40).Prepend(first).ToList();
        // RFC 2578 §3.5: at most 128, each of 32 bits.
        return arcs.Count <= 128 && arcs.TrueForAll(arc => arc <= uint.MaxValue)
            ? string.Join('.', arcs) : throw new Refused();
    }

    private static string Value(byte tag, List<byte> content) => tag switch
    {
        0x02 => Number(content, int.MinValue, int.MaxValue),
        0x41 or 0x42 or 0x43 => Unsigned(content, uint.MaxValue),
        0x46 => Unsigned(content, ulong.MaxValue),
        0x04 or 0x44 => Convert.ToHexString([.. content]),
        0x40 when content.Count == 4 => Convert.ToHexString([.. content]),
        0x06 => Identifier(content),
        0x05 or 0x80 or 0x81 or 0x82 when content.Count == 0 => "",
        _ => throw new Refused(),
    };
}
