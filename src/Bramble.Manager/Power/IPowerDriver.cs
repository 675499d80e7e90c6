using Bramble.Wire;

namespace Bramble.Manager.Power;

/// <summary>
/// Turns the ports of one device on and off: a switch, a program of the operator's, or nothing. Every failure is a
/// <see cref="PowerException"/> whose message a person understands. Safe to call from many tasks at once.
/// </summary>
public interface IPowerDriver : IDisposable
{
    /// <summary><c>poe-snmp</c>, <c>exec</c> or <c>none</c>.</summary>
    string Kind { get; }

    /// <summary>Whether <see cref="FindAsync"/> can tell at which port a board hangs.</summary>
    bool CanFind { get; }

    /// <exception cref="PowerException">The device did not answer, or not so that it is understood.</exception>
    Task<PowerReading> ReadAsync(PowerPort port, CancellationToken cancellation);

    /// <summary>Asks the device for a state. It may take a moment to get there: read to be sure.</summary>
    /// <exception cref="PowerException">The device did not answer, or refused.</exception>
    Task SetAsync(PowerPort port, bool on, CancellationToken cancellation);

    /// <summary>The port behind which the device has seen this address; null if it has not.</summary>
    /// <exception cref="PowerException">The device did not answer, or cannot find boards.</exception>
    Task<PowerPort?> FindAsync(MacAddress mac, CancellationToken cancellation);
}

/// <summary>
/// A port of a power device, by the device's name and by its own (a number, or what a program takes).
/// </summary>
public sealed record PowerPort(string Device, string Port)
{
    public override string ToString() => $"{Device}/{Port}";
}

public enum PowerState
{
    /// <summary>The device cannot tell, or has no idea.</summary>
    Unknown,
    Off,
    On,

    /// <summary>It should be on, and the device reports a fault: a short circuit, an overload.</summary>
    Fault,
}

/// <summary>What a device says of a port.</summary>
public sealed record PowerReading
{
    public required PowerState State { get; init; }

    /// <summary>Power drawn; null where the device does not measure it.</summary>
    public double? Watts { get; init; }

    /// <summary>In the device's words, for a person.</summary>
    public string Detail { get; init; } = "";
}

/// <summary>
/// Power could not be read or switched. The message says which device, what went wrong, and what to do.
/// </summary>
public sealed class PowerException(string message, Exception? cause = null) : Exception(message, cause);
