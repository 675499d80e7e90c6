using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Bramble.Wire.Dhcp;

/// <summary>Turns the values of options into words and back.</summary>
public static class DhcpOptionValue
{
    /// <summary>Far more than fits into any answer.</summary>
    private const int Largest = 1024;

    /// <summary>Encodes what a person wrote, each element one item.</summary>
    /// <param name="complaint">What is wrong with it, without a full stop.</param>
    public static bool TryEncode(
        DhcpOptionType type, IReadOnlyList<string> items, [NotNullWhen(true)] out byte[]? octets,
        [NotNullWhen(false)] out string? complaint)
    {
        octets = null;
        complaint = null;
        if (items.Count == 0)
        {
            complaint = "a value is missing";
            return false;
        }
        if (items.Count > 1 && type is DhcpOptionType.Address or DhcpOptionType.Text or DhcpOptionType.Flag)
        {
            complaint = $"takes one value, not {items.Count}";
            return false;
        }
        var bytes = new List<byte>();
        if (type == DhcpOptionType.DomainList)
        {
            if (!DomainList.TryEncode(items, bytes, out complaint)) return false;
        }
        else
        {
            foreach (var item in items)
            {
                if (TryItem(type, item.Trim(), bytes)) continue;
                complaint = $"'{item}' is not {Kind(type)}";
                return false;
            }
        }
        if (bytes.Count > Largest)
        {
            complaint = $"has {bytes.Count} octets; at most {Largest} are taken";
            return false;
        }
        octets = [.. bytes];
        return true;
    }

    /// <summary>What a value of a type looks like, for a complaint.</summary>
    public static string Kind(DhcpOptionType type) => type switch
    {
        DhcpOptionType.Address or DhcpOptionType.Addresses => "an IPv4 address such as 10.0.0.1",
        DhcpOptionType.Text => "a text of printable ASCII",
        DhcpOptionType.UInt8 => "a number from 0 to 255",
        DhcpOptionType.UInt16 => "a number from 0 to 65535",
        DhcpOptionType.UInt32 => "a number from 0 to 4294967295",
        DhcpOptionType.Flag => "true or false",
        DhcpOptionType.DomainList => "a domain such as rack.example",
        DhcpOptionType.Routes => "a route such as '10.1.0.0/16 via 10.0.0.254'",
        _ => "hexadecimal octets such as '0a 0b 0c'",
    };

    /// <summary>A value in words.</summary>
    public static string Show(DhcpOptionType type, ReadOnlySpan<byte> value)
    {
        var size = type switch
        {
            DhcpOptionType.Address or DhcpOptionType.Addresses or DhcpOptionType.UInt32 => 4,
            DhcpOptionType.UInt16 => 2,
            DhcpOptionType.UInt8 => 1,
            _ => 0,
        };
        if (size > 0)
        {
            if (value.IsEmpty || value.Length % size != 0) return Convert.ToHexStringLower(value);
            var parts = new string[value.Length / size];
            for (var i = 0; i < parts.Length; i++) parts[i] = Number(type, value.Slice(i * size, size));
            return string.Join(' ', parts);
        }
        switch (type)
        {
            case DhcpOptionType.Text when !value.ContainsAnyExceptInRange((byte)' ', (byte)'~'):
                return Encoding.ASCII.GetString(value);
            case DhcpOptionType.Flag when value.Length == 1 && value[0] < 2:
                return value[0] == 1 ? "true" : "false";
            case DhcpOptionType.DomainList when DomainList.TryRead(value, out var domains, out _):
                return string.Join(' ', domains);
            case DhcpOptionType.Routes when ClasslessRoute.TryRead(value, out var routes, out _):
                return string.Join(", ", routes);
            default:
                return Convert.ToHexStringLower(value);
        }
    }

    /// <summary><c>0a 0b</c>, <c>0a:0b</c>, <c>0x0a0b</c> or <c>0a0b</c>.</summary>
    public static bool TryHex(string text, [NotNullWhen(true)] out byte[]? octets)
    {
        octets = null;
        var digits = new StringBuilder(text.Length);
        foreach (var c in text.StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? text[2..] : text)
        {
            if (c is ' ' or ':' or '-' or '\t' or '\r' or '\n') continue;
            if (!char.IsAsciiHexDigit(c)) return false;
            digits.Append(c);
        }
        if (digits.Length % 2 != 0) return false;
        octets = Convert.FromHexString(digits.ToString());
        return true;
    }

    private static string Number(DhcpOptionType type, ReadOnlySpan<byte> octets) => type switch
    {
        DhcpOptionType.UInt8 => octets[0].ToString(CultureInfo.InvariantCulture),
        DhcpOptionType.UInt16 =>
            BinaryPrimitives.ReadUInt16BigEndian(octets).ToString(CultureInfo.InvariantCulture),
        DhcpOptionType.UInt32 =>
            BinaryPrimitives.ReadUInt32BigEndian(octets).ToString(CultureInfo.InvariantCulture),
        _ => IPv4Address.Read(octets).ToString(),
    };

    private static bool TryItem(DhcpOptionType type, string item, List<byte> octets)
    {
        Span<byte> number = stackalloc byte[4];
        switch (type)
        {
            case DhcpOptionType.Address or DhcpOptionType.Addresses:
                if (!IPv4Address.TryParse(item, out var address)) return false;
                address.Write(number);
                octets.AddRange(number);
                return true;
            case DhcpOptionType.Text:
                if (item.Length == 0 || item.AsSpan().ContainsAnyExceptInRange(' ', '~')) return false;
                octets.AddRange(Encoding.ASCII.GetBytes(item));
                return true;
            case DhcpOptionType.Flag:
                if (!bool.TryParse(item, out var flag)) return false;
                octets.Add(flag ? (byte)1 : (byte)0);
                return true;
            case DhcpOptionType.Routes:
                return ClasslessRoute.TryParse(item, out var route) && route.AppendTo(octets);
            case DhcpOptionType.Hex:
                if (!TryHex(item, out var hex)) return false;
                octets.AddRange(hex);
                return true;
        }
        if (!uint.TryParse(item, NumberStyles.None, CultureInfo.InvariantCulture, out var value)) return false;
        var size = type == DhcpOptionType.UInt8 ? 1 : type == DhcpOptionType.UInt16 ? 2 : 4;
        if (size < 4 && value >> (8 * size) != 0) return false;
        BinaryPrimitives.WriteUInt32BigEndian(number, value);
        octets.AddRange(number[(4 - size)..]);
        return true;
    }
}
