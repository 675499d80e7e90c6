namespace Bramble.Wire.Dhcp;

/// <summary>Option 53 (RFC 2132 §9.6; 9 RFC 3203; 10–13 RFC 4388).</summary>
public enum DhcpMessageType : byte
{
    /// <summary>Option 53 is missing or not one octet: plain BOOTP, or garbage.</summary>
    None = 0,
    Discover = 1,
    Offer = 2,
    Request = 3,
    Decline = 4,
    Ack = 5,
    Nak = 6,
    Release = 7,
    Inform = 8,
    ForceRenew = 9,
    LeaseQuery = 10,
    LeaseUnassigned = 11,
    LeaseUnknown = 12,
    LeaseActive = 13,
}
