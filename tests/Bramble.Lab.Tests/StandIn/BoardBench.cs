using Bramble.Lab.Boards;
using Bramble.Lab.Disks;
using Bramble.Lab.Installer;

namespace Bramble.Lab.Tests.StandIn;

/// <summary>One board at a scripted cable, and a way to wait for what it does.</summary>
internal sealed class BoardBench : IDisposable
{
    private readonly List<BoardState> _states = [];
    private readonly SemaphoreSlim _changed = new(0);

    /// <param name="window">How soon two answers lock a 3B up: never, unless the test asks for it.</param>
    public BoardBench(BoardModel model, TimeSpan window = default)
    {
        Network = new ScriptedNetwork();
        Spec = BoardSpec.Rack(1, [model], seed: 7)[0];
        Disk = new DigestDisk(Spec.DiskSize);
        Board = new Board(Spec, Network, new SimulatedSystem(), Disk, new BoardPace(10_000, window),
            TimeProvider.System, seed: 7);
        Board.Changed += (_, state) =>
        {
            lock (_states) _states.Add(state);
            _changed.Release();
        };
    }

    public ScriptedNetwork Network { get; }

    public StandInManager Manager => Network.Manager;

    public BoardSpec Spec { get; }

    public IBoardDisk Disk { get; }

    public Board Board { get; }

    /// <summary>Every stage so far, without repetitions in a row.</summary>
    public IReadOnlyList<BoardStage> Stages
    {
        get
        {
            lock (_states)
                return [.. _states.Select(s => s.Stage).Where((stage, i) => i == 0 || _states[i - 1].Stage != stage)];
        }
    }

    /// <summary>Waits until the board is at a stage.</summary>
    public async Task<BoardState> ReachesAsync(BoardStage stage)
    {
        await UntilAsync(() => Board.State.Stage == stage, stage.ToString());
        return Board.State;
    }

    /// <summary>Waits until the board has said something.</summary>
    public Task SaysAsync(string detail) => UntilAsync(() =>
    {
        lock (_states) return _states.Any(s => s.Detail == detail);
    }, detail);

    /// <summary>Waits until the manager has been sent something: a part of a path or a body.</summary>
    public Task HasCalledAsync(string part) => UntilAsync(() => Manager.Calls.Any(
        c => c.Path.Contains(part, StringComparison.Ordinal) || c.Body.Contains(part, StringComparison.Ordinal)), part);

    public async Task UntilAsync(Func<bool> come, string what)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(15));
        while (!come())
        {
            try
            {
                // What the manager hears is no change of the board: look again now and then.
                await _changed.WaitAsync(TimeSpan.FromMilliseconds(20), limit.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail($"the board did not come to {what}; it is at {Board.State}, after "
                    + string.Join(' ', Stages));
            }
        }
    }

    public void Dispose()
    {
        Board.Dispose();
        _changed.Dispose();
    }
}
