using Bramble.Wire;

namespace Bramble.Manager.Power.Drivers;

/// <summary>For boards whose plug a person pulls: it knows nothing, and says so when asked to do something.</summary>
internal sealed class NoneDriver(NoPowerOptions options) : IPowerDriver
{
    public string Kind => options.Kind;

    public bool CanFind => false;

    public Task<PowerReading> ReadAsync(PowerPort port, CancellationToken cancellation) =>
        Task.FromResult(new PowerReading { State = PowerState.Unknown, Detail = "nothing measures power here" });

    public Task SetAsync(PowerPort port, bool on, CancellationToken cancellation) =>
        Task.FromException(new PowerException(
            $"nothing switches power at {port}: somebody must {(on ? "plug it in" : "pull its plug")} by hand"));

    public Task<PowerPort?> FindAsync(MacAddress mac, CancellationToken cancellation) =>
        Task.FromResult<PowerPort?>(null);

    public void Dispose()
    {
    }
}
