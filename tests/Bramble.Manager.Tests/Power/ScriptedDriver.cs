using System.Collections.Concurrent;
using Bramble.Manager.Power;
using Bramble.Wire;

namespace Bramble.Manager.Tests.Power;

/// <summary>A power device that does what a test tells it, and remembers what it was told.</summary>
internal sealed class ScriptedDriver : IPowerDriver
{
    private readonly ConcurrentDictionary<string, bool> _ports = new();
    private int _inside;

    public ConcurrentQueue<string> Commands { get; } = new();

    /// <summary>Why it fails; null while it works.</summary>
    public string? Broken { get; set; }

    /// <summary>What a command waits for; null for nothing.</summary>
    public TaskCompletionSource? Gate { get; set; }

    /// <summary>It takes the command and does nothing.</summary>
    public bool Stuck { get; set; }

    /// <summary>Commands that were carried out at the same time, at most.</summary>
    public int Most { get; private set; }

    public Func<MacAddress, PowerPort?>? Finds { get; set; }

    public string Kind => "poe-snmp";

    public bool CanFind => Finds is not null;

    public Task<PowerReading> ReadAsync(PowerPort port, CancellationToken cancellation) => Broken is { } why
        ? Task.FromException<PowerReading>(new PowerException(why))
        : Task.FromResult(new PowerReading
        {
            State = _ports.GetValueOrDefault(port.Port, true) ? PowerState.On : PowerState.Off,
            Watts = 4.2,
            Detail = "as scripted",
        });

    public async Task SetAsync(PowerPort port, bool on, CancellationToken cancellation)
    {
        Commands.Enqueue($"{port.Port} {(on ? "on" : "off")}");
        Most = Math.Max(Most, Interlocked.Increment(ref _inside));
        try
        {
            if (Gate is { } gate) await gate.Task.WaitAsync(cancellation);
            if (Broken is { } why) throw new PowerException(why);
            if (!Stuck) _ports[port.Port] = on;
        }
        finally
        {
            Interlocked.Decrement(ref _inside);
        }
    }

    public Task<PowerPort?> FindAsync(MacAddress mac, CancellationToken cancellation) =>
        Task.FromResult(Finds?.Invoke(mac));

    public void Dispose()
    {
    }
}
