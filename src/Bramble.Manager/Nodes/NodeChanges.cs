using Bramble.Manager.Api;
using Bramble.Manager.Configuration;
using Bramble.Manager.Provisioning;
using Bramble.Wire;

namespace Bramble.Manager.Nodes;

/// <summary>Checks and applies a change of a node's wish. Pure.</summary>
public static class NodeChanges
{
    public static string CheckName(string name) => ConfigChecks.HostName().IsMatch(name) ? name
        : throw ProblemException.BadRequest(
            $"'{name}' is no host name: small letters, digits and dashes, at most 63, a letter among them, "
                + "no dash at the ends");

    public static int CheckNumber(int number) => number is >= 1 and <= 1_000_000 ? number
        : throw ProblemException.BadRequest($"{number} is out of range for a node's number; 1 to 1000000 is allowed");

    public static NodeSpec Apply(NodeSpec spec, Contracts.Nodes.NodePatch patch, BrambleOptions options) => spec with
    {
        Image = Text(patch.Image, spec.Image),
        Disk = patch.Disk is { Length: > 0 } disk ? CheckDisk(disk) : Text(patch.Disk, spec.Disk),
        ReservedAddress = patch.ReservedAddress is { } address ? CheckAddress(address, options) : spec.ReservedAddress,
        PowerDevice = patch.PowerDevice is { Length: > 0 } device ? CheckDevice(device, options)
            : Text(patch.PowerDevice, spec.PowerDevice),
        PowerPort = Text(patch.PowerPort, spec.PowerPort),
        Labels = patch.Labels is { } labels ? Merge(spec.Labels, labels) : spec.Labels,
    };

    public static string CheckDisk(string disk) => DiskRule.TryParse(disk, out _) ? disk
        : throw ProblemException.BadRequest($"'{disk}' is not {ConfigLoader.DiskRuleKind}");

    private static IPv4Address? CheckAddress(string text, BrambleOptions options)
    {
        if (text.Length == 0) return null;
        if (!IPv4Address.TryParse(text, out var address))
            throw ProblemException.BadRequest($"'{text}' is not an IPv4 address");
        var network = options.Networks.FirstOrDefault(n => n.Prefix.Contains(address))
            ?? throw ProblemException.BadRequest($"{address} lies in none of the networks "
                + string.Join(", ", options.Networks.Select(n => n.Prefix)));
        return network.IsHost(address) ? address
            : throw ProblemException.BadRequest($"{address} is the manager's, the network's or the broadcast address");
    }

    private static string CheckDevice(string device, BrambleOptions options) =>
        options.PowerDevices.Any(d => d.Name == device) ? device
            : throw ProblemException.BadRequest($"there is no power device '{device}' in the configuration; there are "
                + string.Join(", ", options.PowerDevices.Select(d => d.Name)));

    private static Dictionary<string, string> Merge(
        IReadOnlyDictionary<string, string> labels, IReadOnlyDictionary<string, string> changes)
    {
        var merged = labels.ToDictionary();
        foreach (var (key, value) in changes)
        {
            if (key.Length == 0 || key.Contains('=', StringComparison.Ordinal))
                throw ProblemException.BadRequest($"'{key}' cannot be the name of a label");
            if (string.IsNullOrEmpty(value)) merged.Remove(key);
            else merged[key] = value;
        }
        return merged;
    }

    private static string? Text(string? change, string? current) =>
        change is null ? current : change.Length == 0 ? null : change;
}
