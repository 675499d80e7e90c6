namespace Bramble.Wire.Dhcp;

/// <summary>The <c>op</c> field (RFC 2131 §2): who speaks.</summary>
public enum DhcpOperation : byte
{
    Request = 1,
    Reply = 2,
}
