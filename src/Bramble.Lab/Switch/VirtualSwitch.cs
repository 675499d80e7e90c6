using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Bramble.Wire;

namespace Bramble.Lab.Switch;

/// <summary>
/// A PoE switch that exists only as its management: a real SNMP agent on UDP in front of ports that boards hang off.
/// Turning a port off raises <see cref="PortChanged"/>, and the rack kills the board. Safe to use from any thread.
/// </summary>
public sealed class VirtualSwitch : IDisposable
{
    private readonly Lock _lock = new();
    private readonly SwitchPort[] _ports;
    private readonly Dictionary<(MacAddress Mac, int Vlan), int> _addresses = [];
    private readonly Dictionary<int, MibTree> _trees = [];
    private readonly SnmpAgent _agent;
    private readonly TimeProvider _time;
    private readonly Socket _socket;
    private readonly long _started;

    /// <exception cref="SocketException">The address cannot be listened on.</exception>
    public VirtualSwitch(VirtualSwitchOptions? options = null, TimeProvider? time = null)
    {
        Options = options ?? new VirtualSwitchOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(Options.Ports, 1);
        _time = time ?? TimeProvider.System;
        _started = _time.GetTimestamp();
        _ports = [.. Enumerable.Range(1, Options.Ports).Select(n => new SwitchPort(n))];
        SystemName = Options.Name;
        _agent = new SnmpAgent(Options, TreeOf, _time);
        _socket = new Socket(Options.Listen.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        _socket.Bind(Options.Listen);
        EndPoint = (IPEndPoint)_socket.LocalEndPoint!;
    }

    /// <summary>
    /// A port was turned on or off, by SNMP or by <see cref="SetPort"/>; not raised when it was so already. Runs
    /// before the SET is answered, outside the switch's lock.
    /// </summary>
    public event Action<int, bool>? PortChanged;

    public VirtualSwitchOptions Options { get; }

    /// <summary>Where the agent listens.</summary>
    public IPEndPoint EndPoint { get; }

    /// <summary>Fault: this many of the next requests are lost; each one lost counts it down.</summary>
    public int DropRequests { get => Volatile.Read(ref _drop); set => Volatile.Write(ref _drop, value); }

    private int _drop;

    /// <summary>Fault: a SET of these ports is accepted, and the port stays as it is.</summary>
    public ImmutableHashSet<int> StuckPorts { get; set; } = [];

    /// <summary>Fault: the agent thinks this long over each request, one after the other.</summary>
    public TimeSpan AnswerDelay { get; set; }

    /// <summary>Requests taken from the network, lost ones included.</summary>
    public long Requests => Interlocked.Read(ref _requests);

    private long _requests;

    internal string SystemName { get; set; }

    internal string Contact { get; set; } = "";

    internal string Location { get; set; } = "";

    internal int UsageThresholdPercent { get; set; } = 80;

    internal IReadOnlyList<SwitchPort> AllPorts => _ports;

    internal TimeSpan UpTime => _time.GetElapsedTime(_started) + TimeSpan.FromSeconds(Options.EngineTime);

    /// <summary>Watts that flow through all ports together.</summary>
    public double ConsumedWatts
    {
        get
        {
            lock (_lock) return Consumed();
        }
    }

    /// <summary>Whether power may flow at the port.</summary>
    public bool IsOn(int port)
    {
        lock (_lock) return Port(port).IsOn;
    }

    /// <summary>Whether power flows at the port: on, something attached, no fault, and enough of it.</summary>
    public bool IsPowered(int port)
    {
        lock (_lock) return Port(port).Detection == PoeDetection.DeliveringPower;
    }

    public PoeDetection Detection(int port)
    {
        lock (_lock) return Port(port).Detection;
    }

    /// <summary>Plugs a powered device into the port.</summary>
    public void Attach(int port, double watts = 5)
    {
        lock (_lock)
        {
            Port(port).AttachedWatts = watts;
            ShareOut();
        }
    }

    /// <summary>Pulls the plug; the addresses learned at the port are forgotten.</summary>
    public void Detach(int port)
    {
        lock (_lock)
        {
            Port(port).AttachedWatts = null;
            Forget(port);
            ShareOut();
        }
    }

    /// <summary>Fault: the port is short-circuited, or is well again.</summary>
    public void SetFault(int port, bool fault)
    {
        lock (_lock)
        {
            var at = Port(port);
            if (fault && !at.HasFault) at.Overloads++;
            at.HasFault = fault;
            if (fault) Forget(port);
            ShareOut();
        }
    }

    /// <summary>A frame with this source address came in at the port: the bridge remembers where it lives.</summary>
    public void Learn(MacAddress mac, int port, int vlan = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(vlan, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(vlan, 4094);
        lock (_lock)
        {
            Port(port);
            if (_addresses.TryGetValue((mac, vlan), out var known) && known == port) return;
            _addresses[(mac, vlan)] = port;
            _trees.Clear();
        }
    }

    /// <summary>Turns a port on or off as if at the switch's own console.</summary>
    public void SetPort(int port, bool on)
    {
        lock (_lock)
        {
            var at = Port(port);
            if (at.IsOn == on) return;
            at.IsOn = on;
            if (!on) Forget(port);
            ShareOut();
        }
        PortChanged?.Invoke(port, on);
    }

    /// <summary>What a manager's SET does: nothing at all at a stuck port.</summary>
    internal void Command(SwitchPort port, bool on)
    {
        if (!StuckPorts.Contains(port.Number)) SetPort(port.Number, on);
    }

    /// <summary>Answers requests, in order, until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        var buffer = GC.AllocateUninitializedArray<byte>(65536);
        var anyone = new IPEndPoint(Options.Listen.AddressFamily == AddressFamily.InterNetworkV6
            ? IPAddress.IPv6Any : IPAddress.Any, 0);
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                var received = await _socket.ReceiveFromAsync(buffer, SocketFlags.None, anyone, cancellation)
                    .ConfigureAwait(false);
                Interlocked.Increment(ref _requests);
                if (DropRequests > 0)
                {
                    DropRequests--;
                    continue;
                }
                if (AnswerDelay > TimeSpan.Zero)
                    await Task.Delay(AnswerDelay, _time, cancellation).ConfigureAwait(false);
                if (_agent.Respond(buffer.AsSpan(0, received.ReceivedBytes)) is { } answer)
                    await _socket.SendToAsync(answer, SocketFlags.None, received.RemoteEndPoint, cancellation)
                        .ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset
                or SocketError.ConnectionRefused or SocketError.HostUnreachable or SocketError.NetworkUnreachable)
            {
                // The asker of an earlier request has gone, and an ICMP message says so: its own affair.
            }
        }
    }

    public void Dispose() => _socket.Dispose();

    /// <summary>The agent's view: all VLANs, or one. Rebuilt only after an address has come or gone.</summary>
    private MibTree TreeOf(int? vlan)
    {
        lock (_lock)
        {
            var key = vlan ?? 0;
            if (_trees.TryGetValue(key, out var tree)) return tree;
            // A bound, lest somebody who counts through all communities fills the memory with trees.
            if (_trees.Count >= 16) _trees.Clear();
            return _trees[key] = SwitchMib.Build(this, [.. _addresses
                .Where(a => vlan is null || a.Key.Vlan == vlan)
                .Select(a => new SwitchMib.Learned(a.Key.Mac, a.Key.Vlan, a.Value))]);
        }
    }

    private SwitchPort Port(int number) =>
        number >= 1 && number <= _ports.Length
            ? _ports[number - 1]
            : throw new ArgumentOutOfRangeException(nameof(number), $"{Options.Name} has ports 1 to {_ports.Length}");

    private void Forget(int port)
    {
        foreach (var key in _addresses.Where(a => a.Value == port).Select(a => a.Key).ToList()) _addresses.Remove(key);
        _trees.Clear();
    }

    private double Consumed() =>
        _ports.Where(p => p.Detection == PoeDetection.DeliveringPower).Sum(p => p.AttachedWatts ?? 0);

    /// <summary>Gives the budget to the ports that want power, the most important and then the lowest first.</summary>
    private void ShareOut()
    {
        var left = (double)Options.BudgetWatts;
        foreach (var port in _ports.OrderBy(p => p.Priority).ThenBy(p => p.Number))
        {
            var wants = port is { IsOn: true, HasFault: false, AttachedWatts: not null };
            var denied = wants && port.AttachedWatts > left;
            if (denied && !port.IsDenied) port.Denied++;
            port.IsDenied = denied;
            if (wants && !denied) left -= port.AttachedWatts!.Value;
        }
    }
}
