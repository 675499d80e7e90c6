using Bramble.Lab.Disks;
using Bramble.Lab.Network;

namespace Bramble.Lab.Boards;

/// <summary>
/// A virtual board: power goes in, packets come out. A power cut kills it at whatever instruction it is, its disk keeps
/// what was written. It always boots from the network first.
/// </summary>
internal sealed class Board : IDisposable
{
    private readonly Lock _lock = new();
    private readonly IBoardNetwork _network;
    private readonly IBoardSystem _system;
    private readonly FaultyDisk _disk;
    private readonly BoardPace _pace;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly long _origin;
    private BoardState _state = new(BoardStage.Off, "", "", TimeSpan.Zero);
    private BoardFaults _faults = new();
    private CancellationTokenSource? _power;
    private IBoardLink? _link;
    private Task _run = Task.CompletedTask;

    public Board(
        BoardSpec spec, IBoardNetwork network, IBoardSystem system, IBoardDisk disk, BoardPace pace,
        TimeProvider time, int seed)
    {
        Spec = spec;
        _network = network;
        _system = system;
        _disk = new FaultyDisk(disk, () => Faults.Disk);
        _pace = pace;
        _time = time;
        _random = new Random(HashCode.Combine(seed, spec.Number));
        _origin = time.GetTimestamp();
    }

    public BoardSpec Spec { get; }

    public BoardState State => Volatile.Read(ref _state);

    public BoardFaults Faults
    {
        get => Volatile.Read(ref _faults);
        set => Volatile.Write(ref _faults, value);
    }

    public bool HasPower
    {
        get
        {
            lock (_lock) return _power is not null;
        }
    }

    /// <summary>
    /// The board has entered another stage, or says more of the one it is in. Called in order, on any thread.
    /// </summary>
    public event Action<Board, BoardState>? Changed;

    /// <summary>Switches it on; nothing happens if it has power already.</summary>
    public void PowerOn()
    {
        lock (_lock)
        {
            if (_power is not null) return;
            _power = new CancellationTokenSource();
            _link = _network.Attach(Spec.Mac);
            Set(_state with { PowerCycles = _state.PowerCycles + 1 });
            var (power, link, previous) = (_power, _link, _run);
            _run = Task.Run(() => RunAsync(power, link, previous));
        }
    }

    /// <summary>Cuts the power: sockets die without a word, and then everything stops.</summary>
    public void PowerOff()
    {
        CancellationTokenSource power;
        IBoardLink link;
        lock (_lock)
        {
            if (_power is null) return;
            (power, link) = (_power, _link!);
            (_power, _link) = (null, null);
            Enter(BoardStage.Off, "", "");
        }
        link.Dispose();
        power.Cancel();
    }

    /// <summary>Waits until the last stretch of power is over in every sense.</summary>
    public Task StoppedAsync()
    {
        lock (_lock) return _run;
    }

    public void Dispose()
    {
        PowerOff();
        _system.Dispose();
        _disk.Dispose();
    }

    private async Task RunAsync(CancellationTokenSource power, IBoardLink link, Task previous)
    {
        // The last write of the stretch before may still be on its way to the disk.
        await previous.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var run = new BoardRun(Spec, link, _disk, _pace, _time, _random,
            (stage, detail) => Entered(power, link, stage, detail), stage => Faults.Holds.Contains(stage),
            change => Counted(power, change), power.Token);
        try
        {
            while (true)
            {
                run.Count(state => state with { Boots = state.Boots + 1 });
                await _system.RunAsync(run);
                link.Address = default;
            }
        }
        catch (Exception) when (power.IsCancellationRequested)
        {
            // The power went. What breaks then breaks silently, as on a real board.
        }
        catch (Exception e)
        {
            // A fault of the lab itself must be seen and not look like a board's.
            Entered(power, link, BoardStage.Stuck, $"fault in the lab: {e}");
        }
        finally
        {
            link.Dispose();
            power.Dispose();
        }
    }

    /// <summary>Returns whether the board is to hang in this stage.</summary>
    private bool Entered(CancellationTokenSource power, IBoardLink link, BoardStage stage, string detail)
    {
        lock (_lock)
        {
            if (_power != power) return false;
            Enter(stage, detail, link.Address.IsAny ? "" : link.Address.ToString());
            var hang = _faults.Hangs.Find(h => h.Stage == stage);
            if (hang is null) return false;
            if (!hang.Always) _faults = _faults with { Hangs = _faults.Hangs.Remove(hang) };
            return true;
        }
    }

    private void Counted(CancellationTokenSource power, Func<BoardState, BoardState> change)
    {
        lock (_lock)
            if (_power == power) Set(change(_state));
    }

    private void Enter(BoardStage stage, string detail, string address)
    {
        var since = stage == _state.Stage ? _state.Since : _time.GetElapsedTime(_origin);
        Set(_state with { Stage = stage, Detail = detail, Address = address, Since = since });
        Changed?.Invoke(this, _state);
    }

    private void Set(BoardState state) => Volatile.Write(ref _state, state);
}
