using Bramble.Boot;
using Bramble.Boot.Loaders;
using Bramble.Wire;

namespace Bramble.Manager.Configuration;

/// <summary>One entry of <c>networks:</c>.</summary>
internal static class NetworkSection
{
    public static NetworkOptions Read(YamlSection section)
    {
        var defaults = new NetworkOptions { Name = "", Interface = "", Address = default };
        var network = new NetworkOptions
        {
            Name = section.RequiredText("name"),
            Interface = section.RequiredText("interface"),
            Address = ReadAddress(section),
            Adopt = section.Choice("adopt", AdoptPolicy.Ask),
            Tftp = section.Flag("tftp", true),
            Time = section.Flag("time", true),
            HttpPort = section.Number("http_port", defaults.HttpPort, 1, 65535),
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
            Pi3Delay = section.Duration("pi3_delay", network.Pi3Delay, TimeSpan.Zero, TimeSpan.FromSeconds(10)),
            Reservations = ReadReservations(section, network),
        };
        if (network.Dhcp == DhcpServiceMode.Authoritative && network.Pool.Count == 0 && network.Name.Length > 0)
            section.Fail(section.Node, $"networks: '{network.Name}' is authoritative and needs a 'pool' under 'dhcp' "
                + "(or 'mode: reservations', 'mode: proxy', 'mode: off')");
        foreach (var (first, last) in network.Pool)
        {
            if (network.Address.Length > 0 && (!network.Address.Contains(first) || !network.Address.Contains(last)))
                section.FailAt("pool", $"{first}-{last} is not inside {network.Address}");
            if (first <= network.Address.Address && network.Address.Address <= last)
                section.FailAt("pool", $"{first}-{last} holds the manager's own address {network.Address.Address}");
        }
        section.Close();
        return network;
    }

    private static Dictionary<MacAddress, IPv4Address> ReadReservations(YamlSection section, NetworkOptions network)
    {
        var reservations = new Dictionary<MacAddress, IPv4Address>();
        foreach (var entry in section.Sections("reservations"))
        {
            var mac = ReadMac(entry, "mac");
            if (entry.TryGet<IPv4Address>("address", ConfigLoader.IPv4Text, "an IPv4 address", out var address))
            {
                if (!network.Address.Contains(address))
                    entry.FailAt("address", $"{address} is not inside {network.Address}");
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
