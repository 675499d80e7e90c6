namespace Bramble.Boot.Dhcp;

/// <summary>Where leases outlive the process.</summary>
public interface ILeaseStore
{
    /// <summary>All leases, at the start. Called once.</summary>
    IReadOnlyList<Lease> Load();

    /// <summary>
    /// Writes a batch in its order and returns only when it would survive <c>kill -9</c> and a power cut. A lease
    /// replaces the stored one with its address, and the stored one with its network and MAC; one that is declined
    /// replaces that of its address alone, and is replaced by its address alone. Throws if it could not: all or none.
    /// Called by one writer, never twice at once.
    /// </summary>
    ValueTask CommitAsync(IReadOnlyList<Lease> batch, CancellationToken cancellation);
}
