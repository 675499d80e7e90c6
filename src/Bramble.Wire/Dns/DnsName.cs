using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Bramble.Wire.Dns;

/// <summary>
/// A domain name as on the wire, without compression: labels of 1 to 63 octets, each behind its length, and a zero; 255
/// octets at most (RFC 1035 §3.1). Any octet may stand in a label (RFC 2181 §11). Letters compare without case
/// (RFC 4343) and are kept as they came.
/// </summary>
public sealed class DnsName : IEquatable<DnsName>
{
    public const int MaxOctets = 255;
    public const int MaxLabelOctets = 63;

    /// <summary>More pointers than a name can have labels lead nowhere that is worth the time.</summary>
    private const int MaxPointers = 127;

    public static readonly DnsName Root = new([0]);

    private readonly byte[] _octets;
    private readonly int _hash;
    private DnsName? _parent;

    private DnsName(byte[] octets)
    {
        _octets = octets;
        // FNV-1a over small letters.
        var hash = 2166136261u;
        foreach (var octet in octets) hash = (hash ^ Small(octet)) * 16777619u;
        _hash = (int)hash;
    }

    /// <summary>The whole name on the wire, its last zero included.</summary>
    public ReadOnlySpan<byte> Octets => _octets;

    public bool IsRoot => _octets.Length == 1;

    /// <summary>The name without its first label; the root's is the root.</summary>
    public DnsName Parent => IsRoot ? this : _parent ??= new DnsName(_octets[(_octets[0] + 1)..]);

    public int LabelCount
    {
        get
        {
            var count = 0;
            for (var at = 0; _octets[at] != 0; at += _octets[at] + 1) count++;
            return count;
        }
    }

    /// <summary>A label in front. False if the label or the whole would be too long.</summary>
    public bool TryPrepend(ReadOnlySpan<byte> label, [NotNullWhen(true)] out DnsName? name)
    {
        name = null;
        if (label.Length is 0 or > MaxLabelOctets || label.Length + 1 + _octets.Length > MaxOctets) return false;
        name = new DnsName([(byte)label.Length, .. label, .. _octets]) { _parent = this };
        return true;
    }

    /// <summary>A label of ASCII letters in front.</summary>
    /// <exception cref="FormatException">Too long.</exception>
    public DnsName Prepend(string label) => TryPrepend(Encoding.ASCII.GetBytes(label), out var name) ? name
        : throw new FormatException($"'{label}' cannot stand before '{this}'");

    /// <summary>Whether this is the other name or lies below it.</summary>
    public bool IsWithin(DnsName ancestor)
    {
        var name = this;
        for (var extra = LabelCount - ancestor.LabelCount; extra > 0; extra--) name = name.Parent;
        return name.Equals(ancestor);
    }

    /// <summary>
    /// Reads a name at an offset of a message and moves the offset behind it. A pointer (RFC 1035 §4.1.4) must point
    /// before the name or the part of it that it ends, so that none goes in circles.
    /// </summary>
    public static bool TryRead(
        ReadOnlySpan<byte> message, ref int offset, [NotNullWhen(true)] out DnsName? name, out WireError error)
    {
        name = null;
        error = default;
        Span<byte> octets = stackalloc byte[MaxOctets];
        var (length, at, start, pointers) = (0, offset, offset, 0);
        while (true)
        {
            if (at >= message.Length) return Fail("a name goes beyond the end", at, out error);
            var first = message[at];
            if (first == 0) break;
            switch (first >> 6)
            {
                case 0:
                    if (at + 1 + first > message.Length) return Fail("a label goes beyond the end", at, out error);
                    if (length + first + 2 > MaxOctets) return Fail("a name has more than 255 octets", at, out error);
                    message.Slice(at, first + 1).CopyTo(octets[length..]);
                    length += first + 1;
                    at += first + 1;
                    break;
                case 3:
                    if (at + 2 > message.Length) return Fail("a pointer goes beyond the end", at, out error);
                    var target = (first & 0x3f) << 8 | message[at + 1];
                    if (target >= start || target < DnsHeader.Size)
                        return Fail("a pointer does not point to an earlier name", at, out error);
                    if (++pointers > MaxPointers) return Fail("a name has too many pointers", at, out error);
                    if (pointers == 1) offset = at + 2;
                    at = start = target;
                    break;
                default:
                    return Fail("a label of an unknown kind", at, out error);
            }
        }
        if (pointers == 0) offset = at + 1;
        name = length == 0 ? Root : new DnsName([.. octets[..length], 0]);
        return true;
    }

