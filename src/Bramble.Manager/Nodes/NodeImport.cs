using Bramble.Contracts.Nodes;
using Bramble.Manager.Api;
using Bramble.Manager.Configuration;
using Bramble.Wire;

namespace Bramble.Manager.Nodes;

/// <summary>
/// What an import would do to the nodes that there are. Pure: each line is judged by what the lines before it have
/// left, so that the store can write them in the same order.
/// </summary>
public sealed class NodeImport
{
    /// <summary>Lines of one request; more is no rack of boards.</summary>
    public const int Bound = 10_000;

    private readonly BrambleOptions _options;
    private readonly Dictionary<MacAddress, NodeSnapshot> _byMac = [];
    private readonly Dictionary<string, NodeSnapshot> _byName = [];
    private readonly Dictionary<int, NodeSnapshot> _byNumber = [];
    private readonly Dictionary<IPv4Address, NodeSnapshot> _byAddress = [];
    private readonly Dictionary<MacAddress, int> _lines = [];

    /// <summary>
    /// Numbers and names that some line asks for: none of them is given to a node that asks for none.
    /// </summary>
    private readonly HashSet<int> _wantedNumbers;
    private readonly HashSet<string> _wantedNames;
    private int _nextNumber = 1;

    private NodeImport(NodeImportRequest request, IEnumerable<NodeSnapshot> nodes, BrambleOptions options)
    {
        _options = options;
        foreach (var node in nodes) Take(node);
        _wantedNumbers = [.. request.Nodes.Select(entry => entry.Number ?? 0)];
        _wantedNames = [.. request.Nodes.Select(entry => entry.Name ?? "")];
    }

    /// <summary>The outcome of each line, and the nodes as they are to be; a new one has the id 0.</summary>
    public static (IReadOnlyList<NodeImportOutcome> Outcomes, IReadOnlyList<NodeSnapshot> Wanted) Plan(
        NodeImportRequest request, IEnumerable<NodeSnapshot> nodes, BrambleOptions options)
    {
        var import = new NodeImport(request, nodes, options);
        var outcomes = new List<NodeImportOutcome>(request.Nodes.Count);
        var wanted = new List<NodeSnapshot>();
        foreach (var entry in request.Nodes)
        {
            var (outcome, node) = import.Judge(entry);
            outcomes.Add(outcome);
            if (node is not null) wanted.Add(node);
        }
        return (outcomes, wanted);
    }

    /// <summary>Whether this line keeps the others from being taken, unless bad ones are to be skipped.</summary>
    public static bool IsRefused(NodeImportOutcome outcome) =>
        outcome.Verdict is NodeImportVerdict.Bad or NodeImportVerdict.Conflict;

    private (NodeImportOutcome Outcome, NodeSnapshot? Node) Judge(NodeImportEntry entry)
    {
        if (!MacAddress.TryParse(entry.Mac, out var mac) || mac.IsMulticast)
            return (Refuse(entry, NodeImportVerdict.Bad, $"'{entry.Mac}' is not a board's MAC address"), null);
        if (!_lines.TryAdd(mac, entry.Line))
            return (Refuse(entry, NodeImportVerdict.Conflict, $"{mac} is in line {_lines[mac]} already"), null);
        var before = _byMac.GetValueOrDefault(mac);
        NodeSnapshot after;
        try
        {
            after = Apply(entry, mac, before);
        }
        catch (ProblemException e)
        {
            return (Refuse(entry, NodeImportVerdict.Bad, e.Message), null);
        }
        if (Obstacle(after, before) is { } obstacle)
            return (Refuse(entry, NodeImportVerdict.Conflict, obstacle), null);
        if (before is not null)
        {
            var changes = Changes(before, after);
            if (changes.Count == 0) return (Tell(entry, NodeImportVerdict.Same, before, ""), null);
            Leave(before);
            Take(after);
            return (Tell(entry, NodeImportVerdict.Changed, after, string.Join(", ", changes)), after);
        }
        Take(after);
        return (Tell(entry, NodeImportVerdict.Added, after, ""), after);
    }

