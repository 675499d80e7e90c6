using System.Collections.Concurrent;
using System.Data;
using System.Text.Json;
using Bramble.Contracts.Nodes;
using Bramble.Manager.Events;
using Bramble.Manager.Store;
using Bramble.Wire;
using Dapper;

namespace Bramble.Manager.Nodes;

/// <summary>A name, number or address that another node has.</summary>
public sealed class NodeConflictException(string message) : Exception(message);

/// <summary>
/// All nodes: read without locks, changed by one writer at a time, kept in the store. A change is visible to readers at
/// once; the task that an update returns completes when it is durable.
/// </summary>
public sealed class NodeRegistry
{
    private readonly Database _database;
    private readonly EventLog _events;
    private readonly TimeProvider _clock;
    private readonly Lock _lock = new();
    private readonly ConcurrentDictionary<long, Node> _byId = new();
    private readonly ConcurrentDictionary<MacAddress, Node> _byMac = new();
    private long _nextId;

    public NodeRegistry(Database database, EventLog events, TimeProvider clock)
    {
        _database = database;
        _events = events;
        _clock = clock;
        foreach (var row in database.Read(c => c.Query<Row>("SELECT id, number, name, mac, spec, status FROM nodes")))
        {
            Insert(new NodeSnapshot(row.Id, (int)row.Number, row.Name, MacAddress.Parse(row.Mac),
                JsonSerializer.Deserialize(row.Spec, NodesJson.Spec)!,
                JsonSerializer.Deserialize(row.Status, NodesJson.Status)!)).KeptVersion = 1;
        }
        // Ids are never reused, not even that of a forgotten node: credentials and tokens are derived from them.
        _nextId = database.Read(c => c.ExecuteScalar<long?>(
            """
            SELECT MAX(id) FROM (SELECT MAX(id) AS id FROM nodes UNION SELECT MAX(node_id) AS id FROM events
                UNION SELECT value AS id FROM counters WHERE name = 'node')
            """) ?? 0) + 1;
    }

    /// <summary>Raised after a snapshot was replaced, on the writer's thread: keep it short.</summary>
    public event Action<NodeSnapshot>? Changed;

    public IEnumerable<NodeSnapshot> All => _byId.Values.Select(node => node.Current);

    public int Count => _byId.Count;

    public NodeSnapshot? Find(long id) => _byId.TryGetValue(id, out var node) ? node.Current : null;

    public NodeSnapshot? Find(MacAddress mac) => _byMac.TryGetValue(mac, out var node) ? node.Current : null;

    /// <summary>Adds a board as a node; if it is there already, returns that one.</summary>
    public (NodeSnapshot Node, Task Durable) Add(
        MacAddress mac, Func<NodeSpec> spec, Func<NodeStatus> status, string? name, int? number, string actor)
    {
        NodeSnapshot added;
        Node identity;
        lock (_lock)
        {
            if (_byMac.TryGetValue(mac, out var known)) return (known.Current, Task.CompletedTask);
            var free = number ?? FreeNumber();
            added = new NodeSnapshot(_nextId++, free, name ?? FreeName(free), mac, spec(), status() with
            {
                PhaseSince = _clock.GetUtcNow(),
            });
            Require(added, exceptId: 0);
            identity = Insert(added);
        }
        _events.Add("node.added", added.Id, added.Name, actor, $"{added.Mac} {added.Status.Model}".TrimEnd());
        Changed?.Invoke(added);
        return (added, SaveAsync(identity));
    }

    /// <summary>Replaces a node's snapshot by what the function makes of it. Null if there is no such node.</summary>
    /// <exception cref="NodeConflictException">The new name, number or address is another node's.</exception>
    public (NodeSnapshot? Node, Task Durable) Update(long id, Func<NodeSnapshot, NodeSnapshot> change, string actor)
    {
        NodeSnapshot before, after;
        Node? node;
        long version;
        lock (_lock)
        {
            if (!_byId.TryGetValue(id, out node)) return (null, Task.CompletedTask);
            before = node.Current;
            after = change(before);
            if (ReferenceEquals(before, after)) return (before, Task.CompletedTask);
            if (after.Status.Phase != before.Status.Phase)
                after = after with { Status = after.Status with { PhaseSince = _clock.GetUtcNow() } };
            if (after.Name != before.Name || after.Number != before.Number
                || after.Spec.ReservedAddress != before.Spec.ReservedAddress)
                Require(after, id);
            node.Current = after;
            version = ++node.Version;
        }
        if (after.Status.Phase != before.Status.Phase)
        {
            var verdict = after.Status.Verdict.Length == 0 ? "" : $": {after.Status.Verdict}";
            _events.Add("node.phase", id, after.Name, actor,
                $"{Word(before.Status.Phase)} → {Word(after.Status.Phase)}{verdict}");
        }
        Changed?.Invoke(after);
        return (after, IsWish(before, after) ? KeepWishAsync(node, version, before, after) : SaveAsync(node));
    }

