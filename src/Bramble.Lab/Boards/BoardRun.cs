using Bramble.Lab.Disks;
using Bramble.Lab.Network;

namespace Bramble.Lab.Boards;

/// <summary>How fast the lab's boards do what costs a real one time without any packet: ROM, kernel, systemd.</summary>
/// <param name="Speed">1 is real; 10 is ten times as fast. Timeouts of protocols are never scaled.</param>
/// <param name="Pi3Window">A 3B that gets DHCP and TFTP answered within this time locks up (FW#934).</param>
/// <param name="DiskRate">Octets that a card takes in a second; 0 for no bound.</param>
internal sealed record BoardPace(double Speed, TimeSpan Pi3Window, double DiskRate = 0)
{
    public static BoardPace Default { get; } = new(10, TimeSpan.FromSeconds(2));
}

/// <summary>One stretch of power of one board: what its programs may use. Dead as soon as the power is cut.</summary>
internal sealed class BoardRun(
    BoardSpec spec, IBoardLink link, FaultyDisk disk, BoardPace pace, TimeProvider time, Random random,
    Func<BoardStage, string, bool> entered, Func<BoardStage, bool> held, Action<Func<BoardState, BoardState>> counted,
    CancellationToken cancellation)
{
    private static readonly TimeSpan HoldLook = TimeSpan.FromMilliseconds(20);

    private readonly long _start = time.GetTimestamp();

    public BoardSpec Spec => spec;

    public IBoardLink Link => link;

    public FaultyDisk Disk => disk;

    public BoardPace Pace => pace;

    public TimeProvider Time => time;

    public Random Random => random;

    public CancellationToken Cancellation => cancellation;

    /// <summary>The stage entered last.</summary>
    public BoardStage Stage { get; private set; } = BoardStage.Off;

    /// <summary>Time since power-on.</summary>
    public TimeSpan Now => time.GetElapsedTime(_start);

    /// <summary>Says where the board is; stays there for ever if a fault was asked for.</summary>
    public async Task EnterAsync(BoardStage stage, string detail = "")
    {
        cancellation.ThrowIfCancellationRequested();
        while (stage != Stage && held(Stage)) await WaitAsync(HoldLook);
        Stage = stage;
        if (entered(stage, detail)) await StayAsync(BoardStage.Hung, $"hangs in {Word(stage)} as asked");
    }

    /// <summary>Says more about the stage it is in.</summary>
    public void Note(BoardStage stage, string detail) => entered(stage, detail);

    /// <summary>Changes the counters of the board's state.</summary>
    public void Count(Func<BoardState, BoardState> change) => counted(change);

    /// <summary>Ends only with the power.</summary>
    public Task StayAsync(BoardStage stage, string detail)
    {
        entered(stage, detail);
        return Task.Delay(Timeout.InfiniteTimeSpan, time, cancellation);
    }

    /// <summary>Waits as a real board would, at the lab's speed, a fifth more or less.</summary>
    public Task PaceAsync(TimeSpan real) => WaitAsync(real * (0.8 + 0.4 * random.NextDouble()) / pace.Speed);

    /// <summary>Waits as long as a card takes to write so many octets.</summary>
    public Task WriteTimeAsync(int octets) =>
        pace.DiskRate > 0 ? WaitAsync(TimeSpan.FromSeconds(octets / pace.DiskRate)) : Task.CompletedTask;

    /// <summary>Waits in real time.</summary>
    public Task WaitAsync(TimeSpan wait) => Task.Delay(wait, time, cancellation);

    public static string Word(BoardStage stage) => stage.ToString().ToLowerInvariant();
}
