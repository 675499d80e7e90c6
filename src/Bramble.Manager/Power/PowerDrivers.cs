using Bramble.Manager.Power.Drivers;

namespace Bramble.Manager.Power;

/// <summary>Makes the driver of a configured device.</summary>
public static class PowerDrivers
{
    /// <param name="options">The device as configured.</param>
    /// <param name="time">Measures timeouts.</param>
    /// <param name="log">Where the driver tells what it does.</param>
    /// <param name="nodeAt">The name of the node at a port, for a program that wants it.</param>
    /// <exception cref="PowerException">
    /// The configuration of the device makes no sense; the message says why.
    /// </exception>
    public static IPowerDriver Create(
        PowerDeviceOptions options, TimeProvider time, ILoggerFactory log, Func<PowerPort, string?>? nodeAt = null) =>
        options switch
        {
            PoeSwitchOptions poe => new PoeSwitchDriver(poe, time, log.CreateLogger<PoeSwitchDriver>()),
            ExecOptions exec => new ExecDriver(exec, nodeAt ?? (_ => null), log.CreateLogger<ExecDriver>()),
            NoPowerOptions none => new NoneDriver(none),
            _ => throw new PowerException($"power device {options.Name}: no driver is called {options.Kind}"),
        };
}