    /// <summary>
    /// Adds and replaces many nodes in one transaction: all of them or none. The function is given all nodes as they
    /// are, and returns those that are to be; one with the id 0 is new.
    /// </summary>
    public (IReadOnlyList<NodeSnapshot> Nodes, Task Durable) ChangeMany(
        Func<IReadOnlyCollection<NodeSnapshot>, IReadOnlyList<NodeSnapshot>> plan, string actor)
    {
        var steps = new List<Step>();
        lock (_lock)
        {
            foreach (var wanted in plan([.. All]))
            {
                var node = wanted.Id == 0 ? null : _byId[wanted.Id];
                var before = node?.Current;
                var after = before?.Status.Phase == wanted.Status.Phase ? wanted
                    : wanted with { Status = wanted.Status with { PhaseSince = _clock.GetUtcNow() } };
                if (node is null) node = Insert(after = after with { Id = _nextId++ });
                else (node.Current, node.Version) = (after, node.Version + 1);
                steps.Add(new Step(node, before, after, node.Version));
            }
        }
        foreach (var step in steps) Changed?.Invoke(step.After);
        return ([.. steps.Select(step => step.After)], KeepAllAsync(steps, actor));
    }

    /// <summary>
    /// Completes when all that is known of a node is durable. An update that the store refused is in memory still: what
    /// is answered from memory waits here first.
    /// </summary>
    public Task KeptAsync(long id) =>
        !_byId.TryGetValue(id, out var node) || IsKept(node) ? Task.CompletedTask : SaveAsync(node);

    /// <summary>Whether all that is known of a node is durable, but for when it was last seen.</summary>
    public bool IsKept(long id) => !_byId.TryGetValue(id, out var node) || IsKept(node);

    /// <summary>As <see cref="Update"/>, for the status alone.</summary>
    public (NodeSnapshot? Node, Task Durable) Observe(long id, Func<NodeStatus, NodeStatus> change, string actor) =>
        Update(id, node => change(node.Status) is var status && ReferenceEquals(status, node.Status)
            ? node : node with { Status = status }, actor);

    /// <summary>Notes that a node was seen; written to the store at the next <see cref="FlushSeen"/>.</summary>
    public void Seen(long id, Func<NodeStatus, NodeStatus> change)
    {
        lock (_lock)
        {
            if (!_byId.TryGetValue(id, out var node)) return;
            node.Current = node.Current with { Status = change(node.Current.Status) };
            node.Dirty = true;
        }
    }