    /// <summary>
    /// Reads text such as <c>node-07.bramble.internal</c>, with or without the last dot. <c>\.</c> is a dot in a label,
    /// <c>\DDD</c> an octet by its decimal number (RFC 1035 §5.1).
    /// </summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out DnsName? name)
    {
        name = null;
        if (text.Length == 0) return false;
        if (text == ".")
        {
            name = Root;
            return true;
        }
        var octets = new List<byte> { 0 };
        var label = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '.')
            {
                if (octets[label] == 0) return false;
                if (i == text.Length - 1) break;
                label = octets.Count;
                octets.Add(0);
                continue;
            }
            if (!TryOctet(text, ref i, out var octet) || octets[label] == MaxLabelOctets) return false;
            octets.Add(octet);
            octets[label]++;
        }
        if (octets[label] == 0 || octets.Count + 1 > MaxOctets) return false;
        name = new DnsName([.. octets, 0]);
        return true;
    }

    public static DnsName Parse(string text) => TryParse(text, out var name) ? name
        : throw new FormatException($"'{text}' is not a domain name such as node-07.bramble.internal");

    public bool Equals(DnsName? other)
    {
        if (ReferenceEquals(this, other)) return true;
        if (other is null || _hash != other._hash || _octets.Length != other._octets.Length) return false;
        // Lengths of labels are below 'A': they compare as they are.
        for (var i = 0; i < _octets.Length; i++)
            if (Small(_octets[i]) != Small(other._octets[i])) return false;
        return true;
    }

    public override bool Equals(object? obj) => Equals(obj as DnsName);

    public override int GetHashCode() => _hash;

    /// <summary>The name as text, with a last dot and with escapes, fit for a log.</summary>
    public override string ToString()
    {
        if (IsRoot) return ".";
        var text = new StringBuilder(_octets.Length);
        for (var at = 0; _octets[at] != 0; at += _octets[at] + 1)
        {
            foreach (var octet in _octets.AsSpan(at + 1, _octets[at]))
            {
                if (octet is (byte)'.' or (byte)'\\') text.Append('\\').Append((char)octet);
                else if (octet is > 32 and < 127) text.Append((char)octet);
                else text.Append(CultureInfo.InvariantCulture, $"\\{octet:000}");
            }
            text.Append('.');
        }
        return text.ToString();
    }

    private static bool TryOctet(string text, ref int i, out byte octet)
    {
        octet = 0;
        if (text[i] != '\\')
        {
            if (text[i] is <= ' ' or > '~') return false;
            octet = (byte)text[i];
            return true;
        }
        if (i + 1 >= text.Length) return false;
        if (!char.IsAsciiDigit(text[i + 1]))
        {
            if (text[i + 1] is <= ' ' or > '~') return false;
            octet = (byte)text[++i];
            return true;
        }
        if (i + 3 >= text.Length || !byte.TryParse(
            text.AsSpan(i + 1, 3), NumberStyles.None, CultureInfo.InvariantCulture, out octet))
            return false;
        i += 3;
        return true;
    }

    private static byte Small(byte octet) => octet is >= (byte)'A' and <= (byte)'Z' ? (byte)(octet | 0x20) : octet;

    private static bool Fail(string reason, int at, out WireError error)
    {
        error = new WireError(reason, at);
        return false;
    }
}
