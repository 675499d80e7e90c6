using Bramble.Testing;

namespace Bramble.Boot.Tests.Installer;

/// <summary>What goes wrong around an installation: the network, the manager, the installer itself.</summary>
public sealed class FaultTests
{
    private const int DiskSize = 4 << 20;
    private const string Reboot = "action reboot\n";

    [Fact]
    public async Task Dropped_connections_and_errors_of_the_manager_only_delay()
    {
        var seen = new Dictionary<string, int>();
        var (manager, disk, image) = await TransferTests.RunAsync(call =>
        {
            var count = seen[call.Path] = seen.GetValueOrDefault(call.Path) + 1;
            return (call.Path, count) switch
            {
                ("/installer/v1/hello", 1) => new Answer(503, []),
                ("/installer/v1/chunks/17-2", 1) => new Answer(500, []),
                ("/installer/v1/chunks/17-2/1", 1) => new Answer(200, new byte[65536], CutAt: 1000),
                ("/installer/v1/chunks/17-2/3", 1) => new Answer(502, []),
                _ => null,
            };
        });

        Assert.True(disk.AsSpan().StartsWith(image.Content));
        Assert.Equal([0, 1, 1, 2, 3, 3, 4, 5, 6, 7], manager.FetchedChunks);
        Assert.StartsWith("mounting ", manager.Failure);
    }

    [Fact]
    public async Task A_restart_of_the_manager_and_a_pulled_cable_in_the_middle_only_delay()
    {
        await using var board = await Sandbox.CreateAsync();
        var disk = await board.AddDiskAsync("mmcblk0", DiskSize, rootOffset: 1 << 20);
        var image = new TestImage(InstallTests.Octets(8 * 65536, seed: 1), 65536);
        await using var manager = new ScriptedManager(board.ManagerNamespace, [image.Plan(DiskSize), Reboot])
        {
            Image = image,
        };
        var chunk2 = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var chunk5 = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        manager.Script = call =>
        {
            var answer = (call.Path.EndsWith("17-2/2", StringComparison.Ordinal) && chunk2.TrySetResult())
                || (call.Path.EndsWith("17-2/5", StringComparison.Ordinal) && chunk5.TrySetResult())
                ? new Answer(200, new byte[65536], CutAt: 0) : null;
            return answer;
        };

        board.Start(ScriptedManager.CommandLine);
        await chunk2.Task.WithinAsync("the request for chunk 2");
        await manager.StopAsync();
        await board.SeesAsync("Connection refused; trying again");
        manager.StartAgain();
        await chunk5.Task.WithinAsync("the request for chunk 5");
        await board.CableAsync(plugged: false);
        await board.SeesAsync("the link or the address of eth0 is lost");
        await board.CableAsync(plugged: true);
        await board.EndAsync();

        var after = await File.ReadAllBytesAsync(disk, TestContext.Current.CancellationToken);
        Assert.True(after.AsSpan().StartsWith(image.Content));
        Assert.Single(manager.Calls, call => call.Path == "/installer/v1/hello");
    }

    [Theory]
    [InlineData("/installer/v1/hello", 401)]
    [InlineData("/installer/v1/chunks/17-2/1", 403)]
    [InlineData("/installer/v1/progress", 403)]
    public async Task A_refused_token_or_session_restarts_the_board(string path, int status)
    {
        await using var board = await Sandbox.CreateAsync();
        await board.AddDiskAsync("mmcblk0", DiskSize);
        var image = new TestImage(InstallTests.Octets(4 * 65536, seed: 1), 65536);
        await using var manager = new ScriptedManager(board.ManagerNamespace, [image.Plan(DiskSize)])
        {
            Image = image,
            Script = call => call.Path == path ? new Answer(status, []) : null,
        };

        board.Start(ScriptedManager.CommandLine);
        await board.EndAsync();

        Assert.Contains($"the manager refuses this boot's authorisation at {path} (HTTP {status}); " +
            "the board restarts in about 60 s", board.Console);
        Assert.Single(manager.Calls, call => call.Path == path);
        Assert.Contains("restarting the board", board.Console);
    }

    [Fact]
    public async Task A_clock_that_cannot_be_had_is_said_and_is_no_obstacle()
    {
        var (manager, _, _) = await TransferTests.RunAsync(call =>
            call.Path == "/installer/v1/time" ? Answer.Text("clock 12\n") : null);

        Assert.Equal(0, manager.Calls.First(call => call.Path == "/installer/v1/hello").Message.Number("clock"));
    }

    [Fact]
    public async Task An_installer_that_ends_unexpectedly_is_started_again_by_process_1()
    {
        await using var board = await Sandbox.CreateAsync();
        await board.AddDiskAsync("mmcblk0", DiskSize);
        // A fault as bad as can be: the shell itself gives up in the middle of its work, the first time.
        board.AddFile("lib/bramble/clock.sh",
            "set_clock() { CLOCK=0; if ! [ -e /kept/once ]; then touch /kept/once; x='1 2'; echo $((x)); fi; }\n");
        await using var manager = new ScriptedManager(board.ManagerNamespace, [Reboot]);

        board.Start(ScriptedManager.CommandLine);
        await board.EndAsync();

        Assert.Contains("the installer ended unexpectedly (status 2); starting it again in 1 s", board.Console);
        Assert.Contains("restarting the board", board.Console);
    }

    [Fact]
    public async Task A_command_line_without_an_address_is_said_and_ends_in_a_restart()
    {
        await using var board = await Sandbox.CreateAsync();

        board.Start("console=ttyS0 quiet bramble.second=20");
        await board.EndAsync();

        Assert.Contains("the kernel command line has no bramble.url", board.Console);
    }
}
