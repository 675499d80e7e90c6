using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Bramble.Contracts.Security;
using Bramble.Manager.Events;
using Bramble.Manager.Store;
using Dapper;

namespace Bramble.Manager.Security;

/// <summary>
/// Who may use the API. A token reads <c>brm_ID_SECRET</c>; only the SHA-256 of the secret is kept (the secret has 256
/// random bits, so a slow hash would add nothing).
/// </summary>
public sealed class TokenStore
{
    private readonly Database _database;
    private readonly EventLog _events;
    private readonly TimeProvider _clock;
    private readonly ConcurrentDictionary<string, Entry> _entries = new();

    public TokenStore(Database database, EventLog events, TimeProvider clock)
    {
        _database = database;
        _events = events;
        _clock = clock;
        Load();
    }

    /// <summary>Whether anybody could make another token: an admin's is there that has not expired.</summary>
    public bool HasAdmin => _entries.Values.Any(IsAdmin);

    /// <summary>Whether nobody could make another token if this one were gone.</summary>
    public bool IsLastAdmin(string id) => _entries.Values.Where(IsAdmin).ToList() is [{ } last] && last.View.Id == id;

    public IReadOnlyList<TokenView> All => [.. _entries.Values.Select(e => e.View).OrderBy(view => view.CreatedAt)];

    public async Task<TokenCreated> CreateAsync(string name, Role role, DateTimeOffset? expiresAt, string actor)
    {
        var secret = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        var id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4));
        var now = _clock.GetUtcNow();
        var view = new TokenView(id, name, role, now, expiresAt, null);
        var hash = Hash(secret);
        await _database.WriteAsync(c => c.Execute(
            """
            INSERT INTO tokens (id, name, role, hash, created_at, expires_at)
            VALUES (@id, @name, @role, @hash, @createdAt, @expiresAt)
            """,
            new
            {
                id,
                name,
                role = role.ToString(),
                hash = Convert.ToHexStringLower(hash),
                createdAt = now.ToUnixTimeMilliseconds(),
                expiresAt = expiresAt?.ToUnixTimeMilliseconds(),
            })).ConfigureAwait(false);
        _entries[id] = new Entry(view, hash);
        _events.Add("token.created", null, null, actor, $"{name} ({role.ToString().ToLowerInvariant()}, id {id})");
        return new TokenCreated(view, $"brm_{id}_{secret}");
    }

    public async Task<bool> RevokeAsync(string id, string actor)
    {
        if (!_entries.TryGetValue(id, out var entry)) return false;
        // Gone from the store first: a revocation that is not durable must not look as if it were.
        await _database.WriteAsync(c => c.Execute("DELETE FROM tokens WHERE id = @id", new { id }))
            .ConfigureAwait(false);
        _entries.TryRemove(id, out _);
        _events.Add("token.revoked", null, null, actor, $"{entry.View.Name} (id {id})");
        return true;
    }

    /// <summary>Whose token this is; null if it is unknown, wrong or expired.</summary>
    public TokenView? Authenticate(string token)
    {
        if (token.Split('_', 3) is not ["brm", var id, var secret]) return null;
        // 'brambled first-token' writes to the store beside a running daemon, which knows of no admin then.
        if (!HasAdmin) Load();
        if (!_entries.TryGetValue(id, out var entry)
            || !CryptographicOperations.FixedTimeEquals(entry.Hash, Hash(secret)))
            return null;
        if (!IsValid(entry)) return null;
        var now = _clock.GetUtcNow();
        if (entry.View.LastUsedAt is not { } last || now - last > TimeSpan.FromMinutes(1))
        {
            entry.View = entry.View with { LastUsedAt = now };
            _database.Post(c => c.Execute("UPDATE tokens SET last_used_at = @at WHERE id = @id",
                new { id, at = now.ToUnixTimeMilliseconds() }));
        }
        return entry.View;
    }

    private bool IsAdmin(Entry entry) => entry.View.Role == Role.Admin && IsValid(entry);

    private bool IsValid(Entry entry) => entry.View.ExpiresAt is not { } expiry || expiry > _clock.GetUtcNow();

    private void Load()
    {
        var rows = _database.Read(c => c.Query<Row>(
            """
            SELECT id, name, role, hash, created_at AS CreatedAt, expires_at AS ExpiresAt, last_used_at AS LastUsedAt
            FROM tokens
            """));
        foreach (var row in rows) _entries.TryAdd(row.Id, new Entry(row.View(), Convert.FromHexString(row.Hash)));
    }

    private static byte[] Hash(string secret) => SHA256.HashData(Encoding.UTF8.GetBytes(secret));

    private sealed class Entry(TokenView view, byte[] hash)
    {
        public TokenView View { get; set; } = view;

        public byte[] Hash { get; } = hash;
    }

    private sealed record Row(
        string Id, string Name, string Role, string Hash, long CreatedAt, long? ExpiresAt, long? LastUsedAt)
    {
        public TokenView View() => new(Id, Name, Enum.Parse<Role>(Role),
            DateTimeOffset.FromUnixTimeMilliseconds(CreatedAt),
            ExpiresAt is { } e ? DateTimeOffset.FromUnixTimeMilliseconds(e) : null,
            LastUsedAt is { } u ? DateTimeOffset.FromUnixTimeMilliseconds(u) : null);
    }
}
