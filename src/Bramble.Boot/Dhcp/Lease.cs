using Bramble.Wire;

namespace Bramble.Boot.Dhcp;

public enum LeaseState
{
    /// <summary>The client may use the address until the lease expires.</summary>
    Bound,

    /// <summary>The client gave it back, or moved; remembered so that it gets the same address again.</summary>
    Released,

    /// <summary>
    /// A stranger uses the address: the client declined it, or it answered to a probe. Nobody gets it for a while.
    /// </summary>
    Declined,
}

/// <summary>
/// An address bound to a client. Clients are told apart by network and MAC, not by option 61: a Pi's boot ROM sends
/// none, its installed system sends a DUID, and both must be the same node at the same address.
/// </summary>
public sealed record Lease(string Network, MacAddress Mac, IPv4Address Address)
{
    public LeaseState State { get; init; } = LeaseState.Bound;

    /// <summary>Wall clock, when the lease was last given or renewed.</summary>
    public required DateTimeOffset BoundAt { get; init; }

    /// <summary>Wall clock. While we run, the monotonic clock decides; see <see cref="LeaseTable"/>.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>Option 61 in hex, if the client sent it.</summary>
    public string ClientId { get; init; } = "";

    /// <summary>Option 12 as the client sent it, printable characters only.</summary>
    public string ClientHostName { get; init; } = "";

    /// <summary>What the board was when it asked.</summary>
    public BoardFamily Family { get; init; }
}
