using System.Text;

namespace Bramble.Wire.Snmp;

/// <summary>
/// One value of the Structure of Management Information (RFC 2578 §7.1), or an exception in its place.
/// </summary>
public readonly struct SnmpValue : IEquatable<SnmpValue>
{
    private readonly long _number;
    private readonly byte[]? _octets;
    private readonly ObjectId _objectId;

    private SnmpValue(SnmpType type, long number = 0, byte[]? octets = null, ObjectId objectId = default)
    {
        Type = type;
        _number = number;
        _octets = octets;
        _objectId = objectId;
    }

    public static readonly SnmpValue Null = new(SnmpType.Null);

    public static readonly SnmpValue NoSuchObject = new(SnmpType.NoSuchObject);

    public static readonly SnmpValue NoSuchInstance = new(SnmpType.NoSuchInstance);

    public static readonly SnmpValue EndOfMibView = new(SnmpType.EndOfMibView);

    public SnmpType Type { get; }

    /// <summary>True for noSuchObject, noSuchInstance and endOfMibView: there is no value.</summary>
    public bool IsException => Type is SnmpType.NoSuchObject or SnmpType.NoSuchInstance or SnmpType.EndOfMibView;

    /// <summary>True for the five types that carry a number.</summary>
    public bool IsNumber => Type is SnmpType.Integer32 or SnmpType.Counter32 or SnmpType.Gauge32
        or SnmpType.TimeTicks or SnmpType.Counter64;

    /// <summary>The number of a numeric value; a Counter64 above 2⁶³ shows here as negative.</summary>
    public long Number => _number;

    /// <summary>The number of a Counter64, whole.</summary>
    public ulong Unsigned => (ulong)_number;

    /// <summary>The octets of an OctetString, an Opaque or an IpAddress; empty for others.</summary>
    public ReadOnlySpan<byte> Octets => _octets;

    public ObjectId ObjectId => _objectId;

    public static SnmpValue Integer(int value) => new(SnmpType.Integer32, value);

    public static SnmpValue Counter32(uint value) => new(SnmpType.Counter32, value);

    public static SnmpValue Gauge32(uint value) => new(SnmpType.Gauge32, value);

    /// <summary>Hundredths of a second.</summary>
    public static SnmpValue TimeTicks(uint hundredths) => new(SnmpType.TimeTicks, hundredths);

    public static SnmpValue Counter64(ulong value) => new(SnmpType.Counter64, (long)value);

    public static SnmpValue OctetString(ReadOnlySpan<byte> octets) =>
        new(SnmpType.OctetString, octets: octets.ToArray());

    public static SnmpValue Text(string text) => new(SnmpType.OctetString, octets: Encoding.UTF8.GetBytes(text));

    public static SnmpValue Opaque(ReadOnlySpan<byte> octets) => new(SnmpType.Opaque, octets: octets.ToArray());

    public static SnmpValue IpAddress(IPv4Address address)
    {
        var octets = new byte[IPv4Address.Size];
        address.Write(octets);
        return new SnmpValue(SnmpType.IpAddress, octets: octets);
    }

    public static SnmpValue From(ObjectId id) => new(SnmpType.ObjectId, objectId: id);

    /// <summary>The octets as text, for a DisplayString.</summary>
    public string AsText() => Encoding.UTF8.GetString(Octets);

    /// <summary>
    /// The content octets of a value of this type, as BER carries them; tolerant where the field errs.
    /// </summary>
    internal static bool TryRead(byte tag, ReadOnlySpan<byte> content, out SnmpValue value, out string? complaint)
    {
        value = default;
        complaint = null;
        switch ((SnmpType)tag)
        {
            case SnmpType.Integer32:
                if (BerReader.TryInteger(content, out var integer) && integer is >= int.MinValue and <= int.MaxValue)
                    value = Integer((int)integer);
                else
                    complaint = "an Integer32 that is empty or longer than 32 bits";
                break;
            case SnmpType.Counter32 or SnmpType.Gauge32 or SnmpType.TimeTicks:
                if (BerReader.TryUnsigned(content, out var number) && number <= uint.MaxValue)
                    value = new SnmpValue((SnmpType)tag, (long)number);
                else
                    complaint = "a 32-bit counter, gauge or time that is empty or longer than 32 bits";
                break;
            case SnmpType.Counter64:
                if (BerReader.TryUnsigned(content, out var wide)) value = Counter64(wide);
                else complaint = "a Counter64 that is empty or longer than 64 bits";
                break;
            case SnmpType.OctetString:
                value = OctetString(content);
                break;
            case SnmpType.Opaque:
                value = Opaque(content);
                break;
            case SnmpType.IpAddress:
                if (content.Length == IPv4Address.Size) value = IpAddress(IPv4Address.Read(content));
                else complaint = "an IpAddress that is not four octets";
                break;
            case SnmpType.ObjectId:
                if (BerReader.TryObjectId(content, out var id)) value = From(id);
                else complaint = "an object identifier that breaks off or is out of range";
                break;
            case SnmpType.Null or SnmpType.NoSuchObject or SnmpType.NoSuchInstance or SnmpType.EndOfMibView:
                if (content.IsEmpty) value = new SnmpValue((SnmpType)tag);
                else complaint = "a null or an exception with content";
                break;
            default:
                complaint = $"a value of the unknown type 0x{tag:x2}";
                break;
        }
        return complaint is null;
    }

    public bool Equals(SnmpValue other) => Type == other.Type && _number == other._number
        && Octets.SequenceEqual(other.Octets) && _objectId == other._objectId;

    public override bool Equals(object? obj) => obj is SnmpValue other && Equals(other);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.Add(Type);
        hash.Add(_number);
        hash.AddBytes(Octets);
        hash.Add(_objectId);
        return hash.ToHashCode();
    }

    public static bool operator ==(SnmpValue left, SnmpValue right) => left.Equals(right);

    public static bool operator !=(SnmpValue left, SnmpValue right) => !left.Equals(right);

    public override string ToString() => Type switch
    {
        SnmpType.Integer32 or SnmpType.Counter32 or SnmpType.Gauge32 => _number.ToString(),
        SnmpType.TimeTicks => $"{_number} ticks",
        SnmpType.Counter64 => Unsigned.ToString(),
        SnmpType.IpAddress => IPv4Address.Read(Octets).ToString(),
        SnmpType.ObjectId => _objectId.ToString(),
        SnmpType.OctetString when IsPrintable(Octets) => $"\"{AsText()}\"",
        SnmpType.OctetString or SnmpType.Opaque => $"0x{Convert.ToHexStringLower(Octets)}",
        _ => Type.ToString(),
    };

    private static bool IsPrintable(ReadOnlySpan<byte> octets) =>
        octets.IndexOfAnyExceptInRange((byte)' ', (byte)'~') < 0;
}
