using Bramble.Lab.Boards;
using Bramble.Lab.Control;
using Bramble.Lab.Disks;
using Bramble.Lab.Installer;
using Bramble.Lab.Power;
using Bramble.Lab.Racks;
using Bramble.Lab.Tests.StandIn;

namespace Bramble.Lab.Tests.Control;

public sealed class ControlTests : IDisposable
{
    private readonly PlainFeed _feed = new(3, on: false);
    private readonly Rack _rack;
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"bramble-lab-{Guid.NewGuid():n}.sock");
    private readonly CancellationTokenSource _stop = new();
    private double _loss;

    public ControlTests()
    {
        var network = new ScriptedNetwork();
        // Held in the ROM: what the boards do next is other tests' business.
        _rack = new Rack(_feed, BoardSpec.Rack(3, [BoardModel.Pi4], 1).Select(spec => new Board(spec, network,
            new SimulatedSystem(), new DigestDisk(spec.DiskSize), new BoardPace(0.01, default), TimeProvider.System,
            seed: 1)));
    }

    [Fact]
    public async Task Ports_are_cut_and_restored_over_the_socket()
    {
        using var server = Start();

        var restored = await AskAsync("restore", ["2", "board-003"]);
        Assert.Equal([true, true], restored.Boards!.Select(b => b.Power));
        var cut = await AskAsync("cut", [_rack.Boards[1].Spec.Mac.ToString()]);
        Assert.Equal(("board-002", false), (Assert.Single(cut.Boards!).Name, cut.Boards![0].Power));
        var list = await AskAsync("list");
        Assert.Equal([false, false, true], list.Boards!.Select(b => b.Power));
    }

    [Fact]
    public async Task A_dead_port_gives_no_power_whatever_it_is_told()
    {
        using var server = Start();

        await AskAsync("dead", ["1"]);
        await AskAsync("restore", ["1"]);
        Assert.False(_rack.Boards[0].HasPower);
        await AskAsync("alive", ["1"]);

        Assert.True(_rack.Boards[0].HasPower);
    }

    [Fact]
    public async Task Faults_are_given_at_run_time()
    {
        using var server = Start();

        await AskAsync("hang", ["1"], "tftp!");
        await AskAsync("hold", ["3"], "verify");
        await AskAsync("hold", ["3"], "done");
        await AskAsync("disk", ["2"], "bad-once");
        await AskAsync("loss", value: "5");

        Assert.Equal(new HangFault(BoardStage.Tftp, true), Assert.Single(_rack.Boards[0].Faults.Hangs));
        Assert.Equal(DiskFault.BadOnce, _rack.Boards[1].Faults.Disk);
        Assert.Equal(0.05, _loss);
        Assert.Equal([BoardStage.Verify, BoardStage.Done], _rack.Boards[2].Faults.Holds.Order());
        await AskAsync("release", ["3"]);
        Assert.Empty(_rack.Boards[2].Faults.Holds);
    }

    [Theory]
    [InlineData("cut", "9", null)]
    [InlineData("hang", "1", "nowhere")]
    [InlineData("hold", "1", "verify!")]
    [InlineData("disk", "1", "melted")]
    [InlineData("loss", null, "much")]
    [InlineData("explode", null, null)]
    public async Task What_cannot_be_done_is_said(string op, string? board, string? value)
    {
        using var server = Start();

        var answer = await AskAsync(op, board is null ? null : [board], value);

        Assert.False(answer.Ok);
        Assert.NotEmpty(answer.Error!);
    }

    public void Dispose()
    {
        _stop.Cancel();
        _rack.Dispose();
        _feed.Dispose();
        _stop.Dispose();
    }

    private ControlServer Start()
    {
        var control = new RackControl(_rack, TimeProvider.System, (loss, _) =>
        {
            _loss = loss;
            return Task.CompletedTask;
        }, () => { });
        var server = new ControlServer(_path, control.DoAsync);
        _ = server.RunAsync(_stop.Token);
        return server;
    }

    private Task<ControlAnswer> AskAsync(string op, string[]? boards = null, string? value = null) =>
        ControlServer.AskAsync(_path, new ControlRequest(op, boards, value), TestContext.Current.CancellationToken);
}
