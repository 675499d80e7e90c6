using System.Text;
using System.Text.RegularExpressions;
using Bramble.Wire;

namespace Bramble.Cli.Import;

/// <summary>
/// Writes the <c>networks</c> of a bramble.yaml out of dnsmasq's settings. What dnsmasq takes from the machine (its own
/// address, the netmask) is not in its file: those places are marked, and <c>check-config</c> refuses them until they
/// are filled.
/// </summary>
internal static partial class DnsmasqNetworks
{
    private const string Unknown = "CHANGE-ME";

    public static string Print(string path)
    {
        var lines = DnsmasqLines.Read(ImportReading.Text(path)).ToList();
        var text = new StringBuilder();
        text.Append($"# From {Path.GetFileName(path)}. Replace every {Unknown}, then: brambled check-config FILE\n");
        var ranges = lines.Where(l => l.Keyword == "dhcp-range").Select(DnsmasqRange.Read).ToList();
        if (!ranges.Any(r => r.Start is not null))
            text.Append("# There is no dhcp-range of IPv4 addresses in it: nothing is known of any network.\n");
        text.Append("networks:\n");
        var at = 0;
        foreach (var range in ranges)
        {
            if (range.Start is { } start) Network(text, ++at, range, start, lines);
            else text.Append($"  # line {range.Line}: dhcp-range={range.Value}: only IPv4 boots; left out\n");
        }
        return text.ToString();
    }

    private static void Network(
        StringBuilder text, int at, DnsmasqRange range, IPv4Address start, List<DnsmasqLine> lines)
    {
        string? Of(string keyword) => lines.FirstOrDefault(l => l.Keyword == keyword)?.Value;
        var interfaces = lines.Where(l => l.Keyword == "interface" && l.Value != "lo").Select(l => l.Value).ToList();
        var device = interfaces.Count == 1 ? interfaces[0] : interfaces.Find(range.Tags.Contains);
        var own = lines.Where(l => l.Keyword == "listen-address").SelectMany(l => l.Value.Split(','))
            .Select(word => IPv4Address.TryParse(word.Trim(), out var address) ? address : default)
            .FirstOrDefault(address => IsBeside(address, start, range.Length));
        text.Append($"  - name: net{at}\n");
        text.Append($"    interface: {(device is null ? Unknown : Quoted(device))}\n");
        text.Append($"    address: {(own == default ? Unknown : own)}/{range.Length}");
        text.Append(own == default ? "  # this machine's own address" : "");
        text.Append(range.HasNetmask ? "\n" : own == default ? "; " : "  # ");
        if (!range.HasNetmask) text.Append("dnsmasq took the length from the interface\n");
        if (!lines.Any(l => l.Keyword == "enable-tftp")) text.Append("    tftp: false\n");
        if (Of("tftp-root") is { Length: > 0 } root)
            text.Append($"    boot_tree: {Quoted(root.Split(',')[0])}  # for boards without an image\n");
        text.Append("    dhcp:\n");
        text.Append($"      mode: {range.Mode}\n");
        if (range.End is { } end) text.Append($"      pool: [{start}-{end}]\n");
        if (range.Mode != "proxy") Options(text, range, lines, Of("domain"));
        if (range.Lease is { } lease) text.Append($"      lease: {lease}\n");
    }

    private static void Options(StringBuilder text, DnsmasqRange range, List<DnsmasqLine> lines, string? domain)
    {
        string? router = null, dns = null;
        foreach (var line in lines.Where(l => l.Keyword is "dhcp-option" or "dhcp-option-force"))
        {
            var words = line.Value.Split(',', StringSplitOptions.TrimEntries);
            var tags = words.TakeWhile(w => w.Contains(':', StringComparison.Ordinal)
                && (w.StartsWith("tag:", StringComparison.Ordinal) || w.StartsWith("set:", StringComparison.Ordinal)));
            var rest = words.Skip(tags.Count()).ToArray();
            var isHere = tags.All(tag => range.Tags.Contains(tag[4..]));
            switch (rest.FirstOrDefault())
            {
                case "3" or "option:router" when isHere:
                    router = rest.ElementAtOrDefault(1) ?? "";
                    break;
                case "6" or "option:dns-server" when isHere:
                    dns = string.Join(", ", rest.Skip(1));
                    break;
                case "15" or "option:domain-name" when isHere:
                    domain = rest.ElementAtOrDefault(1);
                    break;
                default:
                    text.Append($"      # line {line.Line}: {line.Keyword}={Line(line.Value)}: not taken over\n");
                    break;
            }
        }
        // dnsmasq names itself where it is told nothing, and nobody where it is told an option without a value.
        if (router is null) text.Append("      # dnsmasq named itself as the router: set 'router' if that is wanted\n");
        else if (router.Length > 0) text.Append($"      router: {Quoted(router)}\n");
        if (dns is { Length: > 0 }) text.Append($"      dns: [{Line(dns)}]\n");
        if (domain is { Length: > 0 }) text.Append($"      domain: {Quoted(domain.Split(',')[0])}\n");
    }

    private static bool IsBeside(IPv4Address address, IPv4Address start, int length) => address != default
        && new IPv4Prefix(start, length).Contains(address);

    private static string Quoted(string text) => Simple().IsMatch(text) ? text
        : "\"" + Line(text).Replace("\\", "\\\\", StringComparison.Ordinal)
            .Replace("\"", "\\\"", StringComparison.Ordinal) + "\"";

    private static string Line(string text) => Output.Human.Clean(text);

    [GeneratedRegex(@"^[A-Za-z/][A-Za-z0-9._/-]*\z|^[0-9]+(\.[0-9]+){3}\z")]
    private static partial Regex Simple();
}
