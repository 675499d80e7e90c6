using System.Globalization;
using Bramble.Manager.Events;
using Bramble.Manager.Nodes;
using Bramble.Manager.Security;
using Bramble.Manager.Store;
using Bramble.Wire;
using Dapper;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bramble.Manager.Tests.Store;

/// <summary>A damaged store is named, set aside whole, and rebuilt from what is sound of it.</summary>
public sealed class DatabaseDamageTests : IAsyncLifetime
{
    private const int PageSize = 4096;
    private const int Nodes = 200;
    private const int Leases = 400;

    private static readonly string[] s_tables = ["nodes", "leases", "events", "boots", "tokens", "counters"];

    private readonly Scratch _scratch = new();
    private Dictionary<string, HashSet<string>> _before = [];
    private byte[] _sound = [];

    private string State => _scratch["state"];

    private string File => Path.Combine(State, "bramble.db");

    public async ValueTask InitializeAsync()
    {
        var database = Open(salvage: false);
        await using (database)
        {
            var events = new EventLog(database, TimeProvider.System);
            var nodes = new NodeRegistry(database, events, TimeProvider.System);
            var tokens = new TokenStore(database, events, TimeProvider.System);
            for (var i = 1; i <= Nodes; i++)
            {
                var n = i;
                await nodes.Add(Sample.Mac(n), () => new NodeSpec
                {
                    Adopted = true,
                    ReservedAddress = new IPv4Address((uint)(0x0a4d0100 + n)),
                }, () => new NodeStatus { Verdict = new string('v', n % 300) }, null, null, "test").Durable;
            }
            await tokens.CreateAsync("boss", Contracts.Security.Role.Admin, null, "test");
            await database.PutAsync(c =>
            {
                for (var i = 1; i <= Leases; i++)
                {
                    c.Execute(
                        "INSERT INTO leases (network, address, mac, record) VALUES ('rack', @address, @mac, @record)",
                        new { address = $"10.77.9.{i}", mac = $"{Sample.Mac(i)}", record = $$"""{"n":{{i}}}""" });
                    c.Execute("INSERT INTO boots VALUES (@i, @i, 1, 'ok', '', '[]')", new { i });
                }
            });
        }
        _before = Content(File);
        _sound = await global::System.IO.File.ReadAllBytesAsync(File, Scratch.Cancellation);
        Assert.True(_sound.Length > 60 * PageSize, $"only {_sound.Length / PageSize} pages");
    }

