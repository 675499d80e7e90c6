using Bramble.Wire;

namespace Bramble.Boot.Dhcp;

/// <summary>What an operator should hear of a network, beyond single packets.</summary>
public enum DhcpNoticeKind
{
    /// <summary>Another DHCP server answers where we should be the only one.</summary>
    OtherServer,

    /// <summary>It has not been heard for a while.</summary>
    OtherServerGone,

    /// <summary>An address of the pool is used by a stranger, and set aside.</summary>
    AddressInUse,
}

/// <param name="Message">A whole sentence.</param>
public sealed record DhcpNotice(string Network, DhcpNoticeKind Kind, string Message);

/// <summary>A DHCP server beside us.</summary>
/// <param name="Address">As it calls itself (option 54).</param>
/// <param name="Mac">The Ethernet address that its answer came from: its own, or its router's.</param>
public sealed record OtherServer(IPv4Address Address, MacAddress Mac, DateTimeOffset LastHeardAt);
