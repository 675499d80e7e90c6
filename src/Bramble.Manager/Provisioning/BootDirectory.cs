using System.Collections.Frozen;
using Bramble.Boot;
using Bramble.Boot.Dhcp;
using Bramble.Boot.Loaders;
using Bramble.Manager.Configuration;
using Bramble.Manager.Nodes;
using Bramble.Wire;

namespace Bramble.Manager.Provisioning;

/// <summary>
/// Who is this board and what should it boot: the manager's end of the port that the boot servers ask. Answers from
/// memory; what it learns goes to the registry.
/// </summary>
public sealed class BootDirectory(
    BrambleOptions options, NodeRegistry nodes, NodeLocator locator, BootObserver observer, NodeFiles files,
    LoaderFiles loaders, TimeProvider clock) : IBootDirectory
{
    private readonly Dictionary<string, NetworkOptions> _networks = options.Networks.ToDictionary(n => n.Name);
    private readonly FrozenDictionary<MacAddress, DhcpOptionSet> _nodeOptions = options.Nodes
        .Where(n => n.Options is not null).DistinctBy(n => n.Mac).ToFrozenDictionary(n => n.Mac, n => n.Options!);

    public BoardPlan Find(BoardSighting sighting)
    {
        var network = _networks[sighting.Network];
        var node = nodes.Find(sighting.Mac);
        var isBoard = sighting.Board.Family is not (BoardFamily.PlainClient or BoardFamily.Unknown);
        if (node is null)
        {
            // Who has a reservation is expected, be it a printer.
            if (!isBoard)
            {
                return new BoardPlan(network.Adopt == AdoptPolicy.Auto
                    || network.Reservations.ContainsKey(sighting.Mac) ? Admission.Serve : Admission.Ignore);
            }
            if (network.Adopt == AdoptPolicy.Ignore) return new BoardPlan(Admission.Ignore);
            if (nodes.Count >= options.Lifecycle.MaxNodes) return new BoardPlan(Admission.TooManyStrangers);
            if (sighting.IsRehearsal)
            {
                return new BoardPlan(
                    network.Adopt == AdoptPolicy.Auto ? Admission.Serve : Admission.AwaitsAdoption);
            }
            node = Discover(sighting, network);
        }
        if (!sighting.IsRehearsal) observer.Heard(node, sighting);
        if (!node.Spec.Adopted) return new BoardPlan(Admission.AwaitsAdoption);
        if (LoaderChoice.For(sighting.Board, network.Loaders) is { } loader
            && !loaders.IsReady(loader.Needs, out var missing))
            return new BoardPlan(Admission.NotReady) { Missing = missing };
        return new BoardPlan(Admission.Serve)
        {
            HostName = node.Name,
            Reserved = node.Spec.ReservedAddress,
            Options = _nodeOptions.GetValueOrDefault(sighting.Mac),
        };
    }

    public BootFileAnswer Open(BootFileRequest request)
    {
        var (node, path) = Locate(request);
        if (node is null) return BootFileAnswer.NotFound($"{request.Client} is no node of ours");
        if (!node.Spec.Adopted) return BootFileAnswer.NotFound($"{node.Name} is not adopted");
        if (!_networks.TryGetValue(node.Status.Network, out var network))
            return BootFileAnswer.NotFound($"{node.Name} belongs to a network that is not configured any more");
        return files.Open(node, network, path);
    }

    public void Record(BootStep step)
    {
        var node = step.Mac is { } mac ? nodes.Find(mac)
            : step.Address is { } address ? locator.Find(address) : null;
        if (node is not null) observer.Step(node, step);
    }

    private NodeSnapshot Discover(BoardSighting sighting, NetworkOptions network)
    {
        var configured = options.Nodes.FirstOrDefault(n => n.Mac == sighting.Mac);
        var adopted = network.Adopt == AdoptPolicy.Auto || configured is not null;
        var (node, _) = nodes.Add(
            sighting.Mac,
            () => new NodeSpec { Adopted = adopted },
            () => BootObserver.Describe(new NodeStatus
            {
                Phase = adopted ? Contracts.Nodes.NodePhase.Adopted : Contracts.Nodes.NodePhase.Discovered,
                LastSeenAt = clock.GetUtcNow(),
                Verdict = adopted ? "" : "waits for someone to say 'bramble node adopt'",
            }, sighting),
            name: null, number: null, "board");
        return node;
    }

    /// <summary>
    /// The node by its address; a prefix that names another known node wins over an address that names none.
    /// </summary>
    private (NodeSnapshot? Node, string Path) Locate(BootFileRequest request)
    {
        var node = locator.Find(request.Client);
        var slash = request.Path.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0) return (node, request.Path);
        var (prefix, rest) = (request.Path[..slash], request.Path[(slash + 1)..]);
        if (node is not null && IsPrefixOf(node, prefix)) return (node, rest);
        var named = node is null ? locator.FindByPrefix(prefix) : null;
        return named is not null ? (named, rest) : (node, request.Path);
    }

    private static bool IsPrefixOf(NodeSnapshot node, string prefix) =>
        prefix.Equals(node.Status.Serial, StringComparison.OrdinalIgnoreCase)
        || (MacAddress.TryParse(prefix, out var mac) && mac == node.Mac);
}
