using Bramble.Lab.Boards;
using Bramble.Lab.Tests.StandIn;

namespace Bramble.Lab.Tests.Boards;

public sealed class BoardFaultTests
{
    [Fact]
    public async Task A_power_cut_kills_a_board_at_once_and_its_disk_keeps_what_was_written()
    {
        using var bench = new BoardBench(BoardModel.Pi4);
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        bench.Manager.OnCall = (_, path) =>
        {
            if (path.EndsWith("/chunks/1-1/5", StringComparison.Ordinal)) reached.TrySetResult();
            return path.EndsWith("/chunks/1-1/6", StringComparison.Ordinal) ? 503 : 0;
        };
        bench.Board.PowerOn();
        await reached.Task.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        await bench.HasCalledAsync("/chunks/1-1/6");

        bench.Board.PowerOff();
        await bench.Board.StoppedAsync().WaitAsync(TimeSpan.FromSeconds(2), TestContext.Current.CancellationToken);

        Assert.Equal(BoardStage.Off, bench.Board.State.Stage);
        Assert.Equal(0, bench.Network.Alive);
        Assert.Null(bench.Disk.Root);
        Assert.False(bench.Disk.IsBlank);
        var calls = bench.Manager.Calls.Count;

        // With power it goes on where it was, because the plan says so.
        bench.Manager.OnCall = (_, _) => 0;
        bench.Manager.Resume = true;
        var before = bench.Manager.ChunksServed;
        bench.Board.PowerOn();
        var state = await bench.ReachesAsync(BoardStage.Running);

        Assert.Equal((2, 2, 1), (state.PowerCycles, state.Boots, state.Installs));
        // Chunks 6 and 7 were missing; chunk 2 is zeros and never asked for.
        Assert.Equal(2, bench.Manager.ChunksServed - before);
        Assert.True(bench.Manager.Calls.Count > calls);
    }

    [Fact]
    public async Task A_board_that_is_installed_boots_its_disk_and_a_reinstall_replaces_it()
    {
        using var bench = new BoardBench(BoardModel.Pi5);
        bench.Board.PowerOn();
        await bench.ReachesAsync(BoardStage.Running);
        bench.Board.PowerOff();
        bench.Board.PowerOn();
        var second = await bench.ReachesAsync(BoardStage.Running);
        Assert.Equal((2, 1), (second.Boots, second.Installs));

        bench.Manager.Reinstall(bench.Spec.Mac);
        bench.Board.PowerOff();
        bench.Board.PowerOn();
        var third = await bench.ReachesAsync(BoardStage.Running);

        Assert.Equal((3, 2), (third.Boots, third.Installs));
    }

