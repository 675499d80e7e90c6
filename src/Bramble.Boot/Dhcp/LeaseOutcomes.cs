using Bramble.Wire;

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

/// <summary>Why a client gets just this address.</summary>
public enum AddressSource
{
    None,

    /// <summary>It is reserved for the client.</summary>
    Reservation,

    /// <summary>The client holds it now.</summary>
    Held,

    /// <summary>The client had it before.</summary>
    Previous,

    /// <summary>The client wished for it (option 50), and it was never given.</summary>
    Wish,

    /// <summary>It was never given.</summary>
    Fresh,

    /// <summary>It is the one unused for longest.</summary>
    Reused,

    /// <summary>The pool is full, and a stranger that it was offered to has not taken it up.</summary>
    TakenOver,
}

/// <summary>An address for a client, or why there is none.</summary>
public readonly record struct Allocation(AllocationOutcome Outcome, IPv4Address Address, AddressSource Source)
{
    /// <summary>In words, for an explanation.</summary>
    public string Words => Source switch
    {
        AddressSource.Reservation => "it is reserved for the client",
        AddressSource.Held => "the client holds it now",
        AddressSource.Previous => "the client had it before",
        AddressSource.Wish => "the client wished for it, and it is free",
        AddressSource.Fresh => "the first of the pool that was never given",
        AddressSource.Reused => "the one of the pool that is unused for longest",
        AddressSource.TakenOver => "the pool is full: an offer that a stranger has not taken up",
        _ => "none",
    };
}

/// <summary>Who asks for an address, and what for.</summary>
public readonly record struct AddressQuestion(DhcpNetwork Network, MacAddress Mac)
{
    /// <summary>The reservation of the client's plan; null for that of the configuration.</summary>
    public IPv4Address? Reserved { get; init; }

    /// <summary>What the client wishes (option 50); 0.0.0.0 for nothing.</summary>
    public IPv4Address Wish { get; init; }

    /// <summary>A node of ours: on a full pool it may have what was offered to a stranger.</summary>
    public bool IsKnown { get; init; }

    /// <summary>The offer makes the lease: nobody may take it over.</summary>
    public bool Binds { get; init; }

    /// <summary>Nothing but a reservation will do.</summary>
    public bool ReservedOnly { get; init; }
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
