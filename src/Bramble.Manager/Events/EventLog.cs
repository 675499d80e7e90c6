using System.Collections.Concurrent;
using System.Threading.Channels;
using Bramble.Contracts.Events;
using Bramble.Manager.Store;
using Dapper;

namespace Bramble.Manager.Events;

/// <summary>
/// What happened, in order, with its cause: the audit trail and the live stream. An entry is in memory and with the
/// subscribers at once and in the store within a moment. A subscriber that cannot follow is cut off and resumes by id.
/// </summary>
public sealed class EventLog
{
    private const int RecentBound = 10_000;
    private const int SubscriberBound = 4_096;

    /// <summary>Entries kept in the store; older ones go, a thousand at a time.</summary>
    private const int StoredBound = 200_000;

    private readonly Database _database;
    private readonly TimeProvider _clock;
    private readonly Lock _lock = new();
    private readonly Queue<EventView> _recent = new();
    private readonly ConcurrentDictionary<Channel<EventView>, byte> _subscribers = new();
    private long _lastId;

    public EventLog(Database database, TimeProvider clock)
    {
        _database = database;
        _clock = clock;
        _lastId = database.Read(c => c.ExecuteScalar<long?>("SELECT MAX(id) FROM events") ?? 0);
    }

    public EventView Add(string kind, long? nodeId, string? nodeName, string actor, string message)
    {
        EventView entry;
        lock (_lock)
        {
            entry = new EventView(++_lastId, _clock.GetUtcNow(), kind, nodeId, nodeName, actor, message);
            _recent.Enqueue(entry);
            if (_recent.Count > RecentBound) _recent.Dequeue();
            foreach (var subscriber in _subscribers.Keys)
            {
                if (subscriber.Writer.TryWrite(entry)) continue;
                _subscribers.TryRemove(subscriber, out _);
                subscriber.Writer.TryComplete();
            }
        }
        _database.Post(connection => connection.Execute(
            """
            INSERT INTO events (id, at, kind, node_id, node_name, actor, message)
            VALUES (@id, @at, @kind, @nodeId, @nodeName, @actor, @message)
            """,
            new { id = entry.Id, at = entry.At.ToUnixTimeMilliseconds(), kind, nodeId, nodeName, actor, message }));
        if (entry.Id % 1_000 == 0)
        {
            var oldest = entry.Id - StoredBound;
            _database.Post(c => c.Execute("DELETE FROM events WHERE id <= @oldest", new { oldest }));
        }
        return entry;
    }

    /// <summary>Entries after an id, oldest first; from the store where memory does not reach back.</summary>
    public async Task<IReadOnlyList<EventView>> ReadAsync(long after, int limit, long? nodeId)
    {
        lock (_lock)
        {
            if (nodeId is null && _recent.TryPeek(out var oldest) && oldest.Id <= after + 1)
                return [.. _recent.Where(e => e.Id > after).Take(limit)];
        }
        var rows = await _database.ReadAsync(c => c.QueryAsync<Row>(
            """
            SELECT id, at, kind, node_id AS NodeId, node_name AS NodeName, actor, message FROM events
            WHERE id > @after AND (@nodeId IS NULL OR node_id = @nodeId) ORDER BY id LIMIT @limit
            """, new { after, limit, nodeId })).ConfigureAwait(false);
        return [.. rows.Select(r => new EventView(
            r.Id, DateTimeOffset.FromUnixTimeMilliseconds(r.At), r.Kind, r.NodeId, r.NodeName, r.Actor, r.Message))];
    }

    /// <summary>The last so many entries, oldest first.</summary>
    public Task<IReadOnlyList<EventView>> TailAsync(int limit, long? nodeId) => nodeId is null
        ? ReadAsync(Math.Max(0, Interlocked.Read(ref _lastId) - limit), limit, null)
        : TailOfNodeAsync(limit, nodeId.Value);

    /// <summary>Follows the log live, from an id on. Ends when the reader is too slow; it then resumes by id.</summary>
    public async IAsyncEnumerable<EventView> FollowAsync(
        long after, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        var channel = Channel.CreateBounded<EventView>(SubscriberBound);
        _subscribers[channel] = 0;
        try
        {
            IReadOnlyList<EventView> missed;
            do
            {
                missed = await ReadAsync(after, 1000, null).ConfigureAwait(false);
                foreach (var entry in missed)
                {
                    yield return entry;
                    after = entry.Id;
                }
            }
            // Until nothing is left: what the store lacked a moment ago may be in memory still.
            while (missed.Count > 0);
            await foreach (var entry in channel.Reader.ReadAllAsync(cancellation).ConfigureAwait(false))
                if (entry.Id > after) yield return entry;
        }
        finally
        {
            _subscribers.TryRemove(channel, out _);
        }
    }

    public long LastId => Interlocked.Read(ref _lastId);

    private async Task<IReadOnlyList<EventView>> TailOfNodeAsync(int limit, long nodeId)
    {
        var first = await _database.ReadAsync(c => c.ExecuteScalarAsync<long?>(
            "SELECT MIN(id) FROM (SELECT id FROM events WHERE node_id = @nodeId ORDER BY id DESC LIMIT @limit)",
            new { nodeId, limit })).ConfigureAwait(false);
        return first is null ? [] : await ReadAsync(first.Value - 1, limit, nodeId).ConfigureAwait(false);
    }

    private sealed record Row(
        long Id, long At, string Kind, long? NodeId, string? NodeName, string Actor, string Message);
}