    [Fact]
    public async Task Gzipped_chunks_are_unpacked()
    {
        using var bench = new BoardBench(BoardModel.Pi3BPlus);
        bench.Manager.Gzips = true;

        bench.Board.PowerOn();
        await bench.ReachesAsync(BoardStage.Running);

        Assert.Contains(bench.Manager.Calls, c => c.Path.EndsWith("/chunks/1-1/0.gz", StringComparison.Ordinal));
        Assert.Contains(bench.Manager.Calls, c => c.Body.Contains("clock 1767225600", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_report_that_is_answered_with_reboot_restarts_the_board()
    {
        using var bench = new BoardBench(BoardModel.Pi4);
        bench.Manager.Restart();

        bench.Board.PowerOn();
        await bench.HasCalledAsync("step boot");
        await bench.UntilAsync(() => bench.Board.State is { Boots: 2, Stage: BoardStage.Running }, "a second boot");

        Assert.Equal(1, bench.Board.State.PowerCycles);
    }

    [Theory]
    [InlineData("small", "has 3974103040 octets, the plan says 7948206080")]
    [InlineData("full", "No space left on device")]
    [InlineData("read-only", "write-protected")]
    [InlineData("bad", "read back differently from what was written, twice")]
    [InlineData("missing", "there is no such disk")]
    public async Task A_disk_fault_ends_the_install_with_a_reason(string word, string reason)
    {
        Assert.True(BoardFaults.TryParseDisk(word, out var fault));
        using var bench = new BoardBench(BoardModel.Pi4);
        bench.Board.Faults = new BoardFaults { Disk = fault };

        bench.Board.PowerOn();
        await bench.HasCalledAsync("step failed");

        var told = bench.Manager.Calls.First(c => c.Body.Contains("step failed", StringComparison.Ordinal));
        Assert.Contains(reason, told.Body, StringComparison.Ordinal);
        Assert.DoesNotContain(BoardStage.Running, bench.Stages);
    }

    [Fact]
    public async Task A_chunk_that_reads_back_wrong_once_is_written_again()
    {
        using var bench = new BoardBench(BoardModel.Pi4);
        bench.Board.Faults = new BoardFaults { Disk = DiskFault.BadOnce };

        bench.Board.PowerOn();
        await bench.ReachesAsync(BoardStage.Running);

        Assert.Equal(2, bench.Manager.Calls.Count(c => c.Path.EndsWith("/chunks/1-1/0", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_hang_holds_until_the_power_is_cycled()
    {
        using var bench = new BoardBench(BoardModel.Pi4);
        Assert.True(BoardFaults.TryParseHang("verify", out var hang));
        bench.Board.Faults = new BoardFaults { Hangs = [hang] };

        bench.Board.PowerOn();
        await bench.ReachesAsync(BoardStage.Hung);
        bench.Board.PowerOff();
        bench.Board.PowerOn();

        await bench.ReachesAsync(BoardStage.Running);
    }

    [Fact]
    public async Task A_held_board_does_all_of_its_stage_and_goes_on_when_it_is_released()
    {
        using var bench = new BoardBench(BoardModel.Pi4);
        bench.Board.Faults = new BoardFaults { Holds = [BoardStage.Grow] };

        bench.Board.PowerOn();
        await bench.HasCalledAsync("step grow");
        await bench.ReachesAsync(BoardStage.Grow);
        Assert.DoesNotContain(bench.Manager.Calls, c => c.Body.Contains("step done", StringComparison.Ordinal));
        bench.Board.Faults = new BoardFaults();

        var state = await bench.ReachesAsync(BoardStage.Running);
        Assert.Equal((1, 1), (state.Boots, state.Installs));
    }

    [Fact]
    public async Task A_refused_token_restarts_the_board_which_gets_a_new_one()
    {
        using var bench = new BoardBench(BoardModel.Pi4);
        var refused = 0;
        bench.Manager.OnCall = (_, path) =>
            path == "/installer/v1/hello" && Interlocked.Increment(ref refused) == 1 ? 403 : 0;

        bench.Board.PowerOn();
        var state = await bench.ReachesAsync(BoardStage.Running);

        Assert.Equal((1, 2), (state.PowerCycles, state.Boots));
    }

    [Fact]
    public async Task A_manager_that_is_away_for_a_moment_costs_a_retry_and_no_more()
    {
        using var bench = new BoardBench(BoardModel.Pi4);
        var asked = 0;
        bench.Manager.OnCall = (_, path) =>
            path.EndsWith("/chunks/1-1/3", StringComparison.Ordinal) && Interlocked.Increment(ref asked) == 1 ? 500 : 0;

        bench.Board.PowerOn();
        var state = await bench.ReachesAsync(BoardStage.Running);

        Assert.Equal(1, state.Boots);
        Assert.Equal(2, asked);
    }

    [Theory]
    [InlineData("tftp", BoardStage.Tftp, false)]
    [InlineData("TFTP!", BoardStage.Tftp, true)]
    [InlineData("nowhere", default(BoardStage), false)]
    [InlineData("3", default(BoardStage), false)]
    public void A_hang_is_a_stage_and_perhaps_an_exclamation_mark(string text, object stage, bool always)
    {
        var known = stage is BoardStage.Tftp;
        Assert.Equal(known, BoardFaults.TryParseHang(text, out var fault));
        if (known) Assert.Equal(new HangFault((BoardStage)stage, always), fault);
    }
}
