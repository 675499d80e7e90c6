using Bramble.Contracts.Nodes;
using Bramble.Manager.Configuration;
using Bramble.Manager.Nodes;
using Bramble.Manager.Power;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bramble.Manager.Tests.Power;

/// <summary>The reconcilers over a scripted power device called sw1. Node N hangs at port N.</summary>
internal sealed class PowerRig : IAsyncDisposable
{
    public PowerRig(BrambleOptions? options = null)
    {
        Rig = new Rig((options ?? Sample.Options()) with
        {
            PowerDevices = [new PowerDeviceSection { Name = "sw1", Driver = "poe-snmp" }],
        });
        Open();
    }

    public Rig Rig { get; }

    public ScriptedDriver Driver { get; } = new();

    public PowerService Power { get; private set; } = null!;

    public PowerReconciler Ports { get; private set; } = null!;

    public NodeReconciler Lifecycle { get; private set; } = null!;

    /// <summary>The daemon is killed and started again; what the device did stays done.</summary>
    public async Task RestartAsync()
    {
        await Rig.RestartAsync();
        Open();
    }

    public Task<NodeSnapshot> AddAsync(int n = 1, NodePhase phase = NodePhase.Running) => Rig.AddAsync(n,
        s => s with { PowerDevice = "sw1", PowerPort = $"{n}" },
        s => s with { Phase = phase, LastSeenAt = Rig.Clock.GetUtcNow(), LastReportAt = Rig.Clock.GetUtcNow() });

    public async Task WishAsync(long id, bool on) =>
        await Rig.Nodes.Update(id, n => n with { Spec = n.Spec with { PowerOn = on } }, "test").Durable;

    /// <summary>Ticks until it holds, without letting time pass.</summary>
    public Task TickUntilAsync(Func<bool> holds, string what) => Scratch.UntilAsync(() =>
    {
        Ports.Tick(Scratch.Cancellation);
        return holds();
    }, what);

    /// <summary>Ticks often enough that whatever is due has begun and ended.</summary>
    public async Task TickAsync()
    {
        for (var i = 0; i < 5; i++)
        {
            Ports.Tick(Scratch.Cancellation);
            await Rig.SettledAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        Ports.Dispose();
        await Rig.DisposeAsync();
    }

    private void Open()
    {
        Power = new PowerService(Rig.Nodes, [new("sw1", Driver)]);
        Ports = new PowerReconciler(Rig.Options, Rig.Nodes, Power, Rig.Timeline, Rig.Events, Rig.Clock,
            NullLogger<PowerReconciler>.Instance);
        Lifecycle = new NodeReconciler(Rig.Options, Rig.Nodes, Rig.Timeline, Power, Ports, Rig.Clock,
            NullLogger<NodeReconciler>.Instance);
    }
}
