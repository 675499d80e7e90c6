using Bramble.Boot;
using Bramble.Boot.Dhcp;
using Bramble.Boot.Loaders;
using Bramble.Wire;

namespace Bramble.Manager.Configuration;

/// <summary>One entry of <c>networks:</c>.</summary>
internal static class NetworkSection
{
    /// <summary>All of them; one behind a relay takes what it lacks from the network that it comes in by.</summary>
    public static IReadOnlyList<NetworkOptions> ReadAll(YamlSection root)
    {
        var entries = root.Sections("networks").Select(section => (Section: section, Network: Read(section))).ToArray();
        return [.. entries.Select(entry => entry.Network.Via is null ? entry.Network : Relayed(entry, entries))];
    }

    private static NetworkOptions Read(YamlSection section)
    {
        var defaults = new NetworkOptions { Name = "", Interface = "", Address = default };
        var relayed = section.Has("via");
        var network = new NetworkOptions
        {
            Name = section.RequiredText("name"),
            Via = relayed ? section.RequiredText("via") : null,
            Subnet = relayed ? ReadSubnet(section) : null,
            Interface = relayed ? "" : section.RequiredText("interface"),
            Address = relayed ? default : ReadAddress(section),
            Adopt = section.Choice("adopt", AdoptPolicy.Ask),
            Tftp = !relayed && section.Flag("tftp", true),
            TftpWindow = relayed ? defaults.TftpWindow : section.Number("tftp_window", defaults.TftpWindow, 1, 1024),
            Time = !relayed && section.Flag("time", true),
            HttpPort = relayed ? 0 : section.Number("http_port", defaults.HttpPort, 1, 65535),
            BootTree = section.TextOrNull("boot_tree"),
            UefiLoader = section.Choice("uefi_loader", UefiLoader.Auto),
            BootFiles = ReadBootFiles(section.Section("boot_files")),
        };
        network = ReadDhcp(section.Section("dhcp"), network);
        network = network with
        {
            ServesNames = section.Flag("dns", network.Dhcp == DhcpServiceMode.Authoritative),
            Gateway = GatewaySection.Read(section, network.Interface),
        };
        if (network.BootTree is { } tree && !tree.StartsWith('/'))
            section.FailAt("boot_tree", $"'{tree}' must be an absolute path");
        section.Close();
        return network;
    }

    private static Dictionary<ushort, string> ReadBootFiles(YamlSection section)
    {
        var files = new Dictionary<ushort, string>();
        foreach (var (at, key, value) in section.Pairs())
        {
            if (!ClientArchitecture.TryParse(key, out var architecture))
                section.Fail(at, $"boot_files: '{key}' is no client architecture: a number of DHCP option 93, or one "
                    + $"of {ClientArchitecture.Names}");
            else if (!value.Contains("://", StringComparison.Ordinal) && !BootPath.TryNormalize(value, out _, out _))
                section.Fail(at, $"boot_files: '{value}' is neither a path inside the boot tree nor a URL");
            else if (!files.TryAdd(architecture, value))
                section.Fail(at, $"boot_files: client architecture {architecture} is named twice");
        }
        return files;
    }

    private static NetworkOptions Relayed(
        (YamlSection Section, NetworkOptions Network) entry, (YamlSection Section, NetworkOptions Network)[] all)
    {
        var (section, network) = entry;
        var via = all.FirstOrDefault(e => e.Network.Name == network.Via).Network;
        if (via is null || via.Via is not null)
        {
            section.FailAt("via", via is null ? $"there is no network '{network.Via}'"
                : $"'{network.Via}' lies behind a relay itself; name the network that the relays come in by");
            return network;
        }
        if (network.Gateway is not null)
            section.FailAt("gateway", "boards behind a relay go out by the router there, not by us");
        if (via.Dhcp is DhcpServiceMode.Off or DhcpServiceMode.Proxy)
            section.FailAt("via", $"'{via.Name}' must serve DHCP itself (mode authoritative or reservations)");
        return network with
        {
            Interface = via.Interface,
            Address = via.Address,
            HttpPort = via.HttpPort,
            Time = via.Time,
            ServesNames = network.ServesNames && via.ServesNames,
        };
    }

    private static IPv4Prefix? ReadSubnet(YamlSection section)
    {
        const string kind = "the network behind the relay, such as 10.1.0.0/24";
        if (!section.TryGet<IPv4Prefix>("subnet", PrefixText, kind, out var subnet))
        {
            if (!section.Has("subnet")) section.Fail(section.Node, $"{section.Path}: 'subnet' is missing: {kind}");
            return default(IPv4Prefix);
        }
        if (subnet.Length is < 8 or > 30) section.FailAt("subnet", "the length must lie between /8 and /30");
        else if (subnet.Address != subnet.Network)
            section.FailAt("subnet", $"{subnet} is an address in a network; the network itself is "
                + $"{subnet.Network}/{subnet.Length}");
        return subnet;
    }

