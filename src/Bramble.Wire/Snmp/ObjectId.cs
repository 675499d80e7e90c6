using System.Globalization;
using System.Text;

namespace Bramble.Wire.Snmp;

/// <summary>
/// An object identifier as a value: up to 128 arcs of 32 bits (RFC 3416 §2.5 and RFC 2578 §3.5), ordered
/// lexicographically, as a MIB is walked. The first arc is 0 to 2; below 2 the second is at most 39, for BER folds
/// the two into one number.
/// </summary>
public readonly struct ObjectId : IEquatable<ObjectId>, IComparable<ObjectId>, ISpanParsable<ObjectId>
{
    /// <summary>Arcs that SNMP allows in one identifier.</summary>
    public const int MaxArcs = 128;

    private readonly uint[]? _arcs;

    /// <exception cref="ArgumentException">Too many arcs, or first arcs that no identifier can have.</exception>
    public ObjectId(params ReadOnlySpan<uint> arcs)
    {
        if (!IsValid(arcs)) throw new ArgumentException("these arcs make no object identifier", nameof(arcs));
        _arcs = arcs.ToArray();
    }

    /// <summary>The numbers, first to last; empty for the default value.</summary>
    public ReadOnlySpan<uint> Arcs => _arcs;

    public int Length => _arcs?.Length ?? 0;

    /// <summary>True if these arcs could stand in an identifier.</summary>
    public static bool IsValid(ReadOnlySpan<uint> arcs) =>
        arcs.Length <= MaxArcs && (arcs.Length == 0 || arcs[0] <= 2)
        && (arcs.Length < 2 || arcs[0] == 2 || arcs[1] < 40);

    /// <summary>This identifier with more arcs behind it: an instance of a column, for one.</summary>
    public ObjectId Append(params ReadOnlySpan<uint> more)
    {
        var arcs = new uint[Length + more.Length];
        Arcs.CopyTo(arcs);
        more.CopyTo(arcs.AsSpan(Length));
        return new ObjectId(arcs);
    }

    /// <summary>The six octets of a MAC address as arcs, as the bridge tables are indexed (RFC 4188).</summary>
    public ObjectId Append(MacAddress mac)
    {
        Span<byte> octets = stackalloc byte[MacAddress.Size];
        mac.Write(octets);
        Span<uint> arcs = stackalloc uint[MacAddress.Size];
        for (var i = 0; i < arcs.Length; i++) arcs[i] = octets[i];
        return Append(arcs);
    }

    /// <summary>True if this identifier is the prefix, or lies below it.</summary>
    public bool StartsWith(ObjectId prefix) => Arcs.StartsWith(prefix.Arcs);

    /// <summary>Dotted decimal, with or without a leading dot.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, IFormatProvider? provider, out ObjectId id)
    {
        id = default;
        if (text is ['.', ..]) text = text[1..];
        Span<uint> arcs = stackalloc uint[MaxArcs];
        var count = 0;
        foreach (var range in text.Split('.'))
        {
            if (count == MaxArcs
                || !uint.TryParse(text[range], NumberStyles.None, CultureInfo.InvariantCulture, out arcs[count]))
                return false;
            count++;
        }
        if (!IsValid(arcs[..count])) return false;
        id = new ObjectId(arcs[..count]);
        return true;
    }

    public static bool TryParse(ReadOnlySpan<char> text, out ObjectId id) => TryParse(text, null, out id);

    public static bool TryParse(string? text, IFormatProvider? provider, out ObjectId id) =>
        TryParse(text.AsSpan(), provider, out id);

    public static ObjectId Parse(ReadOnlySpan<char> text, IFormatProvider? provider = null) =>
        TryParse(text, provider, out var id)
            ? id
            : throw new FormatException($"'{text}' is not an object identifier such as 1.3.6.1.2.1.1.1.0");

    public static ObjectId Parse(string text, IFormatProvider? provider = null) => Parse(text.AsSpan(), provider);

    public int CompareTo(ObjectId other) => Arcs.SequenceCompareTo(other.Arcs);

    public bool Equals(ObjectId other) => Arcs.SequenceEqual(other.Arcs);

    public override bool Equals(object? obj) => obj is ObjectId other && Equals(other);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var arc in Arcs) hash.Add(arc);
        return hash.ToHashCode();
    }

    public static bool operator ==(ObjectId left, ObjectId right) => left.Equals(right);

    public static bool operator !=(ObjectId left, ObjectId right) => !left.Equals(right);

    public static bool operator <(ObjectId left, ObjectId right) => left.CompareTo(right) < 0;

    public static bool operator >(ObjectId left, ObjectId right) => left.CompareTo(right) > 0;

    public static bool operator <=(ObjectId left, ObjectId right) => left.CompareTo(right) <= 0;

    public static bool operator >=(ObjectId left, ObjectId right) => left.CompareTo(right) >= 0;

    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (var arc in Arcs)
        {
            if (text.Length > 0) text.Append('.');
            text.Append(arc);
        }
        return text.ToString();
    }
}
