using Bramble.Manager.Store;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Bramble.System.Tests.Rack;

/// <summary>
/// The state directory is locked, full or read-only while boards boot. brambled lives and says what is wrong, promises
/// nothing that it cannot keep, and goes on by itself when the fault is over.
/// </summary>
public sealed class StoreFaultTests
{
    private static readonly string[] s_lab =
        ["--models", "3b,4,5", "--power-on", "none", "--disk-rate", "60", "--hold", "2@grow"];

    [Fact]
    public async Task A_store_that_another_process_locks_delays_boots_and_loses_nothing()
    {
        if (PreparedState.Unavailable is { } why) Assert.Skip(why);
        await using var rack = await VirtualRack.StartAsync(3, s_lab);
        SystemSqlite.Use();
        await using var other = new SqliteConnection($"Data Source={rack.StateDirectory}/bramble.db;Pooling=False");
        other.Open();

        await SurvivesAsync(rack, "it is locked by another process",
            () => Task.FromResult(other.Execute("BEGIN EXCLUSIVE")), () => Task.FromResult(other.Execute("ROLLBACK")));
    }

    [Fact]
    public async Task A_full_disk_delays_boots_and_loses_nothing()
    {
        if (PreparedState.Unavailable is { } why) Assert.Skip(why);
        await using var disk = await StateDisk.SmallAsync("8m");
        await using var rack = await VirtualRack.StartAsync(3, s_lab, disk: disk);

        await SurvivesAsync(rack, "the disk is full; free some space",
            () => Task.Run(disk.Fill), () => Task.Run(disk.Free));
    }

    [Fact]
    public async Task A_disk_that_turns_read_only_delays_boots_and_loses_nothing()
    {
        if (PreparedState.Unavailable is { } why) Assert.Skip(why);
        await using var disk = await StateDisk.Ext4Async();
        await using var rack = await VirtualRack.StartAsync(3, s_lab, disk: disk);

        await SurvivesAsync(rack, "it is read-only",
            () => StateDisk.RefuseWritesAsync(rack.StateDirectory, true),
            () => StateDisk.RefuseWritesAsync(rack.StateDirectory, false));
    }

    [Fact]
    public async Task On_a_read_only_disk_brambled_does_not_start_and_when_it_is_writable_boots_go_on()
    {
        if (PreparedState.Unavailable is { } why) Assert.Skip(why);
        await using var disk = await StateDisk.Ext4Async();
        await using var rack = await VirtualRack.StartAsync(2, ["--models", "4,5", "--hold", "1@write"], disk: disk);
        await rack.UntilAsync(now => now.Any(n => n.Progress?.Step == "write"), "an install under way");
        var leases = await rack.LeasesAsync();
        await rack.KillManagerAsync();
        await disk.RemountAsync("ro");
        var refused = await Programs.ResultInAsync(rack.ManagerNamespace, "brambled", "--config", rack.ConfigFile);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains(rack.StateDirectory, refused.Errors, StringComparison.Ordinal);
        Assert.Contains("read-only", refused.Errors, StringComparison.OrdinalIgnoreCase);
        await disk.RemountAsync("rw");
        await rack.StartManagerAsync();
        await rack.LabAsync("release");
        await rack.UntilAllRunAsync(2);
        var kept = (await rack.LeasesAsync()).ToDictionary(lease => lease.Mac, lease => lease.Address);
        Assert.All(leases, lease => Assert.Equal(lease.Address, kept.GetValueOrDefault(lease.Mac)));
    }

