using System.Formats.Asn1;

namespace Bramble.Wire.Snmp;

/// <summary>msgFlags (RFC 3412 §6.4).</summary>
[Flags]
public enum SnmpV3Flags : byte
{
    None = 0,
    Authenticated = 1,
    Private = 2,

    /// <summary>The sender wants a REPORT if the message cannot be handled.</summary>
    Reportable = 4,
}

/// <summary>UsmSecurityParameters (RFC 3414 §2.4).</summary>
public sealed record UsmParameters
{
    public static readonly UsmParameters Empty = new();

    public ReadOnlyMemory<byte> EngineId { get; init; }

    public int EngineBoots { get; init; }

    /// <summary>Seconds since the authoritative engine last counted up its boots.</summary>
    public int EngineTime { get; init; }

    public ReadOnlyMemory<byte> UserName { get; init; }

    /// <summary>The message's digest.</summary>
    public ReadOnlyMemory<byte> Authentication { get; init; }

    /// <summary>The salt of the encryption.</summary>
    public ReadOnlyMemory<byte> Privacy { get; init; }
}

/// <summary>A PDU and the context that it speaks of (RFC 3412 §6.8).</summary>
public sealed record ScopedPdu(ReadOnlyMemory<byte> ContextEngineId, ReadOnlyMemory<byte> ContextName, SnmpPdu Pdu)
{
    /// <summary>Reads a scoped PDU; a block cipher may have padded it, so what follows it is not looked at.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out ScopedPdu scoped, out WireError error)
    {
        var reader = new BerReader(bytes);
        var ok = TryRead(ref reader, out scoped);
        error = reader.Error;
        return ok;
    }

    internal static bool TryRead(ref BerReader reader, out ScopedPdu scoped)
    {
        scoped = null!;
        if (!reader.TryEnter(BerReader.Sequence, "the scoped PDU", out var outer)
            || !reader.TryOctets("contextEngineID", SnmpMessage.MaxSize, out _, out var engine)
            || !reader.TryOctets("contextName", SnmpMessage.MaxSize, out _, out var name)
            || !SnmpPdu.TryRead(ref reader, out var pdu)
            || !reader.TryLeave("the scoped PDU", outer))
            return false;
        scoped = new ScopedPdu(engine.ToArray(), name.ToArray(), pdu);
        return true;
    }

    public byte[] ToBytes()
    {
        var writer = new AsnWriter(AsnEncodingRules.BER);
        Write(writer);
        return writer.Encode();
    }

    internal void Write(AsnWriter writer)
    {
        using var _ = writer.PushSequence();
        writer.WriteOctetString(ContextEngineId.Span);
        writer.WriteOctetString(ContextName.Span);
        Pdu.Write(writer);
    }
}

/// <summary>
/// A message of version 3 under the user-based security model (RFC 3412 §6, RFC 3414 §2.4):
/// <code>
/// SEQUENCE { version=3,
///   SEQUENCE { msgID, msgMaxSize, msgFlags, msgSecurityModel },
///   OCTET STRING { SEQUENCE { engineID, boots, time, userName, authentication, privacy } },
///   ScopedPDU | OCTET STRING (encrypted ScopedPDU) }
/// </code>
/// Only the shape is read and written here; <see cref="Usm"/> signs, checks, encrypts and decrypts.
/// </summary>
public sealed record SnmpV3Message
{
    /// <summary>The security model that is spoken: the user-based one.</summary>
    public const int UserBased = 3;

    public required int MessageId { get; init; }

    /// <summary>The largest message that the sender can receive.</summary>
    public int MaxSize { get; init; } = SnmpMessage.MaxSize;

    public SnmpV3Flags Flags { get; init; }

    public UsmParameters Security { get; init; } = UsmParameters.Empty;

    /// <summary>The PDU in the clear; null when it came encrypted.</summary>
    public ScopedPdu? Scoped { get; init; }

    /// <summary>The encrypted scoped PDU, if <see cref="Scoped"/> is null.</summary>
    public ReadOnlyMemory<byte> Encrypted { get; init; }

    /// <summary>Where the digest stands in the bytes that this message was read from.</summary>
    public int AuthenticationOffset { get; private init; }

    public static bool TryRead(ReadOnlySpan<byte> bytes, out SnmpV3Message message, out WireError error)
    {
        message = null!;
        var reader = new BerReader(bytes);
        var ok = TryRead(ref reader, ref message);
        error = reader.Error;
        return ok;
    }

