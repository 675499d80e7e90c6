using System.Security.Cryptography;
using System.Text;
using Bramble.Wire.Snmp;

namespace Bramble.Manager.Power.Snmp;

/// <summary>What to do about a datagram that has come in.</summary>
internal enum SnmpVerdict
{
    /// <summary>It is none of ours, or a late or doubled answer: go on listening.</summary>
    Ignore,

    /// <summary>It is the answer.</summary>
    Answer,

    /// <summary>It told something without which the question could not be asked: ask again at once.</summary>
    AskAgain,
}

/// <summary>
/// The part of an exchange that knows the version: how a question is put, and whether a datagram answers it. No socket
/// and no waiting; one exchange at a time.
/// </summary>
internal abstract class SnmpConversation
{
    /// <summary>The datagram with which to ask now.</summary>
    public abstract byte[] Ask(SnmpPdu request);

    /// <exception cref="SnmpException">The agent says that it will never answer this.</exception>
    public abstract SnmpVerdict Take(ReadOnlySpan<byte> datagram, SnmpPdu request, out SnmpPdu answer);

    /// <summary>The exchange has ended; <paramref name="answered"/> tells how.</summary>
    public virtual void End(bool answered)
    {
    }

    public static SnmpConversation With(SnmpTarget target, TimeProvider time) =>
        target.User is { } user
            ? new UserConversation(user, time)
            : new CommunityConversation(target.Version, target.Community);
}

/// <summary>Versions 1 and 2c: the community goes along, and the request-id tells whose the answer is.</summary>
internal sealed class CommunityConversation(SnmpVersion version, string community) : SnmpConversation
{
    private readonly byte[] _community = Encoding.UTF8.GetBytes(community);

    public override byte[] Ask(SnmpPdu request) => new SnmpMessage(version, _community, request).ToBytes();

    public override SnmpVerdict Take(ReadOnlySpan<byte> datagram, SnmpPdu request, out SnmpPdu answer)
    {
        answer = request;
        if (!SnmpMessage.TryRead(datagram, out var message, out _) || message.Version != version
            || message.Pdu.Type != PduType.Response || message.Pdu.RequestId != request.RequestId)
            return SnmpVerdict.Ignore;
        answer = message.Pdu;
        return SnmpVerdict.Answer;
    }
}

