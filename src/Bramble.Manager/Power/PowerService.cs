using System.Collections.Concurrent;
using Bramble.Manager.Configuration;
using Bramble.Manager.Nodes;

namespace Bramble.Manager.Power;

/// <summary>The configured power devices, and which port feeds which node.</summary>
public sealed class PowerService : IDisposable
{
    private readonly Dictionary<string, IPowerDriver> _drivers;
    private readonly NodeRegistry _nodes;
    private readonly ConcurrentDictionary<string, SemaphoreSlim> _ports = new();

    /// <exception cref="PowerException">
    /// A device's configuration makes no sense, or its secret cannot be read.
    /// </exception>
    public PowerService(BrambleOptions options, NodeRegistry nodes, TimeProvider clock, ILoggerFactory loggers)
    {
        _nodes = nodes;
        _drivers = options.PowerDevices.ToDictionary(
            device => device.Name, device => PowerDrivers.Create(device.ToOptions(), clock, loggers, NodeAt));
    }

    /// <summary>Over drivers as they come: for tests, at the seam.</summary>
    internal PowerService(NodeRegistry nodes, IEnumerable<KeyValuePair<string, IPowerDriver>> drivers) =>
        (_nodes, _drivers) = (nodes, new Dictionary<string, IPowerDriver>(drivers));

    public IReadOnlyDictionary<string, IPowerDriver> Drivers => _drivers;

    /// <summary>
    /// The port that feeds a node: as configured, else as the bridge tables showed; null if none is known.
    /// </summary>
    public static PowerPort? PortOf(NodeSnapshot node) => node switch
    {
        { Spec: { PowerDevice: { } device, PowerPort: { } port } } => new PowerPort(device, port),
        { Spec.PowerDevice: null, Status: { FoundPowerDevice: { } device, FoundPowerPort: { } port } } =>
            new PowerPort(device, port),
        _ => null,
    };

    /// <summary>Whether brambled can cut this node's power.</summary>
    public bool Controls(NodeSnapshot node) =>
        PortOf(node) is { } port && _drivers.TryGetValue(port.Device, out var driver) && driver.Kind != "none";

    public Task<PowerReading> ReadAsync(PowerPort port, CancellationToken cancellation) =>
        Driver(port).ReadAsync(port, cancellation);

    /// <summary>Sets a port and reads it back: a port that stays as it was is a failure, with its cause.</summary>
    public async Task SetAsync(PowerPort port, bool on, CancellationToken cancellation)
    {
        var gate = _ports.GetOrAdd(port.ToString(), static _ => new SemaphoreSlim(1));
        await gate.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            var driver = Driver(port);
            await driver.SetAsync(port, on, cancellation).ConfigureAwait(false);
            var reading = await driver.ReadAsync(port, cancellation).ConfigureAwait(false);
            if (reading.State == (on ? PowerState.Off : PowerState.On))
                throw new PowerException(
                    $"port {port} took the command and stayed {(on ? "off" : "on")}: {reading.Detail}");
        }
        finally
        {
            gate.Release();
        }
    }

    public void Dispose()
    {
        foreach (var driver in _drivers.Values) driver.Dispose();
    }

    private IPowerDriver Driver(PowerPort port) => _drivers.TryGetValue(port.Device, out var driver) ? driver
        : throw new PowerException($"there is no power device '{port.Device}' in the configuration");

    private string? NodeAt(PowerPort port) => _nodes.All.FirstOrDefault(node => PortOf(node) == port)?.Name;
}
