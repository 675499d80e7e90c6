using Bramble.Wire;

namespace Bramble.Boot.Dhcp;

/// <summary>An address that was given or offered at least once. Only <see cref="LeaseTable"/> uses it.</summary>
internal sealed class LeaseSlot(string network, IPv4Address address)
{
    public string Network { get; } = network;

    public IPv4Address Address { get; } = address;

    public MacAddress Owner { get; set; }

    public TimeSpan HeldUntil { get; set; }

    public bool Quarantined { get; set; }

    /// <summary>Promised, and on its way to the store: from now on nobody else may have it.</summary>
    public bool Claimed { get; set; }

    /// <summary>The owner is a node of ours: no other node may take away what it was offered.</summary>
    public bool IsKnown { get; set; }

    /// <summary>What holds or held the address; one of the state Declined while it is quarantined.</summary>
    public Lease? Lease { get; set; }

    /// <summary>Where the owner was before; freed once this address is confirmed.</summary>
    public LeaseSlot? Displaced { get; set; }

    /// <summary>Which of its entries in the pool's queues counts; 0 for none.</summary>
    public long Ticket { get; set; }

    public LeaseSlot Copy() => (LeaseSlot)MemberwiseClone();
}
