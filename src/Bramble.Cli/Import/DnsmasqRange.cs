using System.Numerics;
using System.Text.RegularExpressions;
using Bramble.Wire;

namespace Bramble.Cli.Import;

/// <summary>
/// A <c>dhcp-range</c>: <c>[tag:T,][set:T,]START[,END|MODE][,NETMASK[,BROADCAST]][,LEASE]</c>; no
/// start for an IPv6 one.
/// </summary>
internal sealed partial record DnsmasqRange(int Line, string Value)
{
    public List<string> Tags { get; } = [];

    public IPv4Address? Start { get; private set; }

    public IPv4Address? End { get; private set; }

    public string Mode { get; private set; } = "authoritative";

    public int Length { get; private set; } = 24;

    public bool HasNetmask { get; private set; }

    public string? Lease { get; private set; }

    public static DnsmasqRange Read(DnsmasqLine line)
    {
        var range = new DnsmasqRange(line.Line, line.Value);
        foreach (var word in line.Value.Split(',', StringSplitOptions.TrimEntries)) range.Take(word);
        if (range is { Mode: "authoritative", End: null }) range.Mode = "reservations";
        return range;
    }

    private void Take(string word)
    {
        if (word.StartsWith("tag:", StringComparison.Ordinal) || word.StartsWith("set:", StringComparison.Ordinal))
            Tags.Add(word[4..]);
        else if (IPv4Address.TryParse(word, out var address)) Take(address);
        else if (word == "proxy") Mode = "proxy";
        else if (word == "static") Mode = "reservations";
        else if (word == "infinite") Lease = "365d  # dnsmasq: infinite";
        else if (LeaseWord().IsMatch(word)) Lease = LeaseOf(word);
    }

    private void Take(IPv4Address address)
    {
        if (Start is null) Start = address;
        else if (IsNetmask(address, out var length))
        {
            if (!HasNetmask) (Length, HasNetmask) = (length, true);
        }
        else if (!HasNetmask && Mode == "authoritative") End ??= address;
    }

    private static bool IsNetmask(IPv4Address address, out int length)
    {
        length = BitOperations.LeadingZeroCount(~address.Bits);
        return address.Bits >> 24 == 255 && new IPv4Prefix(address, length).MaskBits == address.Bits;
    }

    private static string LeaseOf(string word) => char.IsDigit(word[^1]) ? $"{word}s"
        : word[^1] is 'w' or 'W' && int.TryParse(word[..^1], out var weeks) ? $"{weeks * 7L}d"
        : word.ToLowerInvariant();

    [GeneratedRegex(@"^[0-9]{1,9}[smhdwSMHDW]?\z")]
    private static partial Regex LeaseWord();
}
