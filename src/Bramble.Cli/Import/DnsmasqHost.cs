using System.Text.RegularExpressions;
using Bramble.Wire;

namespace Bramble.Cli.Import;

/// <summary>
/// One <c>dhcp-host</c> taken apart:
/// <c>[MAC…][,id:ID|*][,set:TAG…][,tag:TAG][,IPv4][,[IPv6]…][,NAME][,LEASE][,ignore]</c>, in any order, as dnsmasq
/// itself tells the parts from one another: by their form.
/// </summary>
internal sealed partial class DnsmasqHost
{
    /// <summary>Ethernet addresses without a wildcard.</summary>
    public List<MacAddress> Macs { get; } = [];

    /// <summary>Hardware addresses that name no board: wildcards, other kinds of networks.</summary>
    public List<string> OtherMacs { get; } = [];

    /// <summary>Client identifiers, as written; <c>*</c> for "ignore what it sends".</summary>
    public List<string> Ids { get; } = [];

    public List<string> Sets { get; } = [];

    public List<string> Conditions { get; } = [];

    public List<string> Addresses { get; } = [];

    public List<string> IPv6 { get; } = [];

    public string? Name { get; private set; }

    public string? Lease { get; private set; }

    public bool Ignore { get; private set; }

    /// <summary>What cannot be understood; null if all is.</summary>
    public string? Error { get; private set; }

    public static DnsmasqHost Read(string value)
    {
        var host = new DnsmasqHost();
        foreach (var part in value.Split(',', StringSplitOptions.TrimEntries)) host.Take(part);
        return host;
    }

    private void Take(string part)
    {
        if (part.Length == 0) Error ??= "two commas with nothing between them";
        else if (part[0] == '[') TakeIPv6(part);
        else if (part.StartsWith("id:", StringComparison.Ordinal)) Ids.Add(part[3..]);
        else if (part == "*") Ids.Add(part);
        else if (part.StartsWith("set:", StringComparison.Ordinal)) Sets.Add(part[4..]);
        else if (part.StartsWith("net:", StringComparison.Ordinal)) Sets.Add(part[4..]);
        else if (part.StartsWith("tag:", StringComparison.Ordinal)) Conditions.Add(part[4..]);
        else if (part.Contains(':', StringComparison.Ordinal)) TakeMac(part);
        else if (IPv4Address.TryParse(part, out var address)) Addresses.Add(address.ToString());
        else if (DottedDigits().IsMatch(part)) Error ??= $"'{part}' is not an IPv4 address";
        else if (part == "ignore") Ignore = true;
        else if (part == "infinite" || LeaseTime().IsMatch(part)) Lease = part;
        else if (Name is null) Name = part;
        else Error ??= $"two names, '{Name}' and '{part}'";
    }

    private void TakeIPv6(string part)
    {
        if (part[^1] == ']') IPv6.Add(part);
        else Error ??= $"'{part}' begins with '[' and does not end with ']'";
    }

    private void TakeMac(string part)
    {
        if (Hardware().Match(part) is not { Success: true } match)
        {
            Error ??= $"'{part}' is no MAC address";
            return;
        }
        var octets = match.Groups["octet"].Captures.Select(c => c.Value.PadLeft(2, '0')).ToArray();
        var isEthernet = match.Groups["kind"] is not { Success: true } kind || kind.Value is "01" or "1";
        if (!isEthernet || octets.Contains("0*")) OtherMacs.Add(part);
        else if (MacAddress.TryParse(string.Join(':', octets), out var mac)) Macs.Add(mac);
        else Error ??= $"'{part}' is no MAC address: it has {octets.Length} octets";
    }

    /// <summary>
    /// An octet may be one digit, or <c>*</c>; before a dash the kind of hardware, of which 1 is Ethernet.
    /// </summary>
    [GeneratedRegex(@"^((?<kind>[0-9a-fA-F]{1,2})-)?(?<octet>[0-9a-fA-F]{1,2}|\*)(:(?<octet>[0-9a-fA-F]{1,2}|\*))+\z")]
    private static partial Regex Hardware();

    [GeneratedRegex(@"^[0-9]+[smhdwSMHDW]?\z")]
    private static partial Regex LeaseTime();

    [GeneratedRegex(@"^[0-9]+(\.[0-9]+)+\z")]
    private static partial Regex DottedDigits();
}
