using System.Net;
using System.Security.Cryptography;
using Bramble.Manager.Backups;
using Bramble.Manager.Hosting;
using Bramble.Manager.Provisioning;
using Bramble.Manager.Store;
using Bramble.Manager.Tests.Api;
using Dapper;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bramble.Manager.Tests.Backups;

/// <summary>A backup is of one moment and whole, and what comes back is what was there.</summary>
public sealed class BackupTests
{
    [Fact]
    public async Task All_of_a_state_comes_back_in_another_place()
    {
        await using var rig = new BackupRig();
        await rig.Rig.AddAsync(1);
        await rig.Rig.AddAsync(2);
        var token = await rig.TokenAsync();
        await rig.MakeAsync();
        Assert.Equal(
            [
                "bramble-backup.json", "bramble.db", "secret.key", "hostkeys/1", "hostkeys/1.pub",
                .. new[] { "etc/bramble.yaml", "etc/community", "overlay/etc/motd" }
                    .Select(file => "config" + rig.Rig.Scratch[file]),
                "manifest.json",
            ], rig.Entries().Select(entry => entry.Name));
        Assert.Empty(Directory.EnumerateDirectories(rig.State, ".backup-*"));

        var elsewhere = rig.Rig.Scratch["elsewhere"];
        var (code, said) = await BackupRig.RestoreAsync(rig.Archive, elsewhere);
        Assert.Equal(0, code);
        Assert.Contains("a backup of 'rack', made 2026-", said, StringComparison.Ordinal);
        Assert.Contains("2 nodes, 0 leases, 1 tokens", said, StringComparison.Ordinal);
        Assert.Equal(("node-01 node-02", true), await BackupRig.LookAsync(elsewhere, token));
        foreach (var file in new[] { "secret.key", "hostkeys/1", "hostkeys/1.pub" })
        {
            Assert.Equal(await Sha(Path.Combine(rig.State, file)), await Sha(Path.Combine(elsewhere, file)));
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite,
                File.GetUnixFileMode(Path.Combine(elsewhere, file)));
        }
        Assert.Equal("private\n", await File.ReadAllTextAsync(
            elsewhere + "/restored-config" + rig.Rig.Scratch["etc/community"], Scratch.Cancellation));
        Assert.False(RestoreSwap.IsPending(elsewhere));
        Assert.Empty(Directory.EnumerateDirectories(elsewhere, ".restore-*"));
    }

    [Fact]
    public async Task The_state_that_was_there_is_set_aside_whole()
    {
        await using var rig = new BackupRig();
        await rig.Rig.AddAsync(1);
        var token = await rig.TokenAsync();
        await rig.MakeAsync();
        await rig.Rig.AddAsync(2);
        await File.WriteAllTextAsync(Path.Combine(rig.State, "hostkeys/2"), "key of 2", Scratch.Cancellation);
        await rig.Rig.Database.DisposeAsync();
        await BackupRig.RestoreAsync(rig.Archive, rig.State);
        Assert.Equal(("node-01", true), await BackupRig.LookAsync(rig.State, token));
        Assert.False(File.Exists(Path.Combine(rig.State, "hostkeys/2")));
        var aside = Assert.Single(Directory.EnumerateDirectories(rig.State, "state.before-restore-*"));
        Assert.Equal(("node-01 node-02", true), await BackupRig.LookAsync(aside, token));
        Assert.True(File.Exists(Path.Combine(aside, "hostkeys/2")));
        Assert.True(File.Exists(Path.Combine(aside, "secret.key")));
    }

    [Fact]
    public async Task A_backup_under_writes_is_of_one_moment()
    {
        await using var rig = new BackupRig();
        using var enough = new CancellationTokenSource();
        // Two rows in each write: a copy with one of them would be no copy of any moment.
        var writes = Task.Run(async () =>
        {
            for (var i = 1; !enough.IsCancellationRequested; i++)
            {
                var n = i;
                await rig.Rig.Database.PutAsync(c => c.Execute(
                    """
                    INSERT INTO events (id, at, kind, actor, message) VALUES (@n, 0, 'a', '', '');
                    INSERT INTO counters (name, value) VALUES ('n', @n)
                    ON CONFLICT (name) DO UPDATE SET value = excluded.value;
                    """, new { n = 1_000_000L + n }));
            }
        }, CancellationToken.None);
        await Scratch.UntilAsync(() => rig.Rig.Database.Statistics.Writes > 20, "writes are under way");
        for (var round = 0; round < 5; round++)
        {
            var before = rig.Rig.Database.Statistics.Writes;
            await rig.MakeAsync();
            await Scratch.UntilAsync(() => rig.Rig.Database.Statistics.Writes > before, "writers were not held up");
            var state = rig.Rig.Scratch[$"copy-{round}"];
            await BackupRig.RestoreAsync(rig.Archive, state);
            await using var copy = Database.Open(state, NullLogger<Database>.Instance);
            Assert.Equal(copy.Read(c => c.ExecuteScalar<long>("SELECT MAX(id) FROM events WHERE kind = 'a'")),
                copy.Read(c => c.ExecuteScalar<long>("SELECT value FROM counters WHERE name = 'n'")));
        }
        await enough.CancelAsync();
        await writes;
    }

    [Fact]
    public async Task A_dry_run_checks_all_and_touches_nothing_even_beside_a_daemon()
    {
        await using var rig = new BackupRig();
        await rig.MakeAsync();
        using var held = StateLock.Take(rig.State);
        var before = Directory.EnumerateFileSystemEntries(rig.State).Order().ToList();
        var (code, said) = await BackupRig.RestoreAsync(rig.Archive, rig.State, "--dry-run");
        Assert.Equal(0, code);
        Assert.Contains("all of it is sound", said, StringComparison.Ordinal);
        Assert.Equal(before, Directory.EnumerateFileSystemEntries(rig.State).Order());
        var refused = await Assert.ThrowsAsync<IOException>(() => BackupRig.RestoreAsync(rig.Archive, rig.State));
        Assert.Contains("is in use by another brambled", refused.Message, StringComparison.Ordinal);
        Assert.Equal(before, Directory.EnumerateFileSystemEntries(rig.State).Order());
    }

    [Fact]
    public async Task A_file_of_the_configuration_that_cannot_be_read_is_named_before_anything_is_sent()
    {
        await using var rig = new BackupRig();
        File.Delete(rig.Rig.Scratch["etc/community"]);
        var e = await Assert.ThrowsAsync<BackupException>(() => rig.MakeAsync());
        Assert.Contains(rig.Rig.Scratch["etc/community"], e.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateDirectories(rig.State, ".backup-*"));
    }

    [Fact]
    public async Task Only_an_admin_gets_one()
    {
        await using var api = await ApiRig.StartAsync();
        ServerSecret.Open(api.Rig.Options.StateDirectory);
        await api.RefusedAsync(HttpStatusCode.Forbidden, "GET", "/api/v1/backup", token: api.Operator);
        await api.RefusedAsync(HttpStatusCode.Forbidden, "GET", "/api/v1/backup", token: api.Viewer);
        using var sent = await api.SendAsync("GET", "/api/v1/backup", api.Admin);
        Assert.Equal(HttpStatusCode.OK, sent.StatusCode);
        var file = api.Rig.Scratch["got.tar.gz"];
        await File.WriteAllBytesAsync(file, await sent.Content.ReadAsByteArrayAsync(Scratch.Cancellation),
            Scratch.Cancellation);
        var state = api.Rig.Scratch["elsewhere"];
        await BackupRig.RestoreAsync(file, state);
        Assert.True((await BackupRig.LookAsync(state, api.Admin)).TokenHolds);
        Assert.Contains(await api.Rig.Events.TailAsync(10, null),
            e => e is { Kind: "backup.made", Actor: "token:boss" });
    }

    private static async Task<string> Sha(string file) =>
        Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(file, Scratch.Cancellation)));
}
