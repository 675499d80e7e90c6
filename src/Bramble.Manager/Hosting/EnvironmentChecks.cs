using System.Net.NetworkInformation;
using Bramble.Manager.Configuration;
using Bramble.Wire;

namespace Bramble.Manager.Hosting;

/// <summary>Holds the configuration against the machine, before anything starts.</summary>
public static class EnvironmentChecks
{
    /// <summary>What is missing, in sentences; empty if the daemon can start.</summary>
    public static IReadOnlyList<string> Check(BrambleOptions options)
    {
        var problems = new List<string>();
        var interfaces = NetworkInterface.GetAllNetworkInterfaces();
        foreach (var network in options.Networks)
        {
            if (network.BootTree is { } tree && !Directory.Exists(tree))
                problems.Add($"network '{network.Name}': the boot_tree {tree} is not there");
            if (network.Via is not null) continue;
            var found = interfaces.FirstOrDefault(i => i.Name == network.Interface);
            if (found is null)
            {
                problems.Add($"network '{network.Name}': there is no interface '{network.Interface}'; this machine has "
                    + string.Join(", ", interfaces.Select(i => i.Name)));
                continue;
            }
            var addresses = found.GetIPProperties().UnicastAddresses.Select(a => IPv4Address.From(a.Address));
            if (!addresses.Contains(network.Address.Address))
                problems.Add($"network '{network.Name}': {network.Interface} has not the address {network.Address}; "
                    + $"add it, for example: ip address add {network.Address} dev {network.Interface}");
        }
        if (options.Install.OverlayDirectory is { } overlay && !Directory.Exists(overlay))
            problems.Add($"install: the overlay directory {overlay} is not there");
        if (options.Install.BootTemplates is { } templates && !Directory.Exists(templates))
            problems.Add($"install: the boot_templates directory {templates} is not there");
        return problems;
    }
}