    public ValueTask DisposeAsync()
    {
        SqliteConnection.ClearAllPools();
        _scratch.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Every page in turn, each third in two ways more. Only the rows that the page held are lost.</summary>
    [Fact]
    public async Task Whichever_page_is_hurt_the_others_are_saved_and_the_rest_is_told()
    {
        var whole = new Dictionary<string, int>();
        for (var page = 0; page < _sound.Length / PageSize; page++)
        {
            foreach (var how in new[] { "zeros", "rubbish", "middle" })
            {
                if (how != "zeros" && page % 3 != 0) continue;
                var hurt = (byte[])_sound.Clone();
                var random = new Random(page);
                var span = how == "middle" ? hurt.AsSpan(page * PageSize + 1500, 1200)
                    : hurt.AsSpan(page * PageSize, PageSize);
                if (how == "zeros") span.Clear();
                else random.NextBytes(span);
                await PutAsync(hurt);
                var database = Open(salvage: true);
                await using (database)
                {
                    // Free space within a page may be overwritten without any harm.
                    if (database.Salvaged is { } salvaged) Check(salvaged, $"page {page}, {how}");
                    else Assert.Equal("middle", how);
                }
                foreach (var table in database.Salvaged?.Tables ?? [])
                    if (table.Lost == 0) whole[how] = whole.GetValueOrDefault(how) + 1;
                if (how != "zeros") continue;
                // And it is sound now.
                await using var again = Open(salvage: true);
                Assert.Null(again.Salvaged);
            }
        }
        Assert.True(whole.Count == 3 && whole.Values.All(count => count > _sound.Length / PageSize),
            $"tables that were saved whole: {string.Join(", ", whole)}");
    }

    [Theory]
    [InlineData(100)]
    [InlineData(16)]
    public async Task A_zeroed_head_loses_nothing(int octets)
    {
        var hurt = (byte[])_sound.Clone();
        Array.Clear(hurt, 0, octets);
        await PutAsync(hurt);
        await using var database = Open(salvage: true);
        Assert.Contains("file is not a database", database.Salvaged!.Why, StringComparison.Ordinal);
        Assert.Equal(_before, Content(File));
        Assert.All(database.Salvaged.Tables, table => Assert.Equal(0, table.Lost));
        Assert.Equal(
            hurt, await global::System.IO.File.ReadAllBytesAsync(database.Salvaged.Aside, Scratch.Cancellation));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(10)]
    [InlineData(30)]
    [InlineData(55)]
    public async Task A_file_that_was_cut_short_keeps_what_is_before_the_cut(int pages)
    {
        await PutAsync(_sound[..(pages * PageSize - 700)]);
        await using var database = Open(salvage: true);
        Check(database.Salvaged!, $"{pages} pages");
        Assert.Contains(database.Salvaged!.Tables, table => table.Lost != 0);
    }

    [Fact]
    public async Task A_file_that_was_cut_to_nothing_is_no_new_store()
    {
        await global::System.IO.File.WriteAllBytesAsync(Path.Combine(State, "secret.key"), new byte[32],
            Scratch.Cancellation);
        Directory.CreateDirectory(Path.Combine(State, "hostkeys"));
        await global::System.IO.File.WriteAllTextAsync(Path.Combine(State, "hostkeys/200"), "", Scratch.Cancellation);
        await PutAsync([]);
        await using var database = Open(salvage: true);
        Assert.Equal("it is empty", database.Salvaged!.Why);
        Assert.Contains("nodes: 0 saved, some lost", database.Salvaged.Summary, StringComparison.Ordinal);
        Assert.Contains("bramble restore", database.Salvaged.Summary, StringComparison.Ordinal);
        // No id comes again: credentials are derived from them.
        var nodes = new NodeRegistry(database, new EventLog(database, TimeProvider.System), TimeProvider.System);
        var (added, _) = nodes.Add(Sample.Mac(1), () => new NodeSpec(), () => new NodeStatus(), null, null, "");
        Assert.True(added.Id > 200);
    }

    [Fact]
    public async Task Octets_that_make_no_sense_in_a_sound_page_cost_one_row()
    {
        await using (var connection = new SqliteConnection($"Data Source={File};Pooling=False"))
        {
            connection.Open();
            connection.Execute("UPDATE nodes SET spec = '{\"Adopted\":tru' WHERE id = 7");
            connection.Execute("UPDATE leases SET record = x'00ff00' WHERE address = '10.77.9.3'");
            connection.Execute("PRAGMA wal_checkpoint(TRUNCATE)");
        }
        await using var database = Open(salvage: true);
        Assert.Contains("1 rows of 'nodes' make no sense", database.Salvaged!.Why, StringComparison.Ordinal);
        Assert.Equal([(Nodes - 1L, 1L), (Leases - 1L, 1L)], new[] { "nodes", "leases" }
            .Select(name => database.Salvaged.Tables.Single(t => t.Table == name))
            .Select(t => (t.Saved, t.Lost!.Value)));
        Assert.Equal(Nodes - 1, new NodeRegistry(
            database, new EventLog(database, TimeProvider.System), TimeProvider.System).Count);
    }

    [Fact]
    public async Task What_is_in_the_write_ahead_log_alone_is_saved_too()
    {
        await using (var connection = new SqliteConnection($"Data Source={File};Pooling=False"))
        {
            connection.Open();
            connection.Execute("PRAGMA wal_autocheckpoint=0; INSERT INTO counters VALUES ('late', 42)");
            // As a kill leaves it: the copy is made while the log is not written back.
            global::System.IO.File.Copy(File + "-wal", _scratch["wal"]);
        }
        var hurt = (byte[])_sound.Clone();
        // The last page: whatever that holds, it is not what the log has.
        Array.Clear(hurt, hurt.Length - PageSize, PageSize);
        await PutAsync(hurt);
        global::System.IO.File.Copy(_scratch["wal"], File + "-wal");
        await using var database = Open(salvage: true);
        Assert.NotNull(database.Salvaged);
        Assert.Equal(42, database.Read(c => c.ExecuteScalar<long>("SELECT value FROM counters WHERE name = 'late'")));
    }

    [Fact]
    public async Task Without_the_states_lock_it_is_told_and_left_as_it_is()
    {
        var hurt = (byte[])_sound.Clone();
        Array.Clear(hurt, PageSize, PageSize * 3);
        await PutAsync(hurt);
        var refused = Assert.Throws<StoreException>(() => Open(salvage: false));
        Assert.Contains(File, refused.Message, StringComparison.Ordinal);
        Assert.Contains("it is damaged; start brambled anew", refused.Message, StringComparison.Ordinal);
        Assert.Equal(hurt, await global::System.IO.File.ReadAllBytesAsync(File, Scratch.Cancellation));
    }

    [Fact]
    public async Task A_store_that_is_locked_or_newer_is_not_damaged()
    {
        await using (var other = new SqliteConnection($"Data Source={File};Pooling=False"))
        {
            other.Open();
            other.Execute("PRAGMA journal_mode=DELETE; BEGIN EXCLUSIVE");
            Assert.Contains("locked by another process",
                Assert.Throws<StoreException>(() => Open(salvage: true)).Message, StringComparison.Ordinal);
            other.Execute("ROLLBACK; INSERT INTO schema_version VALUES (99)");
        }
        Assert.Contains("it was written by a newer version",
            Assert.Throws<StoreException>(() => Open(salvage: true)).Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(State, "*damaged*"));
    }

    [Fact]
    public async Task A_start_that_was_killed_between_the_old_file_and_the_new_one_is_carried_on()
    {
        var hurt = (byte[])_sound.Clone();
        Array.Clear(hurt, PageSize * 20, PageSize);
        await PutAsync(hurt);
        await using (var first = Open(salvage: true)) Assert.NotNull(first.Salvaged);
        var saved = Content(File);
        var rebuilt = File + ".rebuilt-20260101T000000Z";
        global::System.IO.File.Move(File, rebuilt);
        // Killed before, and after, the damaged one was set aside.
        foreach (var isThere in new[] { true, false })
        {
            if (isThere) await global::System.IO.File.WriteAllBytesAsync(File, hurt, Scratch.Cancellation);
            else global::System.IO.File.Move(File, rebuilt);
            await using var carriedOn = Open(salvage: true);
            Assert.Null(carriedOn.Salvaged);
            Assert.Equal(saved, Content(File));
        }
        Assert.Equal(hurt, await global::System.IO.File.ReadAllBytesAsync(
            File + ".damaged-20260101T000000Z", Scratch.Cancellation));
    }

    private Database Open(bool salvage) =>
        Database.Open(State, NullLogger<Database>.Instance, TimeProvider.System, salvage);

    private async Task PutAsync(byte[] content)
    {
        SqliteConnection.ClearAllPools();
        foreach (var old in Directory.EnumerateFiles(State, "bramble.db*")) global::System.IO.File.Delete(old);
        await global::System.IO.File.WriteAllBytesAsync(File, content, Scratch.Cancellation);
    }

    /// <summary>
    /// No row that was not there before, none counted wrongly, and nothing said to be whole that is not.
    /// </summary>
    private void Check(StoreSalvaged salvaged, string where)
    {
        var after = Content(File);
        foreach (var table in salvaged.Tables.Where(t => s_tables.Contains(t.Table)))
        {
            var (old, now) = (_before[table.Table], after[table.Table]);
            if (table.Table == "counters") now.RemoveWhere(row => row.StartsWith("node|", StringComparison.Ordinal));
            Assert.True(now.All(row => old.Contains(row) || !IsWhole(where)),
                $"{where}: {table.Table} has rows of its own");
            Assert.True(table.Lost != 0 || table.Saved >= old.Count, $"{where}: {table} of {old.Count}");
            if (table.Lost is { } lost && IsWhole(where))
                Assert.True(table.Saved + lost == old.Count, $"{where}: {table} of {old.Count}");
        }
        Assert.True(global::System.IO.File.Exists(salvaged.Aside), where);
    }

    /// <summary>Rubbish in the middle of a page can make rows that read well and say something else.</summary>
    private static bool IsWhole(string where) => !where.EndsWith("middle", StringComparison.Ordinal);

    private static Dictionary<string, HashSet<string>> Content(string file)
    {
        SystemSqlite.Use();
        using var connection = new SqliteConnection($"Data Source={file};Pooling=False");
        connection.Open();
        return s_tables.ToDictionary(table => table, table => connection.Query($"SELECT * FROM {table}")
            .Select(row => string.Join('|', ((IDictionary<string, object>)row).Values.Select(
                value => Convert.ToString(value, CultureInfo.InvariantCulture)))).ToHashSet());
    }
}