/// <summary>
/// Version 3: finds out the engine's ID and clock, signs and encrypts, and believes only what is signed and in time
/// (RFC 3414 §3.2 and §4).
/// </summary>
internal sealed class UserConversation(UsmUser user, TimeProvider time) : SnmpConversation
{
    // Message ids of this exchange's tries: the answer to any of them is good.
    private readonly HashSet<int> _asked = [];
    private readonly byte[] _userName = Encoding.UTF8.GetBytes(user.Name);
    private byte[]? _engineId;
    private UsmKeys _keys = new();
    private UsmClock _clock;
    private long _heard;
    private ulong _salt = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8));

    private long SecondsSince => (long)time.GetElapsedTime(_heard).TotalSeconds;

    public override byte[] Ask(SnmpPdu request)
    {
        var id = RandomNumberGenerator.GetInt32(1, int.MaxValue);
        _asked.Add(id);
        var message = new SnmpV3Message
        {
            MessageId = id,
            Flags = SnmpV3Flags.Reportable,
            // An empty question of no user makes the engine name itself (§4).
            Scoped = new ScopedPdu(default, default, request with { Type = PduType.Get, Bindings = [] }),
        };
        if (_engineId is null) return message.ToBytes();
        return Usm.Protect(message with
        {
            Flags = user.Level | SnmpV3Flags.Reportable,
            Security = new UsmParameters
            {
                EngineId = _engineId,
                EngineBoots = _clock.Boots,
                EngineTime = _clock.TimeAfter(SecondsSince),
                UserName = _userName,
            },
            Scoped = new ScopedPdu(_engineId, default, request),
        }, _keys, _salt++);
    }

    public override SnmpVerdict Take(ReadOnlySpan<byte> datagram, SnmpPdu request, out SnmpPdu answer)
    {
        answer = request;
        if (!SnmpV3Message.TryRead(datagram, out var message, out _) || !_asked.Contains(message.MessageId))
            return SnmpVerdict.Ignore;
        var security = message.Security;
        if (message.Scoped is { Pdu: { Type: PduType.Report } report }
            && TakeReport(message, report, datagram) is { } verdict)
            return verdict;
        if (_engineId is null || !security.EngineId.Span.SequenceEqual(_engineId)
            || !security.UserName.Span.SequenceEqual(_userName)
            || (message.Flags & (SnmpV3Flags.Authenticated | SnmpV3Flags.Private)) != user.Level)
            return SnmpVerdict.Ignore;
        if (message.Flags.HasFlag(SnmpV3Flags.Authenticated))
        {
            if (!Usm.IsAuthentic(datagram, message, _keys)
                || !_clock.TryFollow(security.EngineBoots, security.EngineTime, SecondsSince, out var next,
                    out var isNewer))
                return SnmpVerdict.Ignore;
            if (isNewer) Hear(next);
        }
        var scoped = message.Scoped;
        if (scoped is null && !Usm.TryDecrypt(message, _keys, out scoped, out _)) return SnmpVerdict.Ignore;
        if (scoped.Pdu.Type == PduType.Report
            && TakeReport(message, scoped.Pdu, datagram) is { } late) return late;
        if (scoped.Pdu.Type != PduType.Response || scoped.Pdu.RequestId != request.RequestId) return SnmpVerdict.Ignore;
        answer = scoped.Pdu;
        return SnmpVerdict.Answer;
    }

    public override void End(bool answered)
    {
        _asked.Clear();
        // Perhaps another switch has this address now: begin anew next time.
        if (!answered) _engineId = null;
    }

    private SnmpVerdict? TakeReport(SnmpV3Message message, SnmpPdu report, ReadOnlySpan<byte> datagram)
    {
        var reason = report.Bindings is [var first, ..] ? first.Name : default;
        var security = message.Security;
        if (reason == Usm.UnknownEngineIds)
        {
            if (security.EngineId.Length is < 5 or > 32) return SnmpVerdict.Ignore; // RFC 3411 §5
            // A doubled report, or one to an earlier try: the next answer is already on its way.
            if (_engineId is not null && security.EngineId.Span.SequenceEqual(_engineId)) return SnmpVerdict.Ignore;
            _engineId = security.EngineId.ToArray();
            _keys = user.Localize(_engineId);
            Hear(new UsmClock(security.EngineBoots, security.EngineTime));
            return SnmpVerdict.AskAgain;
        }
        if (reason == Usm.NotInTimeWindows)
        {
            // Signed, and with a message id that we have just thought up: no replay, so even a clock that was set
            // back (a switch that forgets its boots) is believed.
            if (user.Level.HasFlag(SnmpV3Flags.Authenticated)
                && !(message.Flags.HasFlag(SnmpV3Flags.Authenticated) && Usm.IsAuthentic(datagram, message, _keys)))
                return SnmpVerdict.Ignore;
            _asked.Remove(message.MessageId); // doubled, it would make us ask twice
            Hear(new UsmClock(security.EngineBoots, security.EngineTime));
            return SnmpVerdict.AskAgain;
        }
        if (Complaint(reason) is { } complaint) throw new SnmpException(SnmpFailure.Security, complaint);
        return null;
    }

    private string? Complaint(ObjectId reason) =>
        reason == Usm.UnknownUserNames ? $"it knows no SNMPv3 user {user.Name}"
        : reason == Usm.WrongDigests
            ? $"it refused SNMPv3 user {user.Name}: the authentication password or protocol is not the one it has"
        : reason == Usm.UnsupportedSecurityLevels
            ? $"it refused SNMPv3 user {user.Name}: it has no "
                + (user.Privacy != UsmPrivacy.None ? "privacy" : "authentication") + " password for this user"
        : reason == Usm.DecryptionErrors
            ? $"it refused SNMPv3 user {user.Name}: the privacy password or protocol is not the one it has"
        : null;

    private void Hear(UsmClock clock)
    {
        _clock = clock;
        _heard = time.GetTimestamp();
    }
}
