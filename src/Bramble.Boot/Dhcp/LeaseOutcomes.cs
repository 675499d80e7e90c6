namespace Bramble.Boot.Dhcp;

/// <summary>How a search for an address ended.</summary>
public enum AllocationOutcome
{
    Found,

    /// <summary>Every address of the pools is held.</summary>
    Exhausted,

    /// <summary>The network gives addresses to reservations only, and this client has none that is free.</summary>
    NoReservation,
}

/// <summary>Whether a client may have the address that it asks for.</summary>
public enum ClaimOutcome
{
    Granted,

    /// <summary>Not on this network, not in a pool, or not to be given.</summary>
    WrongAddress,

    /// <summary>Another client holds it, or it is reserved for another.</summary>
    HeldByAnother,

    /// <summary>The client has a reservation for another address, which is free.</summary>
    ReservedElsewhere,

    /// <summary>We have no record of it, and on this network we do not vouch for what we do not know.</summary>
    Unknown,
}
