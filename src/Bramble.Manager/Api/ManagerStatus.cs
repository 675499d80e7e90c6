using Bramble.Contracts.Api;
using Bramble.Manager.Configuration;
using Bramble.Manager.Nodes;
using Bramble.Manager.Store;

namespace Bramble.Manager.Api;

/// <summary>The daemon's own state for people: version, networks, how many nodes in which phase.</summary>
public sealed class ManagerStatus(BrambleOptions options, NodeRegistry nodes, Database database, TimeProvider clock)
{
    private readonly DateTimeOffset _startedAt = clock.GetUtcNow();

    /// <summary>What an operator should look at, beyond the store.</summary>
    public Func<IReadOnlyList<string>> Warnings { get; init; } = () => [];

    /// <summary>What the parts of the daemon count, by name.</summary>
    public Func<IEnumerable<KeyValuePair<string, long>>> Counters { get; init; } = () => [];

    public static string Version { get; } = typeof(ManagerStatus).Assembly.GetName().Version!.ToString(3);

    public static IResult Show(ManagerStatus status) => Json.Of(status.View());

    public ManagerView View()
    {
        var (commits, writes) = database.Statistics;
        return new ManagerView(
            options.Cluster, Version, _startedAt,
            [.. options.Networks.Select(n => new NetworkView(n.Name,
                n.Via is null ? n.Interface : $"via {n.Via}", n.Prefix.ToString(),
                n.Dhcp.ToString().ToLowerInvariant(), n.Adopt.ToString().ToLowerInvariant(), n.BootUrl))],
            nodes.All.GroupBy(node => node.Status.Phase)
                .ToDictionary(group => NodeRegistry.Word(group.Key), group => group.Count()),
            new Dictionary<string, long>(Counters())
            {
                ["store.commits"] = commits,
                ["store.writes"] = writes,
                ["memory.bytes"] = Environment.WorkingSet,
                ["cpu.milliseconds"] = (long)Environment.CpuUsage.TotalTime.TotalMilliseconds,
            },
            database.Trouble is { } trouble
                ? $"the store has taken no writes since {trouble.Since:u}: {trouble.Why}" : database.Salvaged?.Summary)
        {
            Warnings = Warnings() is { Count: > 0 } warnings ? warnings : null,
        };
    }
}
