using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Serialization;
using Bramble.Boot;
using Bramble.Contracts.Nodes;
using Bramble.Manager.Store;
using Dapper;

namespace Bramble.Manager.Nodes.Timeline;

/// <summary>
/// Every step of every boot. The newest boot of each node is in memory; changed boots are written in batches, and a
/// node keeps its last boots only.
/// </summary>
public sealed class BootTimeline
{
    private const int BootsKept = 20;

    private readonly Database _database;
    private readonly ConcurrentDictionary<long, BootLog> _newest = new();

    public BootTimeline(Database database)
    {
        _database = database;
        var rows = database.Read(c => c.Query<Row>(
            """
            SELECT b.id, b.node_id AS NodeId, b.last_at AS LastAt, b.outcome, b.verdict, b.steps FROM boots b
            WHERE b.id = (SELECT MAX(x.id) FROM boots x WHERE x.node_id = b.node_id)
            """));
        foreach (var row in rows)
        {
            var log = new BootLog(row.Id);
            log.Restore(row.View());
            _newest[row.NodeId] = log;
        }
    }

    /// <summary>The newest boot as it stands; null if the node never booted.</summary>
    public BootView? Newest(long nodeId)
    {
        if (!_newest.TryGetValue(nodeId, out var log)) return null;
        lock (log) return log.View();
    }

    /// <summary>
    /// Whether a boot loader's DISCOVER opens a new boot rather than repeating the last one: the last boot has ended,
    /// got past DHCP, or is older than a Pi keeps asking.
    /// </summary>
    /// <param name="chained">It comes from a loader that an earlier step of the same boot may have started.</param>
    public bool StartsNewBoot(long nodeId, DateTimeOffset now, bool chained = false)
    {
        if (!_newest.TryGetValue(nodeId, out var log)) return true;
        lock (log)
            return (chained ? log.PastLoader : log.PastDhcp)
                || log.Outcome != BootOutcome.Going || now - log.LastAt > TimeSpan.FromSeconds(60);
    }

    /// <summary>
    /// Opens a boot and returns its id. One that was going ends, with the verdict that its steps allow.
    /// </summary>
    /// <param name="family">The board's, for the verdict.</param>
    /// <param name="after">The newest boot that the node knows of: the new id is higher.</param>
    public long Start(long nodeId, DateTimeOffset now, string family = "", long after = 0)
    {
        var id = Math.Max(now.ToUnixTimeMilliseconds(), after + 1);
        if (_newest.TryGetValue(nodeId, out var last))
        {
            lock (last)
            {
                // Rising even if the clock was set back: tokens of older boots must stay older.
                id = Math.Max(id, last.Id + 1);
                if (last.Outcome == BootOutcome.Going)
                    last.End(BootOutcome.Stopped,
                        BootVerdict.Explain(last.Steps, family, now - last.LastAt, again: true));
                Save(nodeId, last);
            }
        }
        _newest[nodeId] = new BootLog(id) { Dirty = true };
        return id;
    }

    public void Add(long nodeId, BootStep step)
    {
        var log = _newest.GetOrAdd(nodeId, static (_, at) => new BootLog(at.ToUnixTimeMilliseconds()), step.At);
        lock (log) log.Add(step);
    }

    public void End(long nodeId, BootOutcome outcome, string verdict)
    {
        if (!_newest.TryGetValue(nodeId, out var log)) return;
        lock (log) log.End(outcome, verdict);
    }

    public void Forget(long nodeId) => _newest.TryRemove(nodeId, out _);

    /// <summary>Writes what changed since the last call.</summary>
    public void Flush()
    {
        foreach (var (nodeId, log) in _newest)
        {
            lock (log)
            {
                if (log.Dirty) Save(nodeId, log);
            }
        }
    }

    public async Task<IReadOnlyList<BootView>> ReadAsync(long nodeId, int boots)
    {
        var newest = Newest(nodeId);
        if (newest is null) return [];
        if (boots <= 1) return [newest];
        var rows = await _database.ReadAsync(c => c.QueryAsync<Row>(
            """
            SELECT id, node_id AS NodeId, last_at AS LastAt, outcome, verdict, steps FROM boots
            WHERE node_id = @nodeId AND id < @before ORDER BY id DESC LIMIT @limit
            """, new { nodeId, before = newest.Id, limit = boots - 1 })).ConfigureAwait(false);
        return [newest, .. rows.Select(row => row.View())];
    }

    private void Save(long nodeId, BootLog log)
    {
        log.Dirty = false;
        var view = log.View();
        var steps = JsonSerializer.Serialize(view.Steps, TimelineJson.Default.IReadOnlyListTimelineStep);
        _database.Post(connection =>
        {
            connection.Execute(
                """
                INSERT INTO boots (id, node_id, last_at, outcome, verdict, steps)
                VALUES (@Id, @nodeId, @lastAt, @Outcome, @Verdict, @steps)
                ON CONFLICT (node_id, id) DO UPDATE SET last_at = excluded.last_at, outcome = excluded.outcome,
                    verdict = excluded.verdict, steps = excluded.steps
                """,
                new
                {
                    view.Id,
                    nodeId,
                    lastAt = view.LastAt.ToUnixTimeMilliseconds(),
                    view.Outcome,
                    view.Verdict,
                    steps,
                });
            connection.Execute(
                """
                DELETE FROM boots WHERE node_id = @nodeId AND id NOT IN
                    (SELECT id FROM boots WHERE node_id = @nodeId ORDER BY id DESC LIMIT @kept)
                """, new { nodeId, kept = BootsKept });
        });
    }

    private sealed record Row(long Id, long NodeId, long LastAt, string Outcome, string Verdict, string Steps)
    {
        public BootView View() => new(
            Id, DateTimeOffset.FromUnixTimeMilliseconds(Id), DateTimeOffset.FromUnixTimeMilliseconds(LastAt), Outcome,
            Verdict, JsonSerializer.Deserialize(Steps, TimelineJson.Default.IReadOnlyListTimelineStep) ?? []);
    }
}

[JsonSerializable(typeof(IReadOnlyList<TimelineStep>))]
internal sealed partial class TimelineJson : JsonSerializerContext;
