using Bramble.Contracts.Nodes;
using Bramble.Manager.Configuration;

namespace Bramble.Manager.Nodes;

/// <summary>
/// Takes the nodes of the configuration file into the registry. A node that is there already is not touched where the
/// API has set something: the file gives first values.
/// </summary>
public static class ConfiguredNodes
{
    public static async Task ApplyAsync(BrambleOptions options, NodeRegistry nodes)
    {
        foreach (var configured in options.Nodes)
        {
            try
            {
                await ApplyAsync(configured, options, nodes).ConfigureAwait(false);
            }
            catch (NodeConflictException e)
            {
                throw new InvalidDataException($"nodes: {configured.Mac} cannot be taken over from the configuration: "
                    + $"{e.Message}; change it in the file, or give the other one up with 'bramble node set'", e);
            }
        }
    }

    private static async Task ApplyAsync(NodeOptions configured, BrambleOptions options, NodeRegistry nodes)
    {
        var network = options.Networks.FirstOrDefault(n => configured.Address is { } a && n.Prefix.Contains(a));
        var (_, added) = nodes.Add(configured.Mac, () => Merge(new NodeSpec(), configured),
            () => new NodeStatus { Phase = NodePhase.Adopted, Network = network?.Name ?? "" },
            configured.Name, configured.Number, "configuration");
        await added.ConfigureAwait(false);
        if (nodes.Find(configured.Mac) is not { } node) return;
        var (_, updated) = nodes.Update(
            node.Id, n => Merge(n.Spec, configured) is var spec && spec == n.Spec ? n : n with
        {
            Spec = spec,
            Status = n.Status.Phase != NodePhase.Discovered ? n.Status
                : n.Status with { Phase = NodePhase.Adopted, Verdict = "" },
        }, "configuration");
        await updated.ConfigureAwait(false);
    }

    private static NodeSpec Merge(NodeSpec spec, NodeOptions configured) => spec with
    {
        // Who is listed by hand is ours.
        Adopted = true,
        Image = spec.Image ?? configured.Image,
        Disk = spec.Disk ?? configured.Disk?.ToString(),
        ReservedAddress = spec.ReservedAddress ?? configured.Address,
        PowerDevice = spec.PowerDevice ?? configured.PowerDevice,
        PowerPort = spec.PowerPort ?? configured.PowerPort,
        Labels = spec.Labels.Count > 0 ? spec.Labels : configured.Labels,
    };
}
