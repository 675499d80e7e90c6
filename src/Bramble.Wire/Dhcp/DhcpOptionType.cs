namespace Bramble.Wire.Dhcp;

/// <summary>What an option's value is made of, as people write it.</summary>
public enum DhcpOptionType
{
    /// <summary>Octets: <c>0a 0b 0c</c>, <c>0a:0b:0c</c> or <c>0a0b0c</c>.</summary>
    Hex,

    /// <summary>One IPv4 address.</summary>
    Address,

    /// <summary>One IPv4 address or more.</summary>
    Addresses,

    /// <summary>ASCII text, without a closing NUL.</summary>
    Text,

    /// <summary>One octet or more.</summary>
    UInt8,

    /// <summary>One number of 16 bits or more.</summary>
    UInt16,

    /// <summary>One number of 32 bits or more.</summary>
    UInt32,

    /// <summary><c>true</c> or <c>false</c>, one octet.</summary>
    Flag,

    /// <summary>Domain names as RFC 3397 lays them out, compressed.</summary>
    DomainList,

    /// <summary>Routes such as <c>10.1.0.0/16 via 10.0.0.254</c> as RFC 3442 lays them out.</summary>
    Routes,
}