    /// <summary>
    /// The fault meets boards at their DHCP, and then, when that is over, one board at the end of its install and one
    /// at its start.
    /// </summary>
    private static async Task SurvivesAsync(VirtualRack rack, string words, Func<Task> begin, Func<Task> end)
    {
        // Boards 1 and 2 meet the fault when they ask for an address.
        await begin();
        await rack.LabAsync("restore", ["1", "2"]);
        await UntilTroubleAsync(rack, words);
        for (var look = 0; look < 20; look++)
        {
            await NothingIsPromisedThatIsNotKeptAsync(rack);
            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System);
        }
        Assert.Contains(words, await rack.CliAsync("status"), StringComparison.Ordinal);
        await UntilSaidAsync(rack, "<3>", "The store takes no writes", words);
        await end();
        await UntilMendedAsync(rack);
        await UntilSaidAsync(rack, "The store takes writes again");

        // Board 2 has written everything and says so now; board 3 begins.
        await rack.UntilAsync(now => now.Any(n => n.Progress?.Step == "grow"), "the last step of an install");
        var install = (await rack.NodesAsync()).First(n => n.Progress?.Step == "grow").Id;
        await begin();
        await rack.LabAsync("restore", ["3"]);
        await rack.LabAsync("release");
        await UntilTroubleAsync(rack, words);
        for (var look = 0; look < 25; look++)
        {
            await NothingIsPromisedThatIsNotKeptAsync(rack);
            var board = (await rack.LabAsync("list", ["2"]))[0];
            // It repeats 'done' until it hears that this is kept, and boots its system after that only.
            Assert.True(board.Stage == "done" || Installed(rack, install), $"the board went on to {board.Stage}");
            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System);
        }
        Assert.True(rack.ManagerLives, "brambled has ended");
        await end();
        await rack.UntilAllRunAsync(3, seconds: 120);
        Assert.All(await rack.LabAsync("list"), board => Assert.Equal((board.Name, 1), (board.Name, board.Installs)));
    }

    private static async Task UntilTroubleAsync(VirtualRack rack, string words)
    {
        string? trouble = null;
        for (var tries = 0; tries < 150; tries++)
        {
            Assert.True(rack.ManagerLives, "brambled has ended:\n" + string.Join('\n', rack.Log));
            trouble = (await rack.StatusAsync()).Trouble;
            if (trouble?.Contains(words, StringComparison.Ordinal) == true) return;
            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System);
        }
        Assert.Fail($"brambled does not say '{words}' but '{trouble}'");
    }

    private static async Task UntilMendedAsync(VirtualRack rack)
    {
        for (var tries = 0; (await rack.StatusAsync()).Trouble is { } trouble; tries++)
        {
            Assert.True(tries < 100, trouble);
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        }
    }

    /// <summary>What is logged comes through a pipe, a moment after it is true.</summary>
    private static Task UntilSaidAsync(VirtualRack rack, params string[] words) => Programs.UntilAsync(
        () => rack.Log.Any(line => words.All(word => line.Contains(word, StringComparison.Ordinal))),
        TimeSpan.FromSeconds(10), string.Join(" … ", words));

    /// <summary>An address that a board has was acknowledged: it must be on the disk, as anybody may read it.</summary>
    private static async Task NothingIsPromisedThatIsNotKeptAsync(VirtualRack rack)
    {
        Assert.True(rack.ManagerLives, "brambled has ended");
        var boards = await rack.LabAsync("list");
        var kept = Read(rack, c => c.Query<string>("SELECT mac || ' ' || address FROM leases").ToHashSet());
        foreach (var board in boards)
            if (board.Address.Length > 0) Assert.Contains($"{board.Mac} {board.Address}", kept);
    }

    private static bool Installed(VirtualRack rack, long node) => Read(rack, c => c.ExecuteScalar<string>(
        "SELECT status FROM nodes WHERE id = @node", new { node })!)
        .Contains("\"Installed\":{", StringComparison.Ordinal);

    private static T Read<T>(VirtualRack rack, Func<SqliteConnection, T> read)
    {
        SystemSqlite.Use();
        using var connection = new SqliteConnection(
            $"Data Source={rack.StateDirectory}/bramble.db;Mode=ReadOnly;Pooling=False");
        connection.Open();
        return read(connection);
    }
}
