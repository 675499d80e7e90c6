using System.Globalization;
using Bramble.Manager.Power.Snmp;
using Bramble.Wire;
using Bramble.Wire.Snmp;

namespace Bramble.Manager.Power.Drivers;

/// <summary>
/// A PoE switch by SNMP: the port table of RFC 3621 to read and switch power, the bridge's address tables (RFC 4188,
/// RFC 4363) to find a board.
/// </summary>
internal sealed partial class PoeSwitchDriver : IPowerDriver
{
    private static readonly ObjectId AdminEnable = ObjectId.Parse("1.3.6.1.2.1.105.1.1.1.3");
    private static readonly ObjectId DetectionStatus = ObjectId.Parse("1.3.6.1.2.1.105.1.1.1.6");
    private static readonly ObjectId Dot1dTpFdbPort = ObjectId.Parse("1.3.6.1.2.1.17.4.3.1.2");
    private static readonly ObjectId Dot1dBasePortIfIndex = ObjectId.Parse("1.3.6.1.2.1.17.1.4.1.2");
    private static readonly ObjectId Dot1qTpFdbPort = ObjectId.Parse("1.3.6.1.2.1.17.7.1.2.2.1.2");

    private readonly PoeSwitchOptions _options;
    private readonly SnmpClient _client;
    private readonly SnmpClient _finder;
    private readonly ILogger _log;

    /// <exception cref="PowerException">The configuration makes no sense.</exception>
    public PoeSwitchDriver(PoeSwitchOptions options, TimeProvider time, ILogger log)
    {
        _options = options;
        _log = log;
        SnmpTarget target;
        try
        {
            target = SnmpTarget.From(options);
        }
        catch (ArgumentException e)
        {
            throw new PowerException($"switch {options.Name}: {e.Message}", e);
        }
        _client = new SnmpClient(target, time);
        _finder = options.FindCommunity.Length == 0
            ? _client : new SnmpClient(target with { Community = options.FindCommunity }, time);
    }

    public string Kind => _options.Kind;

    public bool CanFind => true;

    public async Task<PowerReading> ReadAsync(PowerPort port, CancellationToken cancellation)
    {
        var number = Number(port);
        var answers = await AskAsync("read", () => _client.GetAsync(
            [Instance(AdminEnable, number), Instance(DetectionStatus, number)], cancellation)).ConfigureAwait(false);
        var admin = answers[0].Value;
        if (admin.Type != SnmpType.Integer32) throw NoSuchPort(port, admin);
        // Some switches leave the detection status out: then what was ordered is all that is known.
        var detection = answers[1].Value.Type == SnmpType.Integer32 ? answers[1].Value.Number : 0;
        var (state, detail) = (admin.Number, detection) switch
        {
            (2, _) => (PowerState.Off, "off"),
            (1, 0) => (PowerState.On, "on; the switch does not tell whether power flows"),
            (1, 1) => (PowerState.Off, "enabled, but the switch keeps the port disabled"),
            (1, 2) => (PowerState.On, "on; no powered device is detected"),
            (1, 3) => (PowerState.On, "delivering power"),
            (1, 4) => (PowerState.Fault, "fault at the port"),
            (1, 5) => (PowerState.On, "on; under test"),
            (1, 6) => (PowerState.Fault, "fault in the power supply of the port"),
            _ => (PowerState.Unknown, $"the switch says {admin.Number} and {detection}, which RFC 3621 does not know"),
        };
        return new PowerReading { State = state, Detail = detail };
    }

    public async Task SetAsync(PowerPort port, bool on, CancellationToken cancellation)
    {
        var name = Instance(AdminEnable, Number(port));
        await AskAsync($"turn port {port.Port} {(on ? "on" : "off")}",
            async () =>
            {
                await _client.SetAsync(name, SnmpValue.Integer(on ? 1 : 2), cancellation).ConfigureAwait(false);
                return true;
            }).ConfigureAwait(false);
        LogSet(_options.Name, port.Port, on ? "on" : "off");
    }

    public async Task<PowerPort?> FindAsync(MacAddress mac, CancellationToken cancellation)
    {
        if (await BridgePortAsync(mac, cancellation).ConfigureAwait(false) is not { } bridgePort) return null;
        // A switch without this table numbers both alike.
        var answers = await AskAsync("find a board", () => _finder.GetAsync(
            [Dot1dBasePortIfIndex.Append((uint)bridgePort)], cancellation)).ConfigureAwait(false);
        var ifIndex = answers[0].Value.Type == SnmpType.Integer32 ? answers[0].Value.Number : bridgePort;
        var number = ifIndex - _options.PortOffset;
        // The port to the next switch has all the addresses behind it, and mostly feeds nothing: no board hangs there.
        if (number is < 1 or > 4096 || !await FeedsAsync((uint)number, cancellation).ConfigureAwait(false))
        {
            LogNoPort(_options.Name, mac, ifIndex, _options.PortOffset);
            return null;
        }
        var port = new PowerPort(_options.Name, number.ToString(CultureInfo.InvariantCulture));
        LogFound(_options.Name, mac, port.Port, ifIndex);
        return port;
    }

    public void Dispose()
    {
        _client.Dispose();
        _finder.Dispose();
    }

    /// <summary>The bridge's own number of the port behind which it has seen the address; null if it has not.</summary>
    private async Task<int?> BridgePortAsync(MacAddress mac, CancellationToken cancellation)
    {
        var answers = await AskAsync("find a board",
            () => _finder.GetAsync([Dot1dTpFdbPort.Append(mac)], cancellation)).ConfigureAwait(false);
        // Port 0 means: learned, but the port is not known (RFC 4188).
        if (answers[0].Value is { Type: SnmpType.Integer32, Number: > 0 and <= 65535 } known) return (int)known.Number;

        // VLAN-aware switches have the address under the number of its filtering database, which we do not know.
        var rows = await AskAsync("find a board",
            () => _finder.WalkAsync(Dot1qTpFdbPort, cancellation)).ConfigureAwait(false);
        foreach (var (name, value) in rows)
            if (name.Length == Dot1qTpFdbPort.Length + 1 + MacAddress.Size
                && name.StartsWith(Dot1qTpFdbPort.Append(name.Arcs[Dot1qTpFdbPort.Length]).Append(mac))
                && value is { Type: SnmpType.Integer32, Number: > 0 and <= 65535 })
                return (int)value.Number;
        return null;
    }

    private async Task<bool> FeedsAsync(uint port, CancellationToken cancellation)
    {
        var answers = await AskAsync("find a board", () => _client.GetAsync(
            [Instance(AdminEnable, port)], cancellation)).ConfigureAwait(false);
        return answers[0].Value.Type == SnmpType.Integer32;
    }

    private ObjectId Instance(ObjectId column, uint port) => column.Append((uint)_options.Group, port);

    private uint Number(PowerPort port) =>
        uint.TryParse(port.Port, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
            ? number
            : throw new PowerException($"switch {_options.Name}: '{port.Port}' is no port number such as 3");

    private PowerException NoSuchPort(PowerPort port, SnmpValue answer) => new(
        $"switch {_options.Name} at {_options.Host} has no PoE port {port.Port} in group {_options.Group} "
        + $"(it says {answer.Type}): check the port's number, and the switch's PoE group in the configuration");

    private async Task<T> AskAsync<T>(string what, Func<Task<T>> ask)
    {
        try
        {
            return await ask().ConfigureAwait(false);
        }
        catch (SnmpException e)
        {
            throw new PowerException($"switch {_options.Name} at {_options.Host}: cannot {what}: {e.Message}", e);
        }
    }
}