    private static bool TryRead(ref BerReader reader, ref SnmpV3Message message)
    {
        if (!reader.TryEnter(BerReader.Sequence, "the message", out var outer)
            || !reader.TryInt32("the version", 3, 3, out _)
            || !reader.TryEnter(BerReader.Sequence, "the global data", out var afterGlobal)
            || !reader.TryInt32("msgID", 0, int.MaxValue, out var id)
            || !reader.TryInt32("msgMaxSize", 484, int.MaxValue, out var maxSize)
            || !reader.TryOctets("msgFlags", 1, out var flagsAt, out var flagOctets))
            return false;
        if (flagOctets.Length != 1) return reader.Fail("msgFlags is empty", flagsAt);
        // The bits that nobody has defined are let pass, as §7.2 step 5 wants only the two security bits checked.
        var flags = (SnmpV3Flags)(flagOctets[0] & 7);
        if ((flags & (SnmpV3Flags.Private | SnmpV3Flags.Authenticated)) == SnmpV3Flags.Private)
            return reader.Fail("msgFlags asks for privacy without authentication", flagsAt);
        if (!reader.TryInt32("msgSecurityModel", UserBased, UserBased, out _)
            || !reader.TryLeave("the global data", afterGlobal)
            || !TrySecurity(ref reader, out var security, out var authenticationAt))
            return false;
        ScopedPdu? scoped = null;
        ReadOnlySpan<byte> encrypted = default;
        if (flags.HasFlag(SnmpV3Flags.Private))
        {
            if (!reader.TryOctets("the encrypted PDU", SnmpMessage.MaxSize, out _, out encrypted)) return false;
        }
        else if (!ScopedPdu.TryRead(ref reader, out scoped))
        {
            return false;
        }
        if (!reader.TryLeave("the message", outer) || !reader.TryLeave("the datagram", outer)) return false;
        message = new SnmpV3Message
        {
            MessageId = id,
            MaxSize = maxSize,
            Flags = flags,
            Security = security,
            Scoped = scoped,
            Encrypted = encrypted.ToArray(),
            AuthenticationOffset = authenticationAt,
        };
        return true;
    }

    private static bool TrySecurity(ref BerReader reader, out UsmParameters security, out int authenticationAt)
    {
        security = UsmParameters.Empty;
        authenticationAt = 0;
        // A sequence inside an octet string: the string is entered as if it were constructed.
        if (!reader.TryEnter((byte)SnmpType.OctetString, "msgSecurityParameters", out var afterString)
            || !reader.TryEnter(BerReader.Sequence, "the USM parameters", out var afterSequence)
            || !reader.TryOctets("the engine ID", 32, out _, out var engine)
            || !reader.TryInt32("engine boots", 0, int.MaxValue, out var boots)
            || !reader.TryInt32("engine time", 0, int.MaxValue, out var time)
            || !reader.TryOctets("the user name", 32, out _, out var user)
            || !reader.TryOctets("the digest", 64, out authenticationAt, out var authentication)
            || !reader.TryOctets("the salt", 64, out _, out var privacy)
            || !reader.TryLeave("the USM parameters", afterSequence)
            || !reader.TryLeave("msgSecurityParameters", afterString))
            return false;
        security = new UsmParameters
        {
            EngineId = engine.ToArray(),
            EngineBoots = boots,
            EngineTime = time,
            UserName = user.ToArray(),
            Authentication = authentication.ToArray(),
            Privacy = privacy.ToArray(),
        };
        return true;
    }

    public int Write(Span<byte> to) => Encode().Encode(to);

    public byte[] ToBytes() => Encode().Encode();

    private AsnWriter Encode()
    {
        var writer = new AsnWriter(AsnEncodingRules.BER);
        using (writer.PushSequence())
        {
            writer.WriteInteger((int)SnmpVersion.V3);
            using (writer.PushSequence())
            {
                writer.WriteInteger(MessageId);
                writer.WriteInteger(MaxSize);
                writer.WriteOctetString([(byte)Flags]);
                writer.WriteInteger(UserBased);
            }
            using (writer.PushOctetString())
            using (writer.PushSequence())
            {
                writer.WriteOctetString(Security.EngineId.Span);
                writer.WriteInteger(Security.EngineBoots);
                writer.WriteInteger(Security.EngineTime);
                writer.WriteOctetString(Security.UserName.Span);
                writer.WriteOctetString(Security.Authentication.Span);
                writer.WriteOctetString(Security.Privacy.Span);
            }
            if (Scoped is { } scoped) scoped.Write(writer);
            else writer.WriteOctetString(Encrypted.Span);
        }
        return writer;
    }
}
