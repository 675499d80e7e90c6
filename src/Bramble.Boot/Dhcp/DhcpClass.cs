using Bramble.Wire;
using Bramble.Wire.Dhcp;

namespace Bramble.Boot.Dhcp;

/// <summary>Clients that get options of their own.</summary>
public sealed record DhcpClass(string Name, DhcpMatch Match, DhcpOptionSet Options);

/// <summary>What a packet must have to belong to a class: everything that is given here.</summary>
public sealed record DhcpMatch
{
    /// <summary>What option 60 begins with.</summary>
    public ReadOnlyMemory<byte> VendorClass { get; init; }

    /// <summary>Option 77, or one of its parts (RFC 3004; iPXE and others send it without parts).</summary>
    public ReadOnlyMemory<byte> UserClass { get; init; }

    /// <summary>Any of these in option 93.</summary>
    public IReadOnlyList<ushort> Architectures { get; init; } = [];

    /// <summary>What chaddr begins with.</summary>
    public MacPrefix? Mac { get; init; }

    /// <summary>Sub-option 1 of the relay's option 82.</summary>
    public ReadOnlyMemory<byte> CircuitId { get; init; }

    /// <summary>Sub-option 2 of the relay's option 82.</summary>
    public ReadOnlyMemory<byte> RemoteId { get; init; }

    public bool IsEmpty => VendorClass.IsEmpty && UserClass.IsEmpty && Architectures.Count == 0 && Mac is null
        && CircuitId.IsEmpty && RemoteId.IsEmpty;

    public bool Matches(DhcpPacket packet) =>
        (VendorClass.IsEmpty || packet.Options.StartsWith(DhcpOption.VendorClass, VendorClass.Span))
        && (UserClass.IsEmpty || HasUserClass(packet))
        && (Architectures.Count == 0 || HasArchitecture(packet))
        && (Mac is not { } prefix || prefix.Matches(packet.Mac))
        && (CircuitId.IsEmpty || IsRelays(packet, RelayInformation.CircuitId, CircuitId.Span))
        && (RemoteId.IsEmpty || IsRelays(packet, RelayInformation.RemoteId, RemoteId.Span));

    private bool HasUserClass(DhcpPacket packet)
    {
        if (!packet.Options.TryGet(DhcpOption.UserClass, out var value)) return false;
        if (value.SequenceEqual(UserClass.Span)) return true;
        while (!value.IsEmpty && value[0] < value.Length)
        {
            if (value.Slice(1, value[0]).SequenceEqual(UserClass.Span)) return true;
            value = value[(1 + value[0])..];
        }
        return false;
    }

    /// <summary>RFC 4578 §2.1: a client may name several.</summary>
    private bool HasArchitecture(DhcpPacket packet)
    {
        if (!packet.Options.TryGet(DhcpOption.ClientArchitecture, out var value)) return false;
        for (var i = 0; i + 1 < value.Length; i += 2)
        {
            var one = (ushort)(value[i] << 8 | value[i + 1]);
            for (var j = 0; j < Architectures.Count; j++)
                if (Architectures[j] == one) return true;
        }
        return false;
    }

    private static bool IsRelays(DhcpPacket packet, byte number, ReadOnlySpan<byte> wanted) =>
        RelayInformation.TryGet(packet, number, out var value) && value.SequenceEqual(wanted);
}

/// <summary>The first octets of an Ethernet address: <c>dc:a6:32</c>.</summary>
public readonly record struct MacPrefix(ulong Bits, int Octets)
{
    public bool Matches(MacAddress mac) => mac.Bits >> 8 * (MacAddress.Size - Octets) == Bits;

    public static bool TryParse(string text, out MacPrefix prefix)
    {
        prefix = default;
        if (!DhcpOptionValue.TryHex(text, out var octets) || octets.Length is 0 or > MacAddress.Size) return false;
        ulong bits = 0;
        foreach (var octet in octets) bits = bits << 8 | octet;
        prefix = new MacPrefix(bits, octets.Length);
        return true;
    }
}
