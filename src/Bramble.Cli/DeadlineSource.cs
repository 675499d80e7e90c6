namespace Bramble.Cli;

/// <summary>Cancelled at a deadline by the injected clock, or with another token.</summary>
internal sealed class DeadlineSource : CancellationTokenSource
{
    private readonly CancellationTokenRegistration _other;

    public DeadlineSource(TimeSpan limit, TimeProvider time, CancellationToken other)
        : base(limit, time) => _other = other.UnsafeRegister(static state => ((DeadlineSource)state!).Cancel(), this);

    protected override void Dispose(bool disposing)
    {
        _other.Dispose();
        base.Dispose(disposing);
    }
}
