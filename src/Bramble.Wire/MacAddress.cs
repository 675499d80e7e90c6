using System.Globalization;

namespace Bramble.Wire;

/// <summary>A 48-bit Ethernet address. Shown in lower case with colons: <c>b8:27:eb:0a:0b:0c</c>.</summary>
public readonly record struct MacAddress : IComparable<MacAddress>, ISpanParsable<MacAddress>
{
    /// <summary>Octets on the wire.</summary>
    public const int Size = 6;

    private readonly ulong _bits;

    public MacAddress(ulong bits) => _bits = bits & 0xffff_ffff_ffff;

    public static readonly MacAddress Broadcast = new(0xffff_ffff_ffff);

    /// <summary>The address as the low 48 bits of a number, first octet highest.</summary>
    public ulong Bits => _bits;

    /// <summary>The maker's prefix: the first three octets as a 24-bit number.</summary>
    public uint Oui => (uint)(_bits >> 24);

    /// <summary>True for broadcast and multicast addresses: no board's own.</summary>
    public bool IsMulticast => (_bits >> 40 & 1) != 0;

    /// <summary>Reads six octets.</summary>
    public static MacAddress Read(ReadOnlySpan<byte> octets)
    {
        ulong bits = 0;
        for (var i = 0; i < Size; i++) bits = bits << 8 | octets[i];
        return new MacAddress(bits);
    }

    /// <summary>Writes six octets.</summary>
    public void Write(Span<byte> octets)
    {
        for (var i = 0; i < Size; i++) octets[i] = (byte)(_bits >> 8 * (Size - 1 - i));
    }

    /// <summary>Accepts <c>b8:27:eb:0a:0b:0c</c>, <c>b8-27-eb-0a-0b-0c</c> and <c>b827eb0a0b0c</c>, any case.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, IFormatProvider? provider, out MacAddress mac)
    {
        mac = default;
        Span<char> hex = stackalloc char[12];
        if (text.Length == 12)
        {
            text.CopyTo(hex);
        }
        else if (text.Length == 17 && text[2] is ':' or '-')
        {
            var separator = text[2];
            for (var i = 0; i < 17; i++)
            {
                if (i % 3 == 2)
                {
                    if (text[i] != separator) return false;
                }
                else
                {
                    hex[i - i / 3] = text[i];
                }
            }
        }
        else
        {
            return false;
        }
        if (!ulong.TryParse(hex, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var bits))
            return false;
        mac = new MacAddress(bits);
        return true;
    }

    public static bool TryParse(ReadOnlySpan<char> text, out MacAddress mac) => TryParse(text, null, out mac);

    public static bool TryParse(string? text, IFormatProvider? provider, out MacAddress mac) =>
        TryParse(text.AsSpan(), provider, out mac);

    public static MacAddress Parse(ReadOnlySpan<char> text, IFormatProvider? provider = null) =>
        TryParse(text, provider, out var mac)
            ? mac
            : throw new FormatException($"'{text}' is not a MAC address such as b8:27:eb:0a:0b:0c");

    public static MacAddress Parse(string text, IFormatProvider? provider = null) => Parse(text.AsSpan(), provider);

    public int CompareTo(MacAddress other) => _bits.CompareTo(other._bits);

    public static bool operator <(MacAddress left, MacAddress right) => left._bits < right._bits;

    public static bool operator >(MacAddress left, MacAddress right) => left._bits > right._bits;

    public static bool operator <=(MacAddress left, MacAddress right) => left._bits <= right._bits;

    public static bool operator >=(MacAddress left, MacAddress right) => left._bits >= right._bits;

    public override string ToString() => ToString(':');

    /// <summary>With another separator, as a Pi's TFTP prefix <c>dc-a6-32-01-02-03</c> has it.</summary>
    public string ToString(char separator) => string.Create(17, (_bits, separator), static (chars, state) =>
    {
        for (var i = 0; i < Size; i++)
        {
            var octet = (byte)(state._bits >> 8 * (Size - 1 - i));
            chars[3 * i] = Hex(octet >> 4);
            chars[3 * i + 1] = Hex(octet & 15);
            if (i < Size - 1) chars[3 * i + 2] = state.separator;
        }
    });

    private static char Hex(int nibble) => (char)(nibble < 10 ? '0' + nibble : 'a' + nibble - 10);
}
