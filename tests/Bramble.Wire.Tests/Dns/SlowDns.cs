using System.Text;
using Bramble.Wire.Dns;

namespace Bramble.Wire.Tests.Dns;

/// <summary>
/// A second decoder, written from the RFCs without a look at the first: slow, recursive, with exceptions and text. Both
/// must accept the same packets and read the same out of them.
/// </summary>
internal static class SlowDns
{
    /// <summary>The message as text; null if it is malformed.</summary>
    public static string? Read(byte[] packet)
    {
        try
        {
            return new Reading(packet).Message();
        }
        catch (FormatException)
        {
            return null;
        }
        catch (IndexOutOfRangeException)
        {
            return null;
        }
    }

    /// <summary>What the codec under test has read, in the same form.</summary>
    public static string Show(DnsMessage message)
    {
        var text = new StringBuilder();
        text.Append($"id {message.Header.Id} bits {message.Header.Bits} code {(int)message.Code}\n");
        foreach (var q in message.Questions) text.Append($"? {Hex(q.Name)} {(int)q.Type} {(int)q.Class}\n");
        foreach (var (mark, records) in new[]
        {
            ("a", message.Answers), ("n", message.Authorities), ("x", message.Additionals),
        })
        {
            foreach (var r in records)
                text.Append($"{mark} {Hex(r.Name)} {(int)r.Type} {(int)r.Class} {r.Ttl} "
                    + $"{Convert.ToHexString(r.Data.Span)}\n");
        }
        if (message.Edns is { } e)
            text.Append($"edns {e.UdpSize} {e.Version} {e.DnssecOk} {Convert.ToHexString(e.Options.Span)}\n");
        return text.ToString();
    }

    private static string Hex(DnsName name) => Convert.ToHexString(name.Octets);

    private sealed class Reading(byte[] octets)
    {
        private readonly List<string> _lines = [];
        private string _edns = "";
        private int _extended;
        private int _at = 12;

        public string Message()
        {
            if (octets.Length is < 12 or > 65535) throw new FormatException();
            for (var i = 0; i < Two(4); i++)
            {
                var name = Name(ref _at, octets.Length);
                Need(_at + 4 <= octets.Length);
                _lines.Add($"? {name} {Two(_at)} {Two(_at + 2)}");
                _at += 4;
            }
            foreach (var (mark, where) in new[] { ("a", 6), ("n", 8), ("x", 10) })
                for (var i = 0; i < Two(where); i++) Record(mark);
            Need(_at == octets.Length);
            _lines.Insert(0, $"id {Two(0)} bits {Two(2)} code {_extended * 16 + octets[3] % 16}");
            if (_edns.Length > 0) _lines.Add(_edns);
            return string.Join('\n', _lines) + "\n";
        }

        private void Record(string mark)
        {
            var name = Name(ref _at, octets.Length);
            Need(_at + 10 <= octets.Length);
            var (type, @class, length) = (Two(_at), Two(_at + 2), Two(_at + 8));
            long ttl = Two(_at + 4) * 65536L + Two(_at + 6);
            _at += 10;
            Need(_at + length <= octets.Length);
            var end = _at + length;
            if (type == 41)
            {
                Need(mark == "x" && _edns.Length == 0 && name == "00");
                for (var at = _at; at < end;)
                {
                    Need(at + 4 <= end);
                    at += 4 + Two(at + 2);
                    Need(at <= end);
                }
                _extended = (int)(ttl >> 24);
                _edns = $"edns {@class} {ttl >> 16 & 255} {(ttl & 32768) != 0} "
                    + Convert.ToHexString(octets[_at..end]);
                _at = end;
                return;
            }
            var data = Data(type, @class, end);
            Need(_at == end && data.Length <= 2 * 65535);
            _lines.Add($"{mark} {name} {type} {@class} {(ttl >= 2147483648 ? 0 : ttl)} {data}");
        }

        private string Data(int type, int @class, int end)
        {
            switch (type)
            {
                case 2 or 3 or 4 or 5 or 7 or 8 or 9 or 12 or 39:
                    return Name(ref _at, end);
                case 6:
                    return Name(ref _at, end) + Name(ref _at, end) + Raw(20, end);
                case 14 or 17:
                    return Name(ref _at, end) + Name(ref _at, end);
                case 15 or 18 or 21 or 36:
                    return Raw(2, end) + Name(ref _at, end);
                case 26:
                    return Raw(2, end) + Name(ref _at, end) + Name(ref _at, end);
                case 33 when @class == 1:
                    return Raw(6, end) + Name(ref _at, end);
                case 30:
                    return Name(ref _at, end) + Raw(end - _at, end);
                case 24 or 46:
                    return Raw(18, end) + Name(ref _at, end) + Raw(end - _at, end);
                case 35:
                    return Raw(4, end) + Text(end) + Text(end) + Text(end) + Name(ref _at, end);
                case 13:
                    return Text(end) + Text(end);
                case 16:
                    var texts = Text(end);
                    while (_at < end) texts += Text(end);
                    return texts;
                case 1 when @class == 1:
                    return Raw(4, end);
                case 28 when @class == 1:
                    return Raw(16, end);
                default:
                    return Raw(end - _at, end);
            }
        }

        private string Raw(int count, int end)
        {
            Need(count >= 0 && _at + count <= end);
            _at += count;
            return Convert.ToHexString(octets[(_at - count).._at]);
        }

        private string Text(int end)
        {
            Need(_at < end);
            return Raw(1 + octets[_at], end);
        }

        private string Name(ref int at, int end)
        {
            var labels = Labels(ref at, end, at, 0);
            Need(labels.Sum(l => l.Length + 1) + 1 <= 255);
            return string.Concat(labels.Select(l => $"{l.Length:X2}{Convert.ToHexString(l)}")) + "00";
        }

        /// <param name="before">Where this part of the name began: a pointer must go before it.</param>
        private List<byte[]> Labels(ref int at, int end, int before, int jumps)
        {
            Need(at < end);
            var first = octets[at];
            if (first >= 192)
            {
                Need(at + 2 <= end);
                var target = (first - 192) * 256 + octets[at + 1];
                Need(target >= 12 && target < before && jumps < 127);
                at += 2;
                return Labels(ref target, end, target, jumps + 1);
            }
            Need(first < 64 && at + 1 + first <= end);
            var label = octets[(at + 1)..(at + 1 + first)];
            at += 1 + first;
            return first == 0 ? [] : [label, .. Labels(ref at, end, before, jumps)];
        }

        private int Two(int at) => octets[at] * 256 + octets[at + 1];

        private static void Need(bool holds)
        {
            if (!holds) throw new FormatException();
        }
    }
}
