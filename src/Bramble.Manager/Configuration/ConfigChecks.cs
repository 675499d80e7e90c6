using System.Text.RegularExpressions;

namespace Bramble.Manager.Configuration;

/// <summary>What only the whole file shows: overlaps, doubles, names that lead nowhere.</summary>
internal static partial class ConfigChecks
{
    private static readonly string[] s_drivers = ["poe-snmp", "exec", "none"];

    public static void Check(BrambleOptions options, YamlSection root)
    {
        CheckNetworks(options, root);
        CheckPower(options, root);
        CheckNodes(options, root);
    }

    /// <summary>
    /// With a letter somewhere: a mere number or range would select other nodes than the one of that name.
    /// </summary>
    [GeneratedRegex(@"^(?=.*[a-z])[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\z")]
    public static partial Regex HostName();

    private static void CheckNetworks(BrambleOptions options, YamlSection root)
    {
        var entries = root.Items("networks").ToArray();
        for (var i = 0; i < options.Networks.Count; i++)
        {
            var network = options.Networks[i];
            for (var j = 0; j < i; j++)
            {
                var other = options.Networks[j];
                if (network.Name == other.Name && network.Name.Length > 0)
                    root.Fail(entries[i], $"networks: two networks are named '{network.Name}'");
                if (network.Interface == other.Interface && network.Interface.Length > 0
                    && network.Via is null && other.Via is null)
                    root.Fail(entries[i], $"networks: '{network.Name}' and '{other.Name}' share the interface "
                        + $"{network.Interface}; give each its own (a VLAN interface will do)");
                if (network.Prefix.Length > 0 && other.Prefix.Length > 0 && network.Prefix.Overlaps(other.Prefix))
                    root.Fail(entries[i], $"networks: '{network.Name}' ({network.Prefix}) overlaps '{other.Name}' "
                        + $"({other.Prefix})");
            }
        }
    }

    private static void CheckPower(BrambleOptions options, YamlSection root)
    {
        var entries = root.Items("power").ToArray();
        for (var i = 0; i < options.PowerDevices.Count; i++)
        {
            var device = options.PowerDevices[i];
            if (options.PowerDevices.Take(i).Any(d => d.Name == device.Name) && device.Name.Length > 0)
                root.Fail(entries[i], $"power: two devices are named '{device.Name}'");
            if (device.Driver.Length > 0 && !s_drivers.Contains(device.Driver))
                root.Fail(
                    entries[i], $"power: '{device.Driver}' is no driver; there are {string.Join(", ", s_drivers)}");
            if (device.Driver == "exec" && device.Command.Count == 0)
                root.Fail(entries[i], $"power: '{device.Name}' needs a 'command', a list of its words");
            if (device.Driver != "poe-snmp") continue;
            if (device.Host.Length == 0)
                root.Fail(entries[i], $"power: '{device.Name}' needs a 'host'");
            if (device.Version is not ("1" or "2c" or "3"))
                root.Fail(entries[i], $"power: version '{device.Version}' is none of 1, 2c, 3");
            else if (device.Version == "3" ? device.User.Length == 0 : device.CommunityFile is null)
                root.Fail(entries[i], $"power: '{device.Name}' speaks SNMP version {device.Version} and needs "
                    + (device.Version == "3" ? "a 'user'"
                        : "a 'community_file' (mode 0600, so that it is no secret in here)"));
        }
    }

    private static void CheckNodes(BrambleOptions options, YamlSection root)
    {
        var entries = root.Items("nodes").ToArray();
        for (var i = 0; i < options.Nodes.Count; i++)
        {
            var node = options.Nodes[i];
            var before = options.Nodes.Take(i).ToArray();
            if (before.Any(n => n.Mac == node.Mac))
                root.Fail(entries[i], $"nodes: {node.Mac} is listed twice");
            if (node.Name is { } name && !HostName().IsMatch(name))
                root.Fail(entries[i], $"nodes: '{name}' is no host name: small letters, digits and dashes, a letter "
                    + "among them, at most 63");
            if (node.Name is not null && before.Any(n => n.Name == node.Name))
                root.Fail(entries[i], $"nodes: two nodes are named '{node.Name}'");
            if (node.Number is not null && before.Any(n => n.Number == node.Number))
                root.Fail(entries[i], $"nodes: two nodes have the number {node.Number}");
            if (node.Address is { } address)
            {
                if (before.Any(n => n.Address == address))
                    root.Fail(entries[i], $"nodes: {address} is given to two nodes");
                if (!options.Networks.Any(n => n.Prefix.Contains(address)))
                    root.Fail(entries[i], $"nodes: {address} lies in none of the networks");
                if (options.Networks.Any(n => n.Prefix.Contains(address) && !n.IsHost(address)))
                    root.Fail(entries[i], $"nodes: {address} is the manager's, the network's or the broadcast address");
            }
            if (node.PowerDevice is { } device && options.PowerDevices.All(d => d.Name != device))
                root.Fail(entries[i], $"nodes: power_device '{device}' is not listed under 'power'");
            if (node.PowerPort is not null && node.PowerDevice is null)
                root.Fail(entries[i], "nodes: power_port without power_device");
        }
    }
}
