using System.Text;

namespace Bramble.Cli.Import;

/// <param name="Keyword">The option's long name; empty for a line of a <c>dhcp-hostsfile</c>.</param>
internal sealed record DnsmasqLine(int Line, string Keyword, string Value);

/// <summary>
/// The lines of a dnsmasq configuration (dnsmasq(8), "CONFIG FILE"): long options without dashes, <c>name=value</c>,
/// quotes, comments. A line of a <c>dhcp-hostsfile</c> is known by its commas or colons, which no option's name has.
/// </summary>
internal static class DnsmasqLines
{
    public static IEnumerable<DnsmasqLine> Read(string text)
    {
        foreach (var (line, raw) in ImportReading.Lines(text))
        {
            var plain = Plain(raw);
            if (plain.Length == 0) continue;
            var equals = plain.IndexOf('=', StringComparison.Ordinal);
            var name = (equals < 0 ? plain : plain[..equals]).Trim();
            yield return name.AsSpan().IndexOfAny(',', ':', '*') >= 0
                ? new DnsmasqLine(line, "", plain)
                : new DnsmasqLine(line, name, equals < 0 ? "" : plain[(equals + 1)..].Trim());
        }
    }

    /// <summary>Without quotes, their escapes and the comment; a '#' within a word is no comment.</summary>
    private static string Plain(string raw)
    {
        var built = new StringBuilder(raw.Length);
        var inQuotes = false;
        for (var i = 0; i < raw.Length; i++)
        {
            var c = raw[i];
            if (c == '"') inQuotes = !inQuotes;
            else if (inQuotes && c == '\\' && i + 1 < raw.Length) built.Append(raw[++i]);
            else if (!inQuotes && c == '#' && (i == 0 || char.IsWhiteSpace(raw[i - 1]))) break;
            else built.Append(c);
        }
        return built.ToString().Trim();
    }
}
