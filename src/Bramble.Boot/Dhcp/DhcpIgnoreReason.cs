namespace Bramble.Boot.Dhcp;

/// <summary>Why a packet got no answer. Each is a log event, a counter label and a line on the boot timeline.</summary>
public enum DhcpIgnoreReason
{
    /// <summary>Bytes that are no DHCP message.</summary>
    Malformed,

    /// <summary><c>op</c> is a reply: another server speaks.</summary>
    NotARequest,

    /// <summary>No Ethernet address, or a multicast one, or zeros.</summary>
    NoHardwareAddress,

    /// <summary>Option 53 is there and not one octet.</summary>
    NoMessageType,

    /// <summary>A message that only servers send, or of another protocol such as LEASEQUERY.</summary>
    UnexpectedMessage,

    /// <summary>Option 97 of a wrong length.</summary>
    BadMachineIdentifier,

    /// <summary>Through a relay of another network.</summary>
    RelayedFromElsewhere,

    /// <summary>Unknown board, waiting for an operator.</summary>
    AwaitsAdoption,

    /// <summary>Not ours: unknown and <c>adopt: ignore</c>, or forgotten on purpose.</summary>
    NotAdmitted,

    /// <summary>The client has chosen another server, or speaks to one.</summary>
    ForAnotherServer,

    /// <summary>The network gives addresses to reservations only.</summary>
    NoReservation,

    /// <summary>Every address is held.</summary>
    PoolExhausted,

    /// <summary>An address that we know nothing of, on a network where we do not vouch for it.</summary>
    UnknownLease,

    /// <summary>A boot ROM whose node is to start from its own disk.</summary>
    NetBootOff,

    /// <summary>The boot loader for this kind of machine is not here yet: it is being fetched, or cannot be.</summary>
    LoaderMissing,

    /// <summary>As a proxy we have nothing for this client.</summary>
    NotForProxy,

    /// <summary>A DECLINE or RELEASE of an address that is not the client's.</summary>
    NotItsAddress,

    /// <summary>The lease could not be made durable.</summary>
    StoreFailed,

    /// <summary>A bounded queue is full.</summary>
    Overloaded,

    /// <summary>The answer does not fit into what the client takes.</summary>
    ReplyTooLarge,

    /// <summary>The network stack refused the answer.</summary>
    SendFailed,

    /// <summary>An error of ours while deciding.</summary>
    Fault,

    /// <summary>A BOOTP client without a reservation, on a network that gives it none of the pool.</summary>
    BootpUnreserved,

    /// <summary>The client sends more than one client needs.</summary>
    RateLimited,

    /// <summary>Unknown, and as many unknown boards are on record as there may be.</summary>
    TooManyStrangers,

    /// <summary>Each address that was to be offered answered to a probe.</summary>
    AddressesInUse,
}
