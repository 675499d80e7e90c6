using Bramble.Lab.Switch;
using Bramble.Wire;

namespace Bramble.Lab.Power;

/// <summary>
/// The virtual PoE switch as what feeds the boards: SNMP cuts their power, and it learns where they live.
/// </summary>
internal sealed class SwitchFeed : IPortFeed
{
    private readonly VirtualSwitch _switch;

    /// <summary>All ports are off.</summary>
    public SwitchFeed(VirtualSwitchOptions options, TimeProvider time)
    {
        // Enough for all: what a switch does that has too little is the switch's own test.
        _switch = new VirtualSwitch(options with { Address = Mac, BudgetWatts = options.Ports * 30 }, time);
        for (var i = 1; i <= options.Ports; i++) _switch.SetPort(i, false);
        _switch.PortChanged += (number, isOn) => PortChanged?.Invoke(number, isOn);
    }

    public event Action<int, bool>? PortChanged;

    /// <summary>The switch's own address on the cable.</summary>
    public static MacAddress Mac { get; } = new(0x02_42_72_00_00_01);

    public int Ports => _switch.Options.Ports;

    public bool IsPowered(int port) => _switch.IsPowered(port);

    public void SetPort(int port, bool on) => _switch.SetPort(port, on);

    public void Attach(int port) => _switch.Attach(port);

    public void SetDead(int port, bool dead)
    {
        _switch.SetFault(port, dead);
        PortChanged?.Invoke(port, IsPowered(port));
    }

    public void Learn(MacAddress mac, int port) => _switch.Learn(mac, port);

    public Task RunAsync(CancellationToken cancellation) => _switch.RunAsync(cancellation);

    public void Dispose() => _switch.Dispose();
}
