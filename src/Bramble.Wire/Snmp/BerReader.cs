using System.Formats.Asn1;

namespace Bramble.Wire.Snmp;

/// <summary>
/// Walks BER over a span. The framework's decoder reads tag and length (it knows the long and the padded forms that
/// agents send); the first thing that breaks a rule is kept as the error, with its octet, and ends the walk. SNMP
/// allows only definite lengths (RFC 3417 §8).
/// </summary>
internal ref struct BerReader(ReadOnlySpan<byte> whole)
{
    public const byte Sequence = 0x30;

    private readonly ReadOnlySpan<byte> _whole = whole;
    private int _position;
    private int _end = whole.Length;

    public WireError Error { get; private set; }

    /// <summary>Where the next element begins, counted from the start of the message.</summary>
    public readonly int Position => _position;

    public readonly bool AtEnd => _position >= _end;

    public bool Fail(string reason, int offset)
    {
        Error = new WireError(reason, offset);
        return false;
    }

    /// <summary>Reads one element whatever its tag. The reader then stands behind it.</summary>
    public bool TryAny(string what, out byte tag, out int offset, out ReadOnlySpan<byte> content)
    {
        tag = 0;
        offset = 0;
        content = default;
        if (AtEnd) return Fail($"the message ends before {what}", _position);
        var rest = _whole[_position.._end];
        tag = rest[0];
        // A length octet of 0x80 opens the indefinite form, which needs a search for its end: none of SNMP's.
        if ((tag & 0x1f) == 0x1f || rest.Length < 2 || rest[1] == 0x80
            || !AsnDecoder.TryReadEncodedValue(rest, AsnEncodingRules.BER, out _, out var at, out var length,
                out var consumed))
            return Fail($"{what} has no valid tag and length", _position);
        offset = _position + at;
        content = rest.Slice(at, length);
        _position += consumed;
        return true;
    }

    /// <summary>Reads one element of the given tag.</summary>
    public bool TryContent(byte wanted, string what, out int offset, out ReadOnlySpan<byte> content)
    {
        var start = _position;
        if (!TryAny(what, out var tag, out offset, out content)) return false;
        return tag == wanted || Fail($"{what} has the tag 0x{tag:x2}, not 0x{wanted:x2}", start);
    }

    /// <summary>
    /// Opens a constructed element: the walk goes on inside it, and its end is returned for the way out.
    /// </summary>
    public bool TryEnter(byte wanted, string what, out int outerEnd)
    {
        outerEnd = _end;
        if (!TryContent(wanted, what, out var offset, out var content)) return false;
        _position = offset;
        _end = offset + content.Length;
        return true;
    }

    /// <summary>Leaves what <see cref="TryEnter"/> opened; all of it must have been read.</summary>
    public bool TryLeave(string what, int outerEnd)
    {
        if (!AtEnd) return Fail($"octets are left over at the end of {what}", _position);
        _end = outerEnd;
        return true;
    }

    public bool TryInt32(string what, int least, int most, out int value)
    {
        value = 0;
        var start = _position;
        if (!TryContent((byte)SnmpType.Integer32, what, out _, out var content)) return false;
        if (!TryInteger(content, out var number) || number < least || number > most)
            return Fail($"{what} is not an integer of {least} to {most}", start);
        value = (int)number;
        return true;
    }

    public bool TryOctets(string what, int most, out int offset, out ReadOnlySpan<byte> octets)
    {
        var start = _position;
        if (!TryContent((byte)SnmpType.OctetString, what, out offset, out octets)) return false;
        return octets.Length <= most || Fail($"{what} is longer than {most} octets", start);
    }

    /// <summary>
    /// Two's complement, up to 64 bits. Padding beyond the shortest form is let pass: agents send it.
    /// </summary>
    public static bool TryInteger(ReadOnlySpan<byte> content, out long value)
    {
        value = 0;
        if (content.IsEmpty) return false;
        var sign = (content[0] & 0x80) != 0 ? (byte)0xff : (byte)0;
        while (content.Length > 8)
        {
            if (content[0] != sign) return false;
            content = content[1..];
            if (content.Length == 8 && ((content[0] ^ sign) & 0x80) != 0) return false;
        }
        value = (sbyte)sign;
        foreach (var octet in content) value = value << 8 | octet;
        return true;
    }

    /// <summary>
    /// An unsigned number, up to 64 bits. Its leading zero octet is often forgotten by agents (0xffffffff in four
    /// octets), so the top bit never means a sign here.
    /// </summary>
    public static bool TryUnsigned(ReadOnlySpan<byte> content, out ulong value)
    {
        value = 0;
        if (content.IsEmpty) return false;
        while (content.Length > 8)
        {
            if (content[0] != 0) return false;
            content = content[1..];
        }
        foreach (var octet in content) value = value << 8 | octet;
        return true;
    }

    /// <summary>Base-128 arcs; the first number holds two of them (X.690 §8.19).</summary>
    public static bool TryObjectId(ReadOnlySpan<byte> content, out ObjectId id)
    {
        id = default;
        if (content.IsEmpty || (content[^1] & 0x80) != 0) return false;
        Span<uint> arcs = stackalloc uint[ObjectId.MaxArcs];
        var count = 0;
        ulong number = 0;
        foreach (var octet in content)
        {
            number = number << 7 | (uint)(octet & 0x7f);
            if (number > uint.MaxValue + (count == 0 ? 80UL : 0)) return false;
            if ((octet & 0x80) != 0) continue;
            if (count == 0)
            {
                arcs[count++] = (uint)Math.Min(number / 40, 2);
                number -= arcs[0] * 40;
            }
            if (count == ObjectId.MaxArcs || number > uint.MaxValue) return false;
            arcs[count++] = (uint)number;
            number = 0;
        }
        id = new ObjectId(arcs[..count]);
        return true;
    }
}
