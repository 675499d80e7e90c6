using Bramble.Contracts.Nodes;

namespace Bramble.Cli.Import;

/// <summary>
/// A dnsmasq configuration, or the lines of its <c>dhcp-hostsfile</c>: each <c>dhcp-host</c> with a MAC address becomes
/// a node, and all else is told with what corresponds to it.
/// </summary>
internal static class DnsmasqConfig
{
    private static readonly Dictionary<string, string> s_advice = new(StringComparer.Ordinal)
    {
        ["interface"] = "networks[].interface",
        ["listen-address"] = "networks[].address",
        ["bind-interfaces"] = "always so; nothing to set",
        ["bind-dynamic"] = "always so; nothing to set",
        ["dhcp-range"] = "networks[].dhcp.pool, lease and mode",
        ["dhcp-authoritative"] = "networks[].dhcp.mode: authoritative, which is the default",
        ["dhcp-option"] = "networks[].dhcp: router, dns, domain; see docs/operations/configuration.md for others",
        ["dhcp-option-force"] = "networks[].dhcp: router, dns, domain; see docs/operations/configuration.md for others",
        ["dhcp-boot"] = "the boot file follows from the board and its image; nothing to set",
        ["dhcp-match"] = "boards are told apart by themselves; nothing to set",
        ["dhcp-vendorclass"] = "boards are told apart by themselves; nothing to set",
        ["dhcp-ignore"] = "networks[].adopt: ask or ignore",
        ["dhcp-reply-delay"] = "networks[].dhcp.pi3_delay",
        ["dhcp-leasefile"] = "leases are in the state directory; boards keep their addresses by reservation",
        ["dhcp-lease-max"] = "the pool is the bound",
        ["dhcp-script"] = "bramble events --watch",
        ["pxe-service"] = "a Pi is offered its boot service always; nothing to set",
        ["pxe-prompt"] = "a Pi is offered its boot service always; nothing to set",
        ["enable-tftp"] = "networks[].tftp: true, which is the default",
        ["tftp-root"] = "networks[].boot_tree, for boards without an image",
        ["tftp-unique-root"] = "each board gets its own files out of its image; nothing to set",
        ["tftp-no-fail"] = "a boot_tree that is missing keeps brambled from starting",
        ["domain"] = "networks[].dhcp.domain",
        ["log-dhcp"] = "bramble timeline NODE tells every step",
        ["log-facility"] = "log_file",
        ["conf-file"] = "not followed: import that file too",
        ["conf-dir"] = "not followed: import its files too",
        ["dhcp-hostsfile"] = "not followed: import that file too",
        ["dhcp-hostsdir"] = "not followed: import its files too",
        ["read-ethers"] = "not followed: write /etc/ethers as dhcp-host lines",
        ["user"] = "the systemd unit",
        ["group"] = "the systemd unit",
        ["pid-file"] = "the systemd unit",
    };

    public static ImportReading Read(string path)
    {
        var reading = new ImportReading(path);
        foreach (var line in DnsmasqLines.Read(ImportReading.Text(path)))
        {
            if (line.Keyword is "" or "dhcp-host") Host(reading, line.Line, DnsmasqHost.Read(line.Value));
            else reading.Leave(path, line.Line, line.Keyword,
                s_advice.GetValueOrDefault(line.Keyword, "nothing corresponds to it"));
        }
        return reading;
    }

    private static void Host(ImportReading reading, int line, DnsmasqHost host)
    {
        var address = host.Addresses.FirstOrDefault();
        var first = host.Macs.Count > 0 ? host.Macs[0].ToString() : host.OtherMacs.FirstOrDefault("");
        if (host.Error is { } error)
            reading.Bad(line, error, first, host.Name, address);
        else if (host.Addresses.Count > 1)
            reading.Bad(line, $"{host.Addresses.Count} IPv4 addresses; a node has one", first, host.Name, address);
        else if (Obstacle(host) is { } obstacle)
            reading.Skip(line, obstacle, first, host.Name, address);
        else
            Take(reading, line, host, address);
    }

    /// <summary>Why a line that is right makes no node.</summary>
    private static string? Obstacle(DnsmasqHost host) =>
        host.Ignore ? "dnsmasq ignores this board; here networks[].adopt (ask, ignore) keeps strangers out"
        : host.Conditions.Count > 0 ? $"it holds only where the tag {string.Join(", ", host.Conditions)} is set; "
            + "here an address is reserved or it is not"
        : host.Macs.Count > 0 ? null
        : host.OtherMacs.Count > 0 ? $"{host.OtherMacs[0]} is no one board's Ethernet address; name each board"
        : host.Ids.Count > 0 ? "it goes by a client identifier; boards are known by their MAC address here"
        : "it names no MAC address; boards are known by that here";

    private static void Take(ImportReading reading, int line, DnsmasqHost host, string? address)
    {
        foreach (var further in host.Macs.Skip(1).Select(mac => mac.ToString()).Concat(host.OtherMacs))
            reading.Note(line, $"a node has one MAC address: {further} is left out");
        if (host.Ids.Count > 0) reading.Note(line, "its client identifier is left out");
        if (host.Lease is { } lease) reading.Note(line, $"its lease time {lease} is left out: networks[].dhcp.lease");
        if (host.IPv6.Count > 0)
            reading.Note(line, $"IPv6 {string.Join(", ", host.IPv6)} is left out: only IPv4 boots");
        reading.Node(new NodeImportEntry(line, host.Macs[0].ToString(),
            host.Name is { } name ? reading.Name(line, name) : null, Address: address,
            Labels: host.Sets.Count == 0 ? null
                : new Dictionary<string, string> { ["tag"] = string.Join(',', host.Sets.Distinct()) }));
    }
}
