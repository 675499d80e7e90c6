using Bramble.Wire;

namespace Bramble.Lab.Power;

/// <summary>A power strip that only the lab itself can switch.</summary>
internal sealed class PlainFeed(int ports, bool on) : IPortFeed
{
    private readonly Lock _lock = new();
    private readonly bool[] _on = [.. Enumerable.Repeat(on, ports)];
    private readonly bool[] _dead = new bool[ports];

    public event Action<int, bool>? PortChanged;

    public int Ports => ports;

    public bool IsPowered(int port)
    {
        lock (_lock) return _on[port - 1] && !_dead[port - 1];
    }

    public void SetPort(int port, bool on)
    {
        lock (_lock)
        {
            if (_on[port - 1] == on) return;
            _on[port - 1] = on;
        }
        PortChanged?.Invoke(port, on);
    }

    public void Attach(int port)
    {
        // A strip does not look what is plugged in.
    }

    public void SetDead(int port, bool dead)
    {
        lock (_lock) _dead[port - 1] = dead;
        PortChanged?.Invoke(port, IsPowered(port));
    }

    public void Learn(MacAddress mac, int port)
    {
        // A strip sees no frames.
    }

    public Task RunAsync(CancellationToken cancellation) => Task.CompletedTask;

    public void Dispose()
    {
        // Nothing is held.
    }
}
