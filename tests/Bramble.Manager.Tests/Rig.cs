using Bramble.Manager.Configuration;
using Bramble.Manager.Events;
using Bramble.Manager.Nodes;
using Bramble.Manager.Nodes.Timeline;
using Bramble.Manager.Store;
using Bramble.Testing;
using Bramble.Wire;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bramble.Manager.Tests;

/// <summary>
/// The durable middle of a manager over a directory of the test's own, on a clock that the test moves.
/// </summary>
internal sealed class Rig : IAsyncDisposable
{
    private readonly Scratch _scratch = new();

    public Rig(BrambleOptions? options = null)
    {
        Options = (options ?? Sample.Options()) with { StateDirectory = _scratch["state"] };
        Open();
    }

    public ManualTimeProvider Clock { get; } = new();

    public Scratch Scratch => _scratch;

    public BrambleOptions Options { get; set; }

    public Database Database { get; private set; } = null!;

    public EventLog Events { get; private set; } = null!;

    public NodeRegistry Nodes { get; private set; } = null!;

    public BootTimeline Timeline { get; private set; } = null!;

    /// <summary>As a daemon that is stopped and started again.</summary>
    public async Task RestartAsync()
    {
        await Database.DisposeAsync();
        Open();
    }

    /// <summary>Adds an adopted node and waits until it is durable.</summary>
    public async Task<NodeSnapshot> AddAsync(
        int n, Func<NodeSpec, NodeSpec>? spec = null, Func<NodeStatus, NodeStatus>? status = null)
    {
        var (node, durable) = Nodes.Add(Sample.Mac(n),
            () => (spec ?? (s => s))(new NodeSpec { Adopted = true }),
            () => (status ?? (s => s))(new NodeStatus { Phase = Contracts.Nodes.NodePhase.Adopted, Network = "rack" }),
            null, null, "test");
        await durable;
        return node;
    }

    public NodeSnapshot Node(long id) => Nodes.Find(id)!;

    public async Task<NodeSnapshot> SetAsync(long id, Func<NodeStatus, NodeStatus> change)
    {
        var (node, durable) = Nodes.Observe(id, change, "test");
        await durable;
        return node!;
    }

    /// <summary>Completes when all that was posted before is in the store.</summary>
    public Task SettledAsync() => Database.PutAsync(_ => { });

    public async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync();
        _scratch.Dispose();
    }

    private void Open()
    {
        Database = Database.Open(Options.StateDirectory, NullLogger<Database>.Instance);
        Events = new EventLog(Database, Clock);
        Nodes = new NodeRegistry(Database, Events, Clock);
        Timeline = new BootTimeline(Database);
    }
}

internal static class RigExtensions
{
    /// <summary>A write that no cancelled test cuts short: it is what is tested.</summary>
    public static Task PutAsync(this Database database, Action<System.Data.IDbConnection> write) =>
        database.WriteAsync(write, CancellationToken.None);
}

/// <summary>Values that many tests start from.</summary>
internal static class Sample
{
    public static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public static MacAddress Mac(int n) => new(0xb827_eb00_0000UL + (ulong)n);

    public static NetworkOptions Network => new()
    {
        Name = "rack",
        Interface = "lo",
        Address = IPv4Prefix.Parse("10.77.0.1/24"),
        Pool = [(IPv4Address.Parse("10.77.0.100"), IPv4Address.Parse("10.77.0.199"))],
    };

    public static BrambleOptions Options(InstallOptions? install = null, NetworkOptions? network = null) => new()
    {
        Networks = [network ?? Network],
        Install = install ?? new InstallOptions(),
    };

    public static NodeSnapshot Node(int n = 1, NodeSpec? spec = null, NodeStatus? status = null, string? name = null) =>
        new(n, n, name ?? $"node-{n:00}", Mac(n), spec ?? new NodeSpec { Adopted = true },
            status ?? new NodeStatus { Phase = Contracts.Nodes.NodePhase.Adopted, Network = "rack" });
}
