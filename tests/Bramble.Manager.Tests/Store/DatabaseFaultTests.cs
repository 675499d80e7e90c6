using Bramble.Manager.Store;
using Dapper;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bramble.Manager.Tests.Store;

/// <summary>
/// A store that is locked, read-only, full or damaged says so, keeps what it had, and goes on when it can.
/// </summary>
public sealed class DatabaseFaultTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    private static Database Open(string directory) => Database.Open(directory, NullLogger<Database>.Instance);

    private static string Note(string text) =>
        $"INSERT INTO events (id, at, kind, actor, message) VALUES ({text}, 0, '', '', '')";

    private static int Notes(Database database) =>
        database.Read(c => c.ExecuteScalar<int>("SELECT COUNT(*) FROM events"));

    [Fact]
    public async Task A_locked_store_refuses_in_words_and_takes_writes_again_when_it_is_free()
    {
        await using var database = Open(_scratch["state"]);
        await database.PutAsync(c => c.Execute(Note("1")));
        await using (var other = new SqliteConnection($"Data Source={database.File};Pooling=False"))
        {
            other.Open();
            other.Execute("BEGIN EXCLUSIVE");
            var refused = await Assert.ThrowsAsync<StoreException>(() => database.PutAsync(c => c.Execute(Note("2"))));
            Assert.Contains(database.File, refused.Message, StringComparison.Ordinal);
            Assert.Contains("locked by another process", refused.Message, StringComparison.Ordinal);
            other.Execute("ROLLBACK");
        }
        await database.PutAsync(c => c.Execute(Note("3")));
        Assert.Equal(2, Notes(database));
    }

    [Fact]
    public async Task What_is_posted_while_the_store_is_locked_waits_and_is_written_in_its_order()
    {
        await using var database = Open(_scratch["state"]);
        await using (var other = new SqliteConnection($"Data Source={database.File};Pooling=False"))
        {
            other.Open();
            other.Execute("BEGIN EXCLUSIVE");
            for (var i = 1; i <= 3; i++)
            {
                var n = i;
                database.Post(c => c.Execute(
                    "INSERT INTO counters (name, value) VALUES ('n', @n) ON CONFLICT (name) DO UPDATE SET value = @n",
                    new { n }));
            }
            await Assert.ThrowsAsync<StoreException>(() => database.PutAsync(c => c.Execute(Note("1"))));
            // Who waited hears of it a moment before it is noted for others.
            await Scratch.UntilAsync(() => database.Trouble is not null, "the trouble is noted");
            Assert.Contains("locked by another process", database.Trouble!.Why, StringComparison.Ordinal);
            // In the middle of the trouble: behind what waits already.
            database.Post(c => c.Execute("UPDATE counters SET value = value * 10 WHERE name = 'n'"));
            other.Execute("ROLLBACK");
        }
        await Scratch.UntilAsync(() => database.Trouble is null, "the trouble is over");
        await Scratch.UntilAsync(() => database.Read(c =>
            c.ExecuteScalar<long?>("SELECT value FROM counters WHERE name = 'n'")) == 30, "all is written, in order");
        Assert.Equal(0, Notes(database));
    }

    [Theory]
    [InlineData("this is no database, and never was one: it only has that name, and is long enough to be looked into")]
    [InlineData("SQLite format 3\0 but nothing that follows makes any sense at all to anyone who reads it, sadly so")]
    public void A_damaged_store_is_named(string content)
    {
        Directory.CreateDirectory(_scratch["state"]);
        File.WriteAllText(_scratch["state/bramble.db"], content + new string('x', 4096));
        var e = Assert.Throws<StoreException>(() => Open(_scratch["state"]));
        Assert.Contains(_scratch["state/bramble.db"], e.Message, StringComparison.Ordinal);
        Assert.Contains("it is damaged; start brambled anew, which rebuilds it", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_state_directory_that_is_a_file_is_named()
    {
        File.WriteAllText(_scratch["state"], "");
        Assert.Contains(_scratch["state"], Assert.Throws<StoreException>(() => Open(_scratch["state"])).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_full_disk_refuses_in_words_keeps_what_there_was_and_goes_on_when_there_is_space()
    {
        await using var disk = await TestDisk.MountAsync(_scratch["disk"], "2m");
        await using (var database = Open(_scratch["disk/state"]))
        {
            await database.PutAsync(c => c.Execute(Note("1")));
            await File.WriteAllBytesAsync(_scratch["disk/ballast"], new byte[1 << 20], Scratch.Cancellation);
            var good = 1;
            StoreException? refused = null;
            for (var i = 2; refused is null && i < 1000; i++)
            {
                try
                {
                    await database.PutAsync(c => c.Execute(
                        "INSERT INTO events (id, at, kind, actor, message) VALUES (@i, 0, '', '', @filler)",
                        new { i, filler = new string('x', 20_000) }));
                    good++;
                }
                catch (StoreException e)
                {
                    refused = e;
                }
            }
            Assert.Contains("the disk is full; free some space", refused!.Message, StringComparison.Ordinal);
            Assert.Equal(good, Notes(database));
            File.Delete(_scratch["disk/ballast"]);
            await database.PutAsync(c => c.Execute(Note("5000")));
            Assert.Equal(good + 1, Notes(database));
        }
        await using (var again = Open(_scratch["disk/state"])) Assert.Equal("5000", again.Read(c =>
            c.ExecuteScalar<string>("SELECT MAX(id) FROM events")));
        SqliteConnection.ClearAllPools();
    }

    [Fact]
    public async Task A_read_only_disk_refuses_in_words_and_can_be_made_good()
    {
        await using var disk = await TestDisk.MountAsync(_scratch["disk"], "2m");
        // On the disk, but not open: an open file would keep the disk from being made read-only.
        await using (var database = Open(_scratch["disk/state"])) await database.PutAsync(c => c.Execute(Note("1")));
        SqliteConnection.ClearAllPools();
        await disk.RemountAsync("ro");
        var e = Assert.Throws<StoreException>(() => Open(_scratch["disk/state"]));
        Assert.Contains(_scratch["disk/state/bramble.db"], e.Message, StringComparison.Ordinal);
        Assert.Contains("read-only", e.Message, StringComparison.Ordinal);
        await disk.RemountAsync("rw");
        await using (var database = Open(_scratch["disk/state"])) Assert.Equal(1, Notes(database));
        SqliteConnection.ClearAllPools();
    }

    [Fact]
    public async Task A_store_that_turns_read_only_while_it_is_open_refuses_in_words()
    {
        await using (var database = Open(_scratch["state"]))
        {
            await database.PutAsync(c => c.Execute(Note("1")));
            // Answers as a medium does that becomes read-only in the middle of a transaction.
            var refused = await Assert.ThrowsAsync<StoreException>(() => database.PutAsync(c =>
            {
                c.Execute("PRAGMA query_only = ON");
                c.Execute(Note("2"));
            }));
            Assert.Contains("read-only; check the owner and mode", refused.Message, StringComparison.Ordinal);
            Assert.Equal(1, Notes(database));
        }
        SqliteConnection.ClearAllPools();
        await using var again = Open(_scratch["state"]);
        await again.PutAsync(c => c.Execute(Note("3")));
        Assert.Equal(2, Notes(again));
    }
}

/// <summary>A small disk of the test's own: a tmpfs, gone with the test.</summary>
internal sealed class TestDisk : IAsyncDisposable
{
    private readonly string _at;

    private TestDisk(string at) => _at = at;

    public static async Task<TestDisk> MountAsync(string at, string size)
    {
        if (!Environment.IsPrivilegedProcess) Assert.Skip("needs root, to mount a small disk");
        Directory.CreateDirectory(at);
        var mounted = await Bramble.Processes.ChildProcess.RunAsync(
            "mount", ["-t", "tmpfs", "-o", $"size={size}", "tmpfs", at], timeout: TimeSpan.FromSeconds(30));
        if (!mounted.Succeeded) Assert.Skip($"needs leave to mount a small disk: {mounted.Complaint}");
        return new TestDisk(at);
    }

    /// <summary>
    /// Tried until it is done: a process that another test starts at this moment has our open files until it executes.
    /// </summary>
    public async Task RemountAsync(string how)
    {
        for (var tries = 1; ; tries++)
        {
            var done = await Bramble.Processes.ChildProcess.RunAsync(
                "mount", ["-o", $"remount,{how}", _at], timeout: TimeSpan.FromSeconds(30));
            if (done.Succeeded) return;
            Assert.True(tries < 50, done.Complaint);
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, Scratch.Cancellation);
        }
    }

    public async ValueTask DisposeAsync() => await Scratch.RunAsync("umount", ["-l", _at]);
}
