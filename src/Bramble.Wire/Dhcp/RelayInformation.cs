namespace Bramble.Wire.Dhcp;

/// <summary>The sub-options of option 82 (RFC 3046 §2.0), which a relay puts into what it passes on.</summary>
public static class RelayInformation
{
    /// <summary>Where the client is plugged in, in the relay's own words (RFC 3046 §3.1).</summary>
    public const byte CircuitId = 1;

    /// <summary>Who is at the far end of the circuit (RFC 3046 §3.2).</summary>
    public const byte RemoteId = 2;

    /// <summary>The client's subnet, where giaddr is not on it (RFC 3527).</summary>
    public const byte LinkSelection = 5;

    /// <summary>What the client is to believe that the server's address is (RFC 5107).</summary>
    public const byte ServerIdentifierOverride = 11;

    /// <summary>
    /// The first sub-option of a number; false if it is not there, or if what stands before it runs out of the option.
    /// </summary>
    public static bool TryGet(ReadOnlySpan<byte> option82, byte number, out ReadOnlySpan<byte> value)
    {
        value = default;
        while (option82.Length >= 2)
        {
            int length = option82[1];
            if (2 + length > option82.Length) return false;
            if (option82[0] == number)
            {
                value = option82.Slice(2, length);
                return true;
            }
            option82 = option82[(2 + length)..];
        }
        return false;
    }

    /// <summary>A sub-option of a relayed packet; false if it was not relayed or has none.</summary>
    public static bool TryGet(DhcpPacket packet, byte number, out ReadOnlySpan<byte> value)
    {
        value = default;
        return !packet.RelayAddress.IsAny && packet.Options.TryGet(DhcpOption.RelayAgentInformation, out var relay)
            && TryGet(relay, number, out value);
    }

    /// <summary>A sub-option that is one address, and not 0.0.0.0.</summary>
    public static bool TryGetAddress(DhcpPacket packet, byte number, out IPv4Address address)
    {
        address = default;
        if (!TryGet(packet, number, out var octets) || octets.Length != IPv4Address.Size) return false;
        address = IPv4Address.Read(octets);
        return !address.IsAny;
    }
}
