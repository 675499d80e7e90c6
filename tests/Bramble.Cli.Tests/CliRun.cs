using Bramble.Testing;

namespace Bramble.Cli.Tests;

/// <summary>How a run of the command line ended.</summary>
internal sealed record Ran(int Code, string Out, string Error);

/// <summary>Drives the command line from its entry, with its own streams and environment.</summary>
internal sealed class CliRun
{
    public static readonly DateTimeOffset Now = new(2026, 5, 1, 12, 0, 0, TimeSpan.Zero);

    public CliRun(ScriptedManager? manager)
    {
        if (manager is null) return;
        Environment["BRAMBLE_SERVER"] = manager.Address;
        Environment["HOME"] = manager.Folder;
    }

    public Dictionary<string, string> Environment { get; } = [];

    public string Input { get; set; } = "";

    public bool OnTerminal { get; set; }

    public int Width { get; set; } = 120;

    public TimeProvider Time { get; set; } = new ManualTimeProvider(Now);

    public static Task<Ran> RunAsync(ScriptedManager? manager, params string[] arguments) =>
        new CliRun(manager).RunAsync(arguments);

    public async Task<Ran> RunAsync(string[] arguments, CancellationToken? cancellation = null)
    {
        await using var output = new StringWriter { NewLine = "\n" };
        await using var error = new StringWriter { NewLine = "\n" };
        var terminal = new Terminal
        {
            Out = TextWriter.Synchronized(output),
            Error = TextWriter.Synchronized(error),
            In = new StringReader(Input),
            InIsTerminal = OnTerminal,
            OutIsTerminal = OnTerminal,
            ErrorIsTerminal = OnTerminal,
            Width = () => Width,
            Variable = name => Environment.GetValueOrDefault(name),
            Time = Time,
            ReadSecret = () => Input,
        };
        var code = await CommandLine.RunAsync(
            arguments, terminal, cancellation ?? TestContext.Current.CancellationToken);
        return new Ran(code, output.ToString(), error.ToString());
    }
}

/// <summary>Pauses of up to ten seconds are over at once, and move the clock on; longer limits never end.</summary>
internal sealed class ImpatientTime : TimeProvider
{
    private long _ticks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public List<TimeSpan> Pauses { get; } = [];

    public override DateTimeOffset GetUtcNow() => CliRun.Now.AddTicks(Interlocked.Read(ref _ticks));

    public override long GetTimestamp() => Interlocked.Read(ref _ticks);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime > TimeSpan.FromSeconds(10) || dueTime < TimeSpan.Zero) return new Never();
        lock (Pauses) Pauses.Add(dueTime);
        Interlocked.Add(ref _ticks, dueTime.Ticks);
        return System.CreateTimer(callback, state, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    private sealed class Never : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