    private NodeSnapshot Apply(NodeImportEntry entry, MacAddress mac, NodeSnapshot? before)
    {
        var name = entry.Name is { } wanted ? NodeChanges.CheckName(wanted) : null;
        var number = entry.Number is { } given ? NodeChanges.CheckNumber(given) : (int?)null;
        var spec = NodeChanges.Apply(before?.Spec ?? new NodeSpec(), new NodePatch
        {
            ReservedAddress = entry.Address,
            Labels = entry.Labels,
        }, _options) with { Adopted = true };
        if (before is not null)
        {
            return before with
            {
                Name = name ?? before.Name,
                Number = number ?? before.Number,
                Spec = spec,
                Status = before.Status.Phase != NodePhase.Discovered ? before.Status
                    : before.Status with { Phase = NodePhase.Adopted, Verdict = "" },
            };
        }
        var network = _options.Networks.FirstOrDefault(
            n => spec.ReservedAddress is { } address && n.Prefix.Contains(address));
        var free = number ?? FreeNumber();
        return new NodeSnapshot(0, free, name ?? FreeName(free), mac, spec,
            new NodeStatus { Phase = NodePhase.Adopted, Network = network?.Name ?? "" });
    }

    private string? Obstacle(NodeSnapshot after, NodeSnapshot? before)
    {
        if (_byName.TryGetValue(after.Name, out var other) && other != before)
            return $"the name '{after.Name}' belongs to {Of(other)}";
        if (_byNumber.TryGetValue(after.Number, out other) && other != before)
            return $"the number {after.Number} belongs to {Of(other)}";
        if (after.Spec.ReservedAddress is { } address && _byAddress.TryGetValue(address, out other) && other != before)
            return $"the address {address} is reserved for {Of(other)}";
        return null;
    }

    private string Of(NodeSnapshot other) => other.Id == 0 ? $"line {_lines[other.Mac]} ({other.Mac})"
        : $"'{other.Name}' ({other.Mac})";

    private static List<string> Changes(NodeSnapshot before, NodeSnapshot after)
    {
        var changes = new List<string>();
        if (!before.Spec.Adopted) changes.Add("adopted");
        if (after.Name != before.Name) changes.Add($"name {before.Name} → {after.Name}");
        if (after.Number != before.Number) changes.Add($"number {before.Number} → {after.Number}");
        if (after.Spec.ReservedAddress != before.Spec.ReservedAddress)
            changes.Add($"address {before.Spec.ReservedAddress?.ToString() ?? "none"} → {after.Spec.ReservedAddress}");
        changes.AddRange(after.Spec.Labels
            .Where(label => before.Spec.Labels.GetValueOrDefault(label.Key) != label.Value)
            .Select(label => $"label {label.Key}={label.Value}"));
        changes.AddRange(before.Spec.Labels.Keys.Where(key => !after.Spec.Labels.ContainsKey(key))
            .Select(key => $"no label {key}"));
        return changes;
    }

    private void Take(NodeSnapshot node)
    {
        _byMac[node.Mac] = node;
        _byName[node.Name] = node;
        _byNumber[node.Number] = node;
        if (node.Spec.ReservedAddress is { } address) _byAddress[address] = node;
    }

    private void Leave(NodeSnapshot node)
    {
        _byName.Remove(node.Name);
        _byNumber.Remove(node.Number);
        if (node.Spec.ReservedAddress is { } address) _byAddress.Remove(address);
    }

    private int FreeNumber()
    {
        while (_byNumber.ContainsKey(_nextNumber) || _wantedNumbers.Contains(_nextNumber)) _nextNumber++;
        return _nextNumber;
    }

    private string FreeName(int number)
    {
        for (var i = number; ; i++)
        {
            var name = $"node-{i:00}";
            if (!_byName.ContainsKey(name) && !_wantedNames.Contains(name)) return name;
        }
    }

    private static NodeImportOutcome Refuse(NodeImportEntry entry, NodeImportVerdict verdict, string why) =>
        new(entry.Line, verdict, entry.Mac, entry.Number, entry.Name, entry.Address, why);

    private static NodeImportOutcome Tell(
        NodeImportEntry entry, NodeImportVerdict verdict, NodeSnapshot node, string message) =>
        new(entry.Line, verdict, node.Mac.ToString(), node.Number, node.Name, node.Spec.ReservedAddress?.ToString(),
            message);
}
