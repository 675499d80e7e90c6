using Bramble.Wire;

namespace Bramble.Lab.Power;

/// <summary>What feeds the boards: ports counted from 1, each with at most one board.</summary>
internal interface IPortFeed : IDisposable
{
    int Ports { get; }

    /// <summary>A port was switched. Raised before whoever switched it is answered.</summary>
    event Action<int, bool>? PortChanged;

    /// <summary>Whether power flows at the port.</summary>
    bool IsPowered(int port);

    void SetPort(int port, bool on);

    /// <summary>A board is plugged in.</summary>
    void Attach(int port);

    /// <summary>Fault: the port gives no power whatever it is told.</summary>
    void SetDead(int port, bool dead);

    /// <summary>A frame from this address came in at the port.</summary>
    void Learn(MacAddress mac, int port);

    Task RunAsync(CancellationToken cancellation);
}