    private static NetworkOptions ReadDhcp(YamlSection section, NetworkOptions network)
    {
        network = network with
        {
            Dhcp = section.Choice("mode", DhcpServiceMode.Authoritative),
            Pool = section.List<(IPv4Address, IPv4Address)>("pool", TryRange, "a range such as 10.0.0.100-10.0.0.199"),
            Router = section.TryGet<IPv4Address>("router", ConfigLoader.IPv4Text, "an IPv4 address", out var router)
                ? router : null,
            Dns = section.List<IPv4Address>("dns", ConfigLoader.IPv4Text, "an IPv4 address"),
            Domain = section.Text("domain", ""),
            Lease = section.Duration("lease", network.Lease, TimeSpan.FromMinutes(1), TimeSpan.FromDays(365)),
            LeaseMin = ReadBound(section, "lease_min"),
            LeaseMax = ReadBound(section, "lease_max"),
            Bootp = section.Flag("bootp", false),
            Probe = section.Choice("probe", AddressProbe.None),
            ProbeTimeout = section.Duration(
                "probe_timeout", network.ProbeTimeout, TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(500)),
            ClientRate = section.Number("client_rate", network.ClientRate, 0, 10_000),
            Options = DhcpOptionSection.Read(section, $"network {network.Name}"),
            Classes = DhcpOptionSection.ReadClasses(section),
            Pi3Delay = section.Duration("pi3_delay", network.Pi3Delay, TimeSpan.Zero, TimeSpan.FromSeconds(10)),
            Reservations = ReadReservations(section, network),
        };
        if (network.Dhcp == DhcpServiceMode.Authoritative && network.Pool.Count == 0 && network.Name.Length > 0)
            section.Fail(section.Node, $"networks: '{network.Name}' is authoritative and needs a 'pool' under 'dhcp' "
                + "(or 'mode: reservations', 'mode: proxy', 'mode: off')");
        foreach (var (first, last) in network.Pool)
        {
            var prefix = network.Prefix;
            if (prefix.Length > 0 && (!prefix.Contains(first) || !prefix.Contains(last)))
                section.FailAt("pool", $"{first}-{last} is not inside {prefix}");
            if (first <= network.Address.Address && network.Address.Address <= last)
                section.FailAt("pool", $"{first}-{last} holds the manager's own address {network.Address.Address}");
        }
        if (network.LeaseMin > network.Lease)
            section.FailAt("lease_min", "must not be longer than lease, which a client gets that asks for none");
        if (network.LeaseMax < network.Lease)
            section.FailAt("lease_max", "must not be shorter than lease, which a client gets that asks for none");
        if (network.Via is not null) CheckRelayed(section, network);
        section.Close();
        return network;
    }

    private static TimeSpan? ReadBound(YamlSection section, string name) => section.TryGet<TimeSpan>(
        name, Durations.TryParse, "", out _)
            ? section.Duration(name, TimeSpan.Zero, TimeSpan.FromMinutes(1), TimeSpan.FromDays(365)) : null;

    private static void CheckRelayed(YamlSection section, NetworkOptions network)
    {
        if (network.Dhcp is DhcpServiceMode.Proxy or DhcpServiceMode.Off)
            section.FailAt("mode", "a network behind a relay is authoritative or for reservations");
        if (network.Router is not { } router)
            section.Fail(section.Node, $"networks: '{network.Name}' lies behind a relay and needs a 'router' under "
                + "'dhcp': without one its boards do not reach the manager");
        else if (network.Subnet is { Length: > 0 } subnet && !subnet.Contains(router))
            section.FailAt("router", $"{router} is not inside {subnet}");
        if (network.Probe == AddressProbe.Arp)
            section.FailAt("probe", "ARP does not reach a network behind a relay: use icmp, or none");
    }

    private static Dictionary<MacAddress, IPv4Address> ReadReservations(YamlSection section, NetworkOptions network)
    {
        var reservations = new Dictionary<MacAddress, IPv4Address>();
        foreach (var entry in section.Sections("reservations"))
        {
            var mac = ReadMac(entry, "mac");
            if (entry.TryGet<IPv4Address>("address", ConfigLoader.IPv4Text, "an IPv4 address", out var address))
            {
                if (!network.Prefix.Contains(address))
                    entry.FailAt("address", $"{address} is not inside {network.Prefix}");
                else if (!network.IsHost(address))
                    entry.FailAt("address", $"{address} is the manager's, the network's or the broadcast address");
                if (reservations.ContainsValue(address)) entry.FailAt("address", $"{address} is reserved twice");
            }
            else if (!entry.Has("address"))
            {
                entry.Fail(entry.Node, $"{entry.Path}: 'address' is missing");
            }
            if (!reservations.TryAdd(mac, address)) entry.FailAt("mac", $"{mac} has two reservations");
            entry.Close();
        }
        return reservations;
    }

    public static MacAddress ReadMac(YamlSection section, string name)
    {
        if (section.TryGet<MacAddress>(name, MacText, "a MAC address such as b8:27:eb:0a:0b:0c", out var mac))
            return mac;
        if (!section.Has(name)) section.Fail(section.Node, $"{section.Path}: '{name}' is missing");
        return mac;
    }

    private static bool MacText(string text, out MacAddress mac) => MacAddress.TryParse(text, out mac);

    private static IPv4Prefix ReadAddress(YamlSection section)
    {
        const string kind = "our address with the network's length, such as 10.0.0.1/24";
        if (!section.TryGet<IPv4Prefix>("address", PrefixText, kind, out var address))
        {
            if (!section.Has("address")) section.Fail(section.Node, $"{section.Path}: 'address' is missing: {kind}");
            return default;
        }
        if (address.Length is < 8 or > 30) section.FailAt("address", "the length must lie between /8 and /30");
        else if (address.Address == address.Network || address.Address == address.Broadcast)
            section.FailAt(
                "address", $"{address.Address} is the network's own or broadcast address; no host can have it");
        return address;
    }

    private static bool PrefixText(string text, out IPv4Prefix prefix) => IPv4Prefix.TryParse(text, out prefix);

    private static bool TryRange(string text, out (IPv4Address First, IPv4Address Last) range)
    {
        range = default;
        var dash = text.IndexOf('-', StringComparison.Ordinal);
        if (dash < 0 || !IPv4Address.TryParse(text.AsSpan(0, dash).Trim(), out var first)
            || !IPv4Address.TryParse(text.AsSpan(dash + 1).Trim(), out var last) || last < first)
            return false;
        range = (first, last);
        return true;
    }
}
