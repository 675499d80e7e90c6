namespace Bramble.Wire.Dhcp;

/// <summary>Option numbers that we name; any other number from 1 to 254 is carried all the same.</summary>
public enum DhcpOption : byte
{
    /// <summary>A filler of one octet. Never written: Pi firmware before 2020-01 stumbles over it.</summary>
    Pad = 0,
    SubnetMask = 1,
    TimeOffset = 2,
    Router = 3,
    DomainNameServer = 6,
    LogServer = 7,
    HostName = 12,
    BootFileSize = 13,
    DomainName = 15,
    RootPath = 17,
    InterfaceMtu = 26,
    BroadcastAddress = 28,
    NtpServers = 42,

    /// <summary>Vendor specific; for a Pi and for PXE the menu of <see cref="PxeVendorOptions"/>.</summary>
    VendorSpecific = 43,
    RequestedAddress = 50,

    /// <summary>Seconds, 32 bits; all ones is for ever.</summary>
    LeaseTime = 51,

    /// <summary>
    /// More options in <c>file</c> (1), <c>sname</c> (2) or both (3). The codec reads and writes it itself.
    /// </summary>
    Overload = 52,
    MessageType = 53,
    ServerIdentifier = 54,
    ParameterRequestList = 55,

    /// <summary>Words for the log of the other side: why a NAK or a DECLINE.</summary>
    Message = 56,

    /// <summary>
    /// The largest DHCP message that the sender takes: 16 bits, at least 576, IP and UDP headers included.
    /// </summary>
    MaximumMessageSize = 57,
    RenewalTime = 58,
    RebindingTime = 59,

    /// <summary><c>PXEClient:Arch:00000:UNDI:002001</c> from every Pi; <c>PXEClient</c> back to it.</summary>
    VendorClass = 60,

    /// <summary>Client identifier (RFC 2132 §9.14); echoed in replies (RFC 6842).</summary>
    ClientIdentifier = 61,

    /// <summary>Where boot files are, as text.</summary>
    TftpServerName = 66,
    BootFileName = 67,

    /// <summary>RFC 3004; iPXE says <c>iPXE</c> here.</summary>
    UserClass = 77,

    /// <summary>RFC 3046, from a relay; echoed as the last option.</summary>
    RelayAgentInformation = 82,

    /// <summary>RFC 4578 §2.1. 0 is an x86 BIOS, or a Pi.</summary>
    ClientArchitecture = 93,

    /// <summary>RFC 4578 §2.2.</summary>
    ClientNetworkInterface = 94,

    /// <summary>RFC 4578 §2.3; for a Pi see <see cref="PiOption97"/>.</summary>
    ClientMachineIdentifier = 97,

    /// <summary>RFC 3011.</summary>
    SubnetSelection = 118,

    /// <summary>RFC 3397; see <see cref="DomainList"/>.</summary>
    DomainSearch = 119,

    /// <summary>RFC 3442; see <see cref="ClasslessRoute"/>. A client that takes it ignores option 3.</summary>
    ClasslessStaticRoutes = 121,
    TftpServerAddresses = 150,

    /// <summary>iPXE's own options, encapsulated (ipxe.org/howto/dhcpd).</summary>
    IpxeEncapsulated = 175,

    /// <summary>The end of the options. The codec reads and writes it itself.</summary>
    End = 255,
}
