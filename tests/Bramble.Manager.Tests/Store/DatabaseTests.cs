using Bramble.Manager.Store;
using Dapper;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bramble.Manager.Tests.Store;

/// <summary>What the store acknowledges is there, and what breaks takes nothing else with it.</summary>
public sealed class DatabaseTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    private Database Open() => Database.Open(_scratch["state"], NullLogger<Database>.Instance);

    private static async Task<Database> WithTableAsync(Database database)
    {
        await database.PutAsync(c => c.Execute("CREATE TABLE t (n INTEGER PRIMARY KEY)"));
        return database;
    }

    private static void Insert(System.Data.IDbConnection connection, int n) =>
        connection.Execute("INSERT INTO t (n) VALUES (@n)", new { n });

    [Fact]
    public async Task Many_writes_that_wait_share_few_commits()
    {
        await using var database = await WithTableAsync(Open());
        var (commits, writes) = database.Statistics;
        using var gate = new ManualResetEventSlim();
        var first = database.PutAsync(_ => gate.Wait(Scratch.Cancellation));
        var rest = Enumerable.Range(0, 1000).Select(i => database.PutAsync(c => Insert(c, i))).ToArray();
        gate.Set();
        await Task.WhenAll([first, .. rest]);
        Assert.Equal(writes + 1001, database.Statistics.Writes);
        Assert.InRange(database.Statistics.Commits - commits, 1, 2);
        Assert.Equal(1000, database.Read(c => c.ExecuteScalar<int>("SELECT COUNT(*) FROM t")));
    }

    [Fact]
    public async Task A_write_that_fails_takes_none_of_its_batch_with_it()
    {
        await using var database = await WithTableAsync(Open());
        using var gate = new ManualResetEventSlim();
        var first = database.PutAsync(_ => gate.Wait(Scratch.Cancellation));
        var good = database.PutAsync(c => Insert(c, 1));
        var twice = database.PutAsync(c =>
        {
            Insert(c, 2);
            Insert(c, 1);
        });
        var broken = database.PutAsync(_ => throw new InvalidOperationException("a bug"));
        var last = database.PutAsync(c => Insert(c, 3));
        gate.Set();
        await Task.WhenAll(first, good, last);
        Assert.Equal(19, (await Assert.ThrowsAsync<SqliteException>(() => twice)).SqliteErrorCode);
        Assert.Equal("a bug", (await Assert.ThrowsAsync<InvalidOperationException>(() => broken)).Message);
        Assert.Equal([1, 3], database.Read(c => c.Query<int>("SELECT n FROM t ORDER BY n")));
    }

    [Fact]
    public async Task What_was_acknowledged_is_there_after_a_restart_and_what_failed_is_not()
    {
        var acknowledged = new List<int>();
        await using (var database = await WithTableAsync(Open()))
        {
            for (var i = 0; i < 50; i++)
            {
                try
                {
                    await database.PutAsync(c =>
                    {
                        Insert(c, i);
                        if (i % 7 == 3) throw new InvalidOperationException("broken halfway");
                    });
                    acknowledged.Add(i);
                }
                catch (InvalidOperationException)
                {
                    // Not acknowledged.
                }
            }
        }
        await using var again = Open();
        Assert.Equal(acknowledged, again.Read(c => c.Query<int>("SELECT n FROM t ORDER BY n")));
        Assert.Equal(43, acknowledged.Count);
    }

    [Fact]
    public async Task A_background_write_that_fails_harms_nobody()
    {
        await using var database = await WithTableAsync(Open());
        database.Post(_ => throw new InvalidOperationException("a bug"));
        database.Post(c => Insert(c, 5));
        await database.PutAsync(_ => { });
        Assert.Equal([5], database.Read(c => c.Query<int>("SELECT n FROM t")));
    }

    [Fact]
    public async Task The_store_is_its_owners_alone()
    {
        await using var database = Open();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(database.File));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
            File.GetUnixFileMode(_scratch["state"]));
    }

    [Fact]
    public async Task A_commit_survives_a_power_cut_since_it_is_synced()
    {
        await using var database = Open();
        await database.PutAsync(c => Assert.Equal(2, c.ExecuteScalar<int>("PRAGMA synchronous")));
        Assert.Equal("wal", database.Read(c => c.ExecuteScalar<string>("PRAGMA journal_mode")));
    }

    [Fact]
    public async Task A_store_of_a_newer_version_is_refused_by_name_and_left_alone()
    {
        await using (var database = Open())
            await database.PutAsync(c => c.Execute("INSERT INTO schema_version (version) VALUES (999)"));
        var e = Assert.Throws<StoreException>(Open);
        Assert.Contains("bramble.db", e.Message, StringComparison.Ordinal);
        Assert.Contains("has schema 999", e.Message, StringComparison.Ordinal);
        Assert.Contains("newer version", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_migration_is_applied_once()
    {
        for (var i = 0; i < 2; i++)
        {
            await using var database = Open();
            var versions = database.Read(
                c => c.Query<int>("SELECT version FROM schema_version ORDER BY version")).ToArray();
            Assert.Equal(Enumerable.Range(1, versions.Length), versions);
            Assert.NotEmpty(versions);
        }
    }
}
