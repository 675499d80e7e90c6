using System.Text;

namespace Bramble.Wire.Tests.Tftp;

/// <summary>
/// A second reading of RFC 1350 §5, 2347 and our stated limits, written to be plain and not fast: octet by octet, on
/// lists, sharing nothing with the codec. It gives what a packet says as text; null for one that is refused.
/// </summary>
internal static class SlowTftp
{
    private static readonly UTF8Encoding s_strict = new(false, throwOnInvalidBytes: true);

    public static string? Request(byte[] packet)
    {
        if (Opcode(packet) is not (1 or 2) || packet.Length > 512) return null;
        if (!TryTexts(packet, out var texts)) return null;
        if (texts.Count < 2 || texts[0].Length == 0) return null;
        return Options(texts, 2) is { } options ? $"{packet[1]} {texts[0]} {texts[1]} {options}" : null;
    }

    public static string? OptionAck(byte[] packet)
    {
        if (Opcode(packet) != 6 || packet.Length > 512) return null;
        return TryTexts(packet, out var texts) ? Options(texts, 0) : null;
    }

    public static string? Ack(byte[] packet) =>
        Opcode(packet) == 4 && packet.Length >= 4 ? $"{packet[2] * 256 + packet[3]}" : null;

    public static string? Data(byte[] packet) => Opcode(packet) == 3 && packet.Length >= 4
        ? $"{packet[2] * 256 + packet[3]} {Convert.ToHexString(packet.Skip(4).ToArray())}" : null;

    public static string? Error(byte[] packet)
    {
        if (Opcode(packet) != 5 || packet.Length < 4) return null;
        var text = new string([.. packet.Skip(4).TakeWhile(o => o != 0).Take(200)
            .Select(o => o is >= 32 and <= 126 ? (char)o : '?')]);
        return $"{packet[2] * 256 + packet[3]} {text}";
    }

    private static int Opcode(byte[] packet) =>
        packet.Length >= 2 && packet[0] == 0 && packet[1] is >= 1 and <= 6 ? packet[1] : 0;

    /// <summary>The texts after the opcode; what follows the last NUL is a fault.</summary>
    private static bool TryTexts(byte[] packet, out List<string> texts)
    {
        texts = [];
        var text = new List<byte>();
        for (var i = 2; i < packet.Length; i++)
        {
            if (packet[i] != 0)
            {
                text.Add(packet[i]);
                continue;
            }
            string decoded;
            try
            {
                decoded = s_strict.GetString([.. text]);
            }
            catch (DecoderFallbackException)
            {
                return false;
            }
            texts.Add(decoded);
            text.Clear();
        }
        return text.Count == 0;
    }

    /// <summary>Pairs from a text on; empty ones at the end are padding.</summary>
    private static string? Options(List<string> texts, int first)
    {
        var last = texts.Count;
        while (last > first && texts[last - 1].Length == 0) last--;
        var count = last - first;
        // An option whose value is empty ends in what looks like padding.
        if (count % 2 == 1)
        {
            if (last == texts.Count) return null;
            count++;
        }
        if (count / 2 > 32) return null;
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var said = new StringBuilder();
        for (var i = first; i < first + count; i += 2)
        {
            if (texts[i].Length == 0 || !seen.Add(texts[i])) return null;
            said.Append(texts[i]).Append('=').Append(texts[i + 1]).Append(';');
        }
        return said.ToString();
    }
}
