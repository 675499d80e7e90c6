using System.Globalization;
using Bramble.Manager.Configuration;
using Bramble.Manager.Nodes;

namespace Bramble.Manager.Provisioning;

/// <summary>What a template of an operator may name: the node, its network, its manager, its labels.</summary>
public static class NodeVariables
{
    public static IReadOnlyDictionary<string, string> Of(
        NodeSnapshot node, NetworkOptions network, BrambleOptions options)
    {
        var variables = new Dictionary<string, string>
        {
            ["cluster"] = options.Cluster,
            ["name"] = node.Name,
            ["number"] = node.Number.ToString(CultureInfo.InvariantCulture),
            ["mac"] = node.Mac.ToString(),
            ["serial"] = node.Status.Serial,
            ["model"] = node.Status.Model,
            ["address"] = (node.Spec.ReservedAddress ?? node.Status.Address)?.ToString() ?? "",
            ["network"] = network.Name,
            ["domain"] = network.Domain,
            ["manager"] = network.Address.Address.ToString(),
            ["url"] = network.BootUrl,
        };
        foreach (var (label, value) in node.Spec.Labels) variables[$"label.{label}"] = value;
        return variables;
    }
}
