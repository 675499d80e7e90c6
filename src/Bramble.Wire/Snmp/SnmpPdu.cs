using System.Formats.Asn1;

namespace Bramble.Wire.Snmp;

/// <summary>A variable: its name and, in an answer or a SET, its value.</summary>
public readonly record struct VarBind(ObjectId Name, SnmpValue Value)
{
    /// <summary>A name alone, as a question carries it.</summary>
    public VarBind(ObjectId name) : this(name, SnmpValue.Null)
    {
    }

    /// <summary>Octets that this variable takes in a message.</summary>
    public int EncodedLength
    {
        get
        {
            var writer = new AsnWriter(AsnEncodingRules.BER);
            Write(writer);
            return writer.GetEncodedLength();
        }
    }

    internal void Write(AsnWriter writer)
    {
        using var _ = writer.PushSequence();
        writer.WriteObjectId(Name);
        writer.WriteValue(Value);
    }

    public override string ToString() => $"{Name} = {Value}";
}

/// <summary>
/// A protocol data unit (RFC 3416 §3). The two numbers behind the request id mean error-status and error-index, or,
/// in a GETBULK, non-repeaters and max-repetitions.
/// </summary>
public sealed record SnmpPdu(PduType Type, int RequestId, IReadOnlyList<VarBind> Bindings)
{
    public SnmpErrorStatus ErrorStatus { get; init; }

    /// <summary>Which variable the error is about, counted from 1; 0 if none.</summary>
    public int ErrorIndex { get; init; }

    /// <summary>GETBULK: how many of the first names are asked for one successor only.</summary>
    public int NonRepeaters
    {
        get => (int)ErrorStatus;
        init => ErrorStatus = (SnmpErrorStatus)value;
    }

    /// <summary>GETBULK: how many successors the other names are asked for.</summary>
    public int MaxRepetitions
    {
        get => ErrorIndex;
        init => ErrorIndex = value;
    }

    internal static bool TryRead(ref BerReader reader, out SnmpPdu pdu)
    {
        pdu = null!;
        var start = reader.Position;
        var look = reader;
        if (!look.TryAny("the PDU", out var tag, out _, out _)) return reader.Fail(look.Error.Reason, start);
        // 0xa4 is the trap of version 1, which has another shape; nothing here receives traps.
        if (tag is < 0xa0 or > 0xa8 or 0xa4) return reader.Fail($"0x{tag:x2} is no PDU that is read here", start);
        if (!reader.TryEnter(tag, "the PDU", out var outer)
            || !reader.TryInt32("request-id", int.MinValue, int.MaxValue, out var requestId)
            || !reader.TryInt32("error-status", int.MinValue, int.MaxValue, out var status)
            || !reader.TryInt32("error-index", int.MinValue, int.MaxValue, out var index)
            || !reader.TryEnter(BerReader.Sequence, "the variable bindings", out var afterBindings))
            return false;
        var bindings = new List<VarBind>();
        while (!reader.AtEnd)
        {
            if (!reader.TryEnter(BerReader.Sequence, "a variable binding", out var afterBinding)) return false;
            var nameAt = reader.Position;
            if (!reader.TryContent((byte)SnmpType.ObjectId, "a variable's name", out _, out var content)) return false;
            if (!BerReader.TryObjectId(content, out var name))
                return reader.Fail("a variable's name breaks off or is out of range", nameAt);
            var valueAt = reader.Position;
            if (!reader.TryAny("a variable's value", out var type, out _, out content)) return false;
            if (!SnmpValue.TryRead(type, content, out var value, out var complaint))
                return reader.Fail($"a variable's value is {complaint}", valueAt);
            if (!reader.TryLeave("a variable binding", afterBinding)) return false;
            bindings.Add(new VarBind(name, value));
        }
        if (!reader.TryLeave("the variable bindings", afterBindings) || !reader.TryLeave("the PDU", outer))
            return false;
        pdu = new SnmpPdu((PduType)(tag & 0x1f), requestId, bindings)
        {
            ErrorStatus = (SnmpErrorStatus)status,
            ErrorIndex = index,
        };
        return true;
    }

    internal void Write(AsnWriter writer)
    {
        using var pdu = writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, (int)Type, isConstructed: true));
        writer.WriteInteger(RequestId);
        writer.WriteInteger((int)ErrorStatus);
        writer.WriteInteger(ErrorIndex);
        using var bindings = writer.PushSequence();
        foreach (var binding in Bindings) binding.Write(writer);
    }
}
