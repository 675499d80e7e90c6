using System.Globalization;
using Bramble.Processes;
using Bramble.System.Tests.Rack;

namespace Bramble.System.Tests.Moving;

/// <summary>
/// From another system to this one, from one machine to another, and back from a backup: the real programs.
/// </summary>
public sealed class MovingTests
{
    [Fact]
    public async Task Each_earlier_systems_files_become_nodes_and_twice_is_once()
    {
        await using var manager = await LoneManager.StartAsync();
        manager.Write("dict_rasps.csv", "31,b8:27:eb:00:03:01,1,127.23.0.70\n32,b8:27:eb:00:03:02,1,127.23.0.71\n");
        (string System, string File)[] files =
        [
            ("piman-hosts", manager.Write("hosts.csv",
                "B8:27:EB:00:01:01;127.16.1.1;reno;1569876330\nB8:27:EB:00:01:02;;;\n")),
            ("pirack", manager.Write("structure_rack.ini", "[rack]\npi_stack = 2\n\n[1]\nid = 1\nx = 4\ny = 2\n")),
            ("grape", manager.Write("config.toml",
                "[cluster.stacks.0]\n  [cluster.stacks.0.devices.0]\n    mac = \"B8:27:EB:00:02:01\"\n")),
            ("dnsmasq", manager.Write("dnsmasq.conf",
                "interface=eth1\ndhcp-host=b8:27:eb:00:04:01,set:lab,bench,127.77.0.9,1h\n")),
        ];
        foreach (var (system, file) in files)
        {
            Assert.Contains("dry run: nothing was done",
                await manager.BrambleAsync("import", system, file, "--dry-run"),
                StringComparison.Ordinal);
            Assert.Contains("added", await manager.BrambleAsync("import", system, file, "--yes"),
                StringComparison.Ordinal);
            Assert.Contains("nothing to do", await manager.BrambleAsync("import", system, file, "--yes"),
                StringComparison.Ordinal);
        }
        var nodes = await manager.BrambleAsync("node", "ls", "-o", "json");
        foreach (var part in new[] { "reno", "127.16.1.1", "worker-0-0", "bench", "127.77.0.9", "127.23.0.71" })
            Assert.Contains($"\"{part}\"", nodes, StringComparison.Ordinal);
        Assert.Contains("\"number\": 32", nodes, StringComparison.Ordinal);
        Assert.Equal(2, (await manager.BrambleAsync("node", "ls", "x=4", "-o", "json")).Split("\"mac\"").Length - 1);

        // One line outside of every network keeps the other back.
        var bad = manager.Write("hosts.csv", "b8:27:eb:00:09:01;127.9.0.1;;\nb8:27:eb:00:09:02;10.9.0.1;;\n");
        var refused = await manager.RunAsync("import", "piman-hosts", bad, "--yes");
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("hosts.csv:2  bad", refused.Output, StringComparison.Ordinal);
        Assert.Contains("10.9.0.1 lies in none of the networks", refused.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("b8:27:eb:00:09:01", await manager.BrambleAsync("node", "ls", "-o", "json"),
            StringComparison.Ordinal);
        await manager.BrambleAsync("import", "piman-hosts", bad, "--yes", "--skip-bad");
        Assert.Contains("b8:27:eb:00:09:01", await manager.BrambleAsync("node", "ls", "-o", "json"),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_backup_of_a_daemon_at_work_is_put_back_and_a_killed_restore_leaves_one_state_or_the_other()
    {
        await using var manager = await LoneManager.StartAsync();
        await ImportAsync(manager, 1, 300);
        var archive = Path.Combine(manager.Directory, "rack.tar.gz");
        // While nodes are written: all of an import is in the backup, or nothing.
        var more = ImportAsync(manager, 301, 900);
        await manager.BrambleAsync("backup", archive);
        await more;
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(archive));
        var again = await manager.RunAsync("backup", archive);
        Assert.Equal(1, again.ExitCode);
        Assert.Contains("is there already, and is not overwritten", again.Errors, StringComparison.Ordinal);
        Assert.Equal(900, await CountAsync(manager));
        var running = await manager.RunAsync("restore", archive, "--config", manager.Config, "--yes");
        Assert.Equal(1, running.ExitCode);
        Assert.Contains("is in use by another brambled", running.Errors, StringComparison.Ordinal);
        await manager.KillDaemonAsync();

        // A restore takes a second or so; the kill comes anywhere in it.
        var outcomes = new HashSet<int>();
        var saved = 0;
        for (var round = 0; round < 8; round++)
        {
            using var restore = Programs.StartSaying("brambled", null, "restore", archive, "--config", manager.Config);
            await Task.Delay(TimeSpan.FromMilliseconds(150 + round * 110), TimeProvider.System,
                CancellationToken.None);
            ChildProcess.Kill(restore);
            await restore.WaitForExitAsync(CancellationToken.None);
            await manager.StartDaemonAsync();
            var count = await CountAsync(manager);
            Assert.True(count is 300 or 900 || count == saved, $"{count} nodes");
            if (count != 900) saved = count;
            outcomes.Add(count);
            await manager.KillDaemonAsync();
        }
        // Restored by root, all of it belongs to whom the state belongs.
        if (Environment.UserName == "root") await Programs.RunAsync("/bin/chown", "-R", "1234:1234", manager.State);
        var done = await manager.RunAsync("restore", archive, "--config", manager.Config, "--yes");
        Assert.True(done.Succeeded, done.Errors);
        Assert.Equal("", await Programs.RunAsync(
            "/usr/bin/find", manager.State, "(", "-not", "-uid", Environment.UserName == "root" ? "1234" : "+0", "-o",
            "-name", "secret.key", "-perm", "/077", ")"));
        if (Environment.UserName == "root") await Programs.RunAsync("/bin/chown", "-R", "0:0", manager.State);
        await manager.StartDaemonAsync();
        // The token of the command line is one of the backup's.
        Assert.Contains(await CountAsync(manager), new[] { 300, 900 });
        Assert.NotEmpty(Directory.EnumerateDirectories(manager.State, "state.before-restore-*"));
        Assert.Empty(Directory.EnumerateDirectories(manager.State, ".restore-*"));
        Assert.NotEmpty(outcomes);
    }

    [Fact]
    public async Task A_damaged_store_is_told_in_status_events_and_log_and_the_daemon_goes_on()
    {
        await using var manager = await LoneManager.StartAsync();
        await ImportAsync(manager, 1, 200);
        await manager.KillDaemonAsync();
        var file = Path.Combine(manager.State, "bramble.db");
        // What the log holds goes into the file first, so that the damage is in what is read.
        await Programs.RunAsync("/usr/bin/sqlite3", file, "PRAGMA wal_checkpoint(TRUNCATE)");
        await using (var stream = new FileStream(file, FileMode.Open, FileAccess.ReadWrite))
        {
            stream.Position = stream.Length / 2 / 4096 * 4096;
            await stream.WriteAsync(new byte[4096 * 2], TestContext.Current.CancellationToken);
        }
        await manager.StartDaemonAsync();
        Assert.Contains(manager.Log, line => line.Contains($"The store {file} is damaged", StringComparison.Ordinal));
        var status = await manager.BrambleAsync("status");
        Assert.Contains("was damaged", status, StringComparison.Ordinal);
        Assert.Contains("store.salvaged", await manager.BrambleAsync("events"), StringComparison.Ordinal);
        var aside = Assert.Single(Directory.EnumerateFiles(manager.State, "bramble.db.damaged-*"));
        Assert.Contains(aside, status, StringComparison.Ordinal);
        await ImportAsync(manager, 5001, 5002);
        Assert.InRange(await CountAsync(manager), 2, 202);
    }

    private static Task<string> ImportAsync(LoneManager manager, int first, int last)
    {
        var lines = Enumerable.Range(first, last - first + 1).Select(i => string.Create(CultureInfo.InvariantCulture,
            $"b8:27:eb:{i >> 16 & 255:x2}:{i >> 8 & 255:x2}:{i & 255:x2};127.50.{i >> 8}.{i & 255};pi-{i};0"));
        return manager.BrambleAsync("import", "piman-hosts",
            manager.Write($"hosts-{first}.csv", string.Join('\n', lines)), "--yes");
    }

    private static async Task<int> CountAsync(LoneManager manager) =>
        (await manager.BrambleAsync("node", "ls", "-o", "json")).Split("\"mac\"").Length - 1;
}
