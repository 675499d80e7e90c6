using System.Buffers.Binary;
using System.Net;

namespace Bramble.Wire;

/// <summary>An IPv4 address as a value: no allocation, ordered as numbers are.</summary>
public readonly record struct IPv4Address(uint Bits) : IComparable<IPv4Address>, ISpanParsable<IPv4Address>
{
    /// <summary>Octets on the wire.</summary>
    public const int Size = 4;

    public static readonly IPv4Address Any = new(0);

    public static readonly IPv4Address Broadcast = new(uint.MaxValue);

    public bool IsAny => Bits == 0;

    public static IPv4Address Read(ReadOnlySpan<byte> octets) => new(BinaryPrimitives.ReadUInt32BigEndian(octets));

    public void Write(Span<byte> octets) => BinaryPrimitives.WriteUInt32BigEndian(octets, Bits);

    /// <summary>The framework's form. An IPv4-mapped IPv6 address counts as the IPv4 address that it maps.</summary>
    public static IPv4Address From(IPAddress address)
    {
        Span<byte> octets = stackalloc byte[16];
        if (!address.TryWriteBytes(octets, out var written)) return Any;
        return written == Size ? Read(octets) : address.IsIPv4MappedToIPv6 ? Read(octets[12..]) : Any;
    }

    public IPAddress ToIPAddress()
    {
        Span<byte> octets = stackalloc byte[Size];
        Write(octets);
        return new IPAddress(octets);
    }

    /// <summary>Dotted quad only: four decimal numbers of 0 to 255 without leading zeros.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, IFormatProvider? provider, out IPv4Address address)
    {
        address = default;
        uint bits = 0;
        var parts = 0;
        foreach (var range in text.Split('.'))
        {
            var part = text[range];
            if (++parts > 4 || part.Length is 0 or > 3 || (part.Length > 1 && part[0] == '0')) return false;
            uint value = 0;
            foreach (var c in part)
            {
                if (!char.IsAsciiDigit(c)) return false;
                value = value * 10 + (uint)(c - '0');
            }
            if (value > 255) return false;
            bits = bits << 8 | value;
        }
        address = new IPv4Address(bits);
        return parts == 4;
    }

    public static bool TryParse(ReadOnlySpan<char> text, out IPv4Address address) => TryParse(text, null, out address);

    public static bool TryParse(string? text, IFormatProvider? provider, out IPv4Address address) =>
        TryParse(text.AsSpan(), provider, out address);

    public static IPv4Address Parse(ReadOnlySpan<char> text, IFormatProvider? provider = null) =>
        TryParse(text, provider, out var address)
            ? address
            : throw new FormatException($"'{text}' is not an IPv4 address such as 10.0.0.1");

    public static IPv4Address Parse(string text, IFormatProvider? provider = null) => Parse(text.AsSpan(), provider);

    public int CompareTo(IPv4Address other) => Bits.CompareTo(other.Bits);

    public static bool operator <(IPv4Address left, IPv4Address right) => left.Bits < right.Bits;

    public static bool operator >(IPv4Address left, IPv4Address right) => left.Bits > right.Bits;

    public static bool operator <=(IPv4Address left, IPv4Address right) => left.Bits <= right.Bits;

    public static bool operator >=(IPv4Address left, IPv4Address right) => left.Bits >= right.Bits;

    public override string ToString() =>
        $"{Bits >> 24}.{Bits >> 16 & 255}.{Bits >> 8 & 255}.{Bits & 255}";
}

/// <summary>
/// An IPv4 network: <c>10.0.0.0/24</c>. The address keeps its host part (an interface's own address).
/// </summary>
public readonly record struct IPv4Prefix(IPv4Address Address, int Length) : ISpanParsable<IPv4Prefix>
{
    public uint MaskBits => Length == 0 ? 0 : uint.MaxValue << (32 - Length);

    public IPv4Address Mask => new(MaskBits);

    public IPv4Address Network => new(Address.Bits & MaskBits);

    public IPv4Address Broadcast => new(Address.Bits | ~MaskBits);

    public bool Contains(IPv4Address address) => (address.Bits & MaskBits) == (Address.Bits & MaskBits);

    public bool Overlaps(IPv4Prefix other) => Contains(other.Network) || other.Contains(Network);

    public static bool TryParse(ReadOnlySpan<char> text, IFormatProvider? provider, out IPv4Prefix prefix)
    {
        prefix = default;
        var slash = text.IndexOf('/');
        if (slash < 0 || !IPv4Address.TryParse(text[..slash], out var address)) return false;
        var digits = text[(slash + 1)..];
        if (digits.Length is 0 or > 2 || !char.IsAsciiDigit(digits[0]) || !int.TryParse(digits, out var length)
            || length > 32)
            return false;
        prefix = new IPv4Prefix(address, length);
        return true;
    }

    public static bool TryParse(ReadOnlySpan<char> text, out IPv4Prefix prefix) => TryParse(text, null, out prefix);

    public static bool TryParse(string? text, IFormatProvider? provider, out IPv4Prefix prefix) =>
        TryParse(text.AsSpan(), provider, out prefix);

    public static IPv4Prefix Parse(ReadOnlySpan<char> text, IFormatProvider? provider = null) =>
        TryParse(text, provider, out var prefix)
            ? prefix
            : throw new FormatException($"'{text}' is not an IPv4 network such as 10.0.0.1/24");

    public static IPv4Prefix Parse(string text, IFormatProvider? provider = null) => Parse(text.AsSpan(), provider);

    public override string ToString() => $"{Address}/{Length}";
}