    /// <summary>
    /// Writes the times of last sight, whose loss in a crash does no harm, and again what the store refused.
    /// </summary>
    public void FlushSeen()
    {
        foreach (var node in _byId.Values)
        {
            if (!IsKept(node))
            {
                // The store says itself what is wrong with it.
                _ = SaveAsync(node).ContinueWith(static task => _ = task.Exception, CancellationToken.None,
                    TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
                continue;
            }
            lock (_lock)
            {
                if (!node.Dirty) continue;
                node.Dirty = false;
            }
            _database.Post(connection => WriteNewest(connection, node.Current.Id));
        }
    }

    /// <summary>
    /// Forgets a node. Its credential and tokens end with it. If the store did not take it, the node is there as
    /// before.
    /// </summary>
    public async Task RemoveAsync(long id, string actor)
    {
        Node? node;
        NodeSnapshot gone;
        lock (_lock)
        {
            if (!_byId.TryRemove(id, out node)) return;
            gone = node.Current;
            _byMac.TryRemove(gone.Mac, out _);
        }
        // Whoever keeps its address reserved lets it go.
        Changed?.Invoke(gone with { Spec = gone.Spec with { ReservedAddress = null } });
        try
        {
            await _database.WriteAsync(connection =>
            {
                // Its id must not come again, even if the store has never heard of it.
                connection.Execute(RaiseCounter, new { id });
                connection.Execute("DELETE FROM nodes WHERE id = @id", new { id });
                connection.Execute("DELETE FROM boots WHERE node_id = @id", new { id });
            }).ConfigureAwait(false);
        }
        catch
        {
            lock (_lock)
            {
                if (_byMac.TryAdd(gone.Mac, node)) _byId[id] = node;
            }
            Changed?.Invoke(gone);
            throw;
        }
        _events.Add("node.forgotten", id, gone.Name, actor, gone.Mac.ToString());
    }

    public static string Word(NodePhase phase) => phase.ToString().ToLowerInvariant();

    private static bool IsWish(NodeSnapshot before, NodeSnapshot after) =>
        !ReferenceEquals(before.Spec, after.Spec) || before.Name != after.Name || before.Number != after.Number;

    /// <summary>A wish that could not be kept was refused: it must not be carried out all the same.</summary>
    private async Task KeepWishAsync(Node node, long version, NodeSnapshot before, NodeSnapshot after)
    {
        try
        {
            await SaveAsync(node).ConfigureAwait(false);
        }
        catch
        {
            NodeSnapshot undone;
            lock (_lock)
            {
                var now = node.Current;
                if (node.KeptVersion >= version || IsWish(after, now)) throw;
                undone = node.Current = ReferenceEquals(now, after) ? before
                    : now with { Spec = before.Spec, Name = before.Name, Number = before.Number };
            }
            Changed?.Invoke(undone);
            throw;
        }
    }

    private async Task KeepAllAsync(List<Step> steps, string actor)
    {
        if (steps.Count == 0) return;
        try
        {
            await _database.WriteAsync(connection =>
            {
                foreach (var step in steps) WriteNewest(connection, step.After.Id);
                connection.Execute(RaiseCounter, new { id = steps.Max(step => step.After.Id) });
            }).ConfigureAwait(false);
        }
        catch
        {
            foreach (var step in steps) Undo(step);
            throw;
        }
        lock (_lock)
            foreach (var step in steps) step.Node.KeptVersion = Math.Max(step.Node.KeptVersion, step.Version);
        foreach (var added in steps.Where(step => step.Before is null).Select(step => step.After))
            _events.Add("node.added", added.Id, added.Name, actor, added.Mac.ToString());
    }

    private void Undo(Step step)
    {
        NodeSnapshot undone;
        lock (_lock)
        {
            var now = step.Node.Current;
            if (step.Node.KeptVersion >= step.Version || IsWish(step.After, now)) return;
            if (step.Before is { } before)
            {
                undone = step.Node.Current = ReferenceEquals(now, step.After) ? before
                    : now with { Spec = before.Spec, Name = before.Name, Number = before.Number };
            }
            else
            {
                _byId.TryRemove(now.Id, out _);
                _byMac.TryRemove(now.Mac, out _);
                undone = now with { Spec = now.Spec with { ReservedAddress = null } };
            }
        }
        Changed?.Invoke(undone);
    }

    private bool IsKept(Node node)
    {
        lock (_lock) return node.KeptVersion >= node.Version;
    }

    private async Task SaveAsync(Node node)
    {
        var (version, isNew) = (0L, false);
        await _database.WriteAsync(connection =>
        {
            lock (_lock) (version, isNew) = (node.Version, node.KeptVersion == 0);
            WriteNewest(connection, node.Current.Id);
            if (isNew) connection.Execute(RaiseCounter, new { id = node.Current.Id });
        }).ConfigureAwait(false);
        lock (_lock) node.KeptVersion = Math.Max(node.KeptVersion, version);
    }

    private const string RaiseCounter =
        """
        INSERT INTO counters (name, value) VALUES ('node', @id)
        ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE counters.value < excluded.value
        """;

    /// <summary>
    /// The newest snapshot is written, whichever update asked for it: a late writer brings back neither an old state
    /// nor a forgotten node.
    /// </summary>
    private void WriteNewest(IDbConnection connection, long id)
    {
        if (_byId.TryGetValue(id, out var node)) Write(connection, node.Current);
    }

    private static void Write(IDbConnection connection, NodeSnapshot node) => connection.Execute(
        """
        INSERT INTO nodes (id, number, name, mac, spec, status)
        VALUES (@id, @number, @name, @mac, @spec, @status)
        ON CONFLICT (id) DO UPDATE SET number = excluded.number, name = excluded.name, mac = excluded.mac,
            spec = excluded.spec, status = excluded.status
        """,
        new
        {
            id = node.Id,
            number = node.Number,
            name = node.Name,
            mac = node.Mac.ToString(),
            spec = JsonSerializer.Serialize(node.Spec, NodesJson.Spec),
            status = JsonSerializer.Serialize(node.Status, NodesJson.Status),
        });

    private Node Insert(NodeSnapshot node)
    {
        var identity = new Node(node);
        _byId[node.Id] = identity;
        _byMac[node.Mac] = identity;
        return identity;
    }

    private int FreeNumber()
    {
        var taken = _byId.Values.Select(node => node.Current.Number).ToHashSet();
        for (var number = 1; ; number++)
            if (!taken.Contains(number)) return number;
    }

    private string FreeName(int number)
    {
        for (var i = number; ; i++)
        {
            var name = $"node-{i:00}";
            if (_byId.Values.All(node => node.Current.Name != name)) return name;
        }
    }

    private void Require(NodeSnapshot wanted, long exceptId)
    {
        foreach (var node in _byId.Values)
        {
            var other = node.Current;
            if (other.Id == exceptId) continue;
            if (other.Name == wanted.Name)
                throw new NodeConflictException(
                    $"the name '{wanted.Name}' belongs to node {other.Number} ({other.Mac})");
            if (other.Number == wanted.Number)
                throw new NodeConflictException($"the number {wanted.Number} belongs to '{other.Name}'");
            if (wanted.Spec.ReservedAddress is { } address && other.Spec.ReservedAddress == address)
                throw new NodeConflictException($"the address {address} is reserved for '{other.Name}'");
        }
    }

    /// <param name="Before">Null for a node that was added.</param>
    private sealed record Step(Node Node, NodeSnapshot? Before, NodeSnapshot After, long Version);

    private sealed record Row(long Id, long Number, string Name, string Mac, string Spec, string Status);
}
