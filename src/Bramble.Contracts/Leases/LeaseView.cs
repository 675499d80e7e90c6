namespace Bramble.Contracts.Leases;

/// <param name="State"><c>offered bound expired declined released</c>.</param>
public sealed record LeaseView(
    string Network, string Address, string Mac, string State, string HostName, DateTimeOffset ExpiresAt,
    string? NodeName);
