using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Threading.Channels;
using Bramble.Lab.Boards;
using Bramble.Lab.Control;
using Bramble.Lab.Disks;
using Bramble.Lab.Installer;
using Bramble.Lab.Network;
using Bramble.Lab.Power;
using Bramble.Lab.Qemu;
using Bramble.Lab.Racks;
using Bramble.Lab.Switch;

namespace Bramble.Lab.Commands;

/// <summary>Runs a rack in the lab's namespace until it is stopped.</summary>
internal sealed class LabRun(RunOptions options, TimeProvider time)
{
    private readonly long _start = time.GetTimestamp();

    // Board threads must not wait for a slow terminal: lines that do not fit are dropped and counted.
    private readonly Channel<string> _lines = Channel.CreateBounded<string>(
        new BoundedChannelOptions(16384) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true });

    private readonly ConcurrentDictionary<Board, BoardStage> _seen = [];
    private long _dropped;
    private IReadOnlyList<Board> _boards = [];

    /// <summary>Returns 0 if nothing was asked for that did not come about.</summary>
    public async Task<int> RunAsync(CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        if (options.Limit is { } limit) stop.CancelAfter(limit);
        using var cable = new LabCable(LabNamespaces.LabInterface, time, options.Seed);
        using var feed = NewFeed(cable);
        using var rack = new Rack(feed, options.Boards.Select(spec => NewBoard(spec, cable)));
        _boards = rack.Boards;
        AddFaults(rack);
        cable.Sent += rack.Learn;
        foreach (var board in rack.Boards)
        {
            board.Changed += (b, state) =>
            {
                // An emulated PC's frames do not pass the lab: its switch hears of them when the machine is up.
                if (b.Spec.Firmware is not null && state.Stage == BoardStage.Emulator) rack.Learn(b.Spec.Mac);
                Changed(b, state, stop);
            };
        }
        if (options.Loss > 0) await LabLoss.SetAsync(cable, options.Loss, stop.Token);
        using var control = options.Control is null ? null : new ControlServer(options.Control,
            new RackControl(rack, time, (loss, c) => LabLoss.SetAsync(cable, loss, c), stop.Cancel).DoAsync);

        var printer = PrintAsync();
        var loops = Task.WhenAll(cable.RunAsync(stop.Token), feed.RunAsync(stop.Token),
            control?.RunAsync(stop.Token) ?? Task.CompletedTask);
        // A loop that breaks must end the lab, not leave it half alive.
        var broken = loops.ContinueWith(_ => stop.CancelAsync(), CancellationToken.None,
            TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        try
        {
            if (options.PowerOn) await rack.PowerOnAsync(options.Stagger, time, stop.Token);
            await Task.Delay(Timeout.InfiniteTimeSpan, time, stop.Token);
        }
        catch (OperationCanceledException)
        {
            // Stopped, or everything that was waited for has come about.
        }
        if (loops.IsFaulted) await loops;
        var all = AllRunning();
        _lines.Writer.TryWrite(RackSummary.Of(rack, time.GetElapsedTime(_start)));
        _lines.Writer.TryComplete();
        await printer;
        if (options.Loss > 0) await LabLoss.SetAsync(cable, 0, CancellationToken.None);
        return options.UntilRunning && !all ? 1 : 0;
    }

    private IPortFeed NewFeed(LabCable cable)
    {
        if (options.Switch is not { } at) return new PlainFeed(options.Ports, on: false);
        cable.AnswerFor(at.Address, SwitchFeed.Mac);
        return new SwitchFeed(new VirtualSwitchOptions
        {
            Listen = new IPEndPoint(at.Address.ToIPAddress(), at.Port),
            Ports = options.Ports,
            WriteCommunity = options.SwitchCommunity,
        }, time);
    }

    private Board NewBoard(BoardSpec spec, LabCable cable)
    {
        if (spec.Emulated) return NewEmulated(spec, cable);
        IBoardDisk disk = options.DiskDirectory is { } directory
            ? new FileDisk(Path.Combine(directory, spec.Name + ".img"), spec.DiskSize)
            : new DigestDisk(spec.DiskSize);
        return new Board(spec, cable, new SimulatedSystem(), disk, options.Pace, time, options.Seed);
    }

    private Board NewEmulated(BoardSpec spec, LabCable cable)
    {
        var machine = spec.Firmware is { } firmware ? PcMachine.All[firmware] : null;
        if (machine?.Missing() is { } missing) throw new IOException(missing);
        var directory = Path.Combine(options.QemuDirectory, spec.Name);
        Directory.CreateDirectory(directory);
        var disk = Path.Combine(directory, machine is null ? "sd.img" : "disk.img");
        var tap = new EmulatorTap(new LabNamespaces(options.Name, default).ManagerNamespace, $"tap{spec.Number}");
        IBoardSystem system = machine is null
            ? new EmulatedSystem(spec, directory, disk, tap, Show)
            : new EmulatedPc(spec, machine, directory, disk, tap, Show);
        return new Board(
            spec, cable, system, new FileDisk(disk, spec.DiskSize), options.Pace, time, options.Seed);

        void Show(string line)
        {
            if (options.ShowConsole) Print($"{spec.Name}| {line}");
        }
    }

    private void AddFaults(Rack rack)
    {
        foreach (var port in options.DeadPorts) rack.Feed.SetDead(port, true);
        foreach (var (word, hang) in options.Hangs)
        {
            var board = Find(rack, word);
            board.Faults = board.Faults with { Hangs = board.Faults.Hangs.Add(hang) };
        }
        foreach (var (word, stage) in options.Holds)
        {
            var board = Find(rack, word);
            board.Faults = board.Faults with { Holds = board.Faults.Holds.Add(stage) };
        }
        foreach (var (word, fault) in options.DiskFaults)
        {
            var board = Find(rack, word);
            board.Faults = board.Faults with { Disk = fault };
        }
    }

    private static Board Find(Rack rack, string word) =>
        rack.Find(word) ?? throw new ArgumentException($"there is no board {word}");

    private void Changed(Board board, BoardState state, CancellationTokenSource stop)
    {
        if (!options.Quiet && (options.Verbose || IsNews(board, state)))
        {
            var line = string.Create(CultureInfo.InvariantCulture,
                $"{time.GetElapsedTime(_start).TotalSeconds,9:0.000} {board.Spec.Name} {board.Spec.Traits.Word,-5} "
                + $"{BoardRun.Word(state.Stage),-8} {state.Address,-15} {state.Detail}");
            Print(line.TrimEnd());
        }
        if (options.UntilRunning && state.Stage == BoardStage.Running && AllRunning()) stop.CancelAsync();
    }

    private void Print(string line)
    {
        if (!_lines.Writer.TryWrite(line)) Interlocked.Increment(ref _dropped);
    }

    // The same stage again is a detail, such as the next file. Called under the board's own lock, in order.
    private bool IsNews(Board board, BoardState state)
    {
        var seen = _seen.TryGetValue(board, out var stage) && stage == state.Stage;
        _seen[board] = state.Stage;
        return !seen;
    }

    private bool AllRunning() => _boards.All(board => board.State.Stage == BoardStage.Running);

    private async Task PrintAsync()
    {
        await foreach (var line in _lines.Reader.ReadAllAsync()) await Console.Out.WriteLineAsync(line);
        if (_dropped > 0) await Console.Out.WriteLineAsync($"({_dropped} lines were not printed)");
    }
}
