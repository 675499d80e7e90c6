using System.Text;
using Bramble.Wire.Snmp;

namespace Bramble.Lab.Switch;

/// <summary>
/// An SNMP agent without a socket: a datagram in, the datagram to send back out, or none. Versions 1 and 2c go by
/// community, version 3 by user (RFC 3414 §3.2). A wrong community and what cannot be read get no answer, as real
/// agents do it.
/// </summary>
internal sealed class SnmpAgent
{
    // No answer outgrows an Ethernet frame: fragments are what cheap switches and firewalls lose.
    private const int MostAnswer = 1472;

    private readonly VirtualSwitchOptions _options;
    private readonly TimeProvider _time;
    private readonly Func<int?, MibTree> _treeOfVlan;
    private readonly long _started;
    private readonly Dictionary<string, (UsmKeys Keys, UsmUser User)> _users = [];
    private readonly Dictionary<ObjectId, uint> _statistics = [];
    private ulong _salt = 1;

    /// <param name="options">Communities, users, engine ID and boots.</param>
    /// <param name="treeOfVlan">What is shown: of one VLAN, for a community like <c>private@3</c>, or of all.</param>
    /// <param name="time">Tells the engine's time.</param>
    public SnmpAgent(VirtualSwitchOptions options, Func<int?, MibTree> treeOfVlan, TimeProvider time)
    {
        _options = options;
        _time = time;
        _treeOfVlan = treeOfVlan;
        _started = time.GetTimestamp();
        foreach (var user in options.Users) _users[user.Name] = (user.Localize(options.EngineId.Span), user);
    }

    private UsmClock Clock =>
        new(_options.EngineBoots, (int)_time.GetElapsedTime(_started).TotalSeconds + _options.EngineTime);

    public byte[]? Respond(ReadOnlySpan<byte> datagram)
    {
        if (!SnmpMessage.TryReadVersion(datagram, out var version, out _)) return null;
        return version == SnmpVersion.V3 ? RespondByUser(datagram) : RespondByCommunity(datagram);
    }

    private byte[]? RespondByCommunity(ReadOnlySpan<byte> datagram)
    {
        if (!SnmpMessage.TryRead(datagram, out var message, out _) || !IsRequest(message.Pdu)) return null;
        // One table of addresses for each VLAN, chosen by the community: "private@3".
        var community = Encoding.UTF8.GetString(message.Community.Span);
        int? vlan = null;
        if (community.LastIndexOf('@') is > 0 and var at && int.TryParse(community.AsSpan(at + 1), out var number))
        {
            vlan = number;
            community = community[..at];
        }
        var mayWrite = community == _options.WriteCommunity;
        if (!mayWrite && community != _options.ReadCommunity) return null;
        var room = MostAnswer - 40 - message.Community.Length;
        var answer = PduResponder.Respond(message.Pdu, _treeOfVlan(vlan), mayWrite, message.Version, room);
        return new SnmpMessage(message.Version, message.Community, answer).ToBytes();
    }

    private byte[]? RespondByUser(ReadOnlySpan<byte> datagram)
    {
        if (!SnmpV3Message.TryRead(datagram, out var message, out _)) return null;
        var security = message.Security;
        var level = message.Flags & (SnmpV3Flags.Authenticated | SnmpV3Flags.Private);
        if (!security.EngineId.Span.SequenceEqual(_options.EngineId.Span))
            return Report(message, Usm.UnknownEngineIds, null);
        if (!_users.TryGetValue(Encoding.UTF8.GetString(security.UserName.Span), out var known))
            return Report(message, Usm.UnknownUserNames, null);
        if ((level & ~known.User.Level) != 0) return Report(message, Usm.UnsupportedSecurityLevels, null);
        var scoped = message.Scoped;
        if (level.HasFlag(SnmpV3Flags.Authenticated))
        {
            if (!Usm.IsAuthentic(datagram, message, known.Keys)) return Report(message, Usm.WrongDigests, null);
            // §3.2 step 7a: the report is signed, so that the asker can believe the clock in it.
            if (!Clock.Accepts(security.EngineBoots, security.EngineTime))
                return Report(message, Usm.NotInTimeWindows, known.Keys);
        }
        if (level.HasFlag(SnmpV3Flags.Private) && !Usm.TryDecrypt(message, known.Keys, out scoped, out _))
            return Report(message, Usm.DecryptionErrors, null);
        if (scoped is null || !IsRequest(scoped.Pdu)) return null;

        SnmpPdu answer;
        if (level.HasFlag(SnmpV3Flags.Authenticated))
        {
            var room = Math.Min(MostAnswer, message.MaxSize) - 240;
            answer = PduResponder.Respond(scoped.Pdu, _treeOfVlan(null), mayWrite: true, SnmpVersion.V3, room);
        }
        else
        {
            answer = new SnmpPdu(PduType.Response, scoped.Pdu.RequestId, scoped.Pdu.Bindings)
            {
                ErrorStatus = SnmpErrorStatus.AuthorizationError,
            };
        }
        return Send(message, level, scoped with { Pdu = answer }, known.Keys);
    }

    private byte[]? Report(SnmpV3Message message, ObjectId counter, UsmKeys? keys)
    {
        var count = _statistics[counter] = _statistics.GetValueOrDefault(counter) + 1;
        if (!message.Flags.HasFlag(SnmpV3Flags.Reportable)) return null;
        // RFC 3412 §7.1 step 3: an encrypted question's request-id is not known.
        var report = new SnmpPdu(PduType.Report, message.Scoped?.Pdu.RequestId ?? 0,
            [new VarBind(counter, SnmpValue.Counter32(count))]);
        return Send(message, keys is null ? SnmpV3Flags.None : SnmpV3Flags.Authenticated,
            new ScopedPdu(_options.EngineId, default, report), keys);
    }

    private byte[] Send(SnmpV3Message request, SnmpV3Flags level, ScopedPdu scoped, UsmKeys? keys)
    {
        var clock = Clock;
        var message = new SnmpV3Message
        {
            MessageId = request.MessageId,
            MaxSize = SnmpMessage.MaxSize,
            Flags = level,
            Security = new UsmParameters
            {
                EngineId = _options.EngineId,
                EngineBoots = clock.Boots,
                EngineTime = clock.Time,
                UserName = request.Security.UserName,
            },
            Scoped = scoped,
        };
        return keys is null ? message.ToBytes() : Usm.Protect(message, keys, _salt++);
    }

    private static bool IsRequest(SnmpPdu pdu) =>
        pdu.Type is PduType.Get or PduType.GetNext or PduType.GetBulk or PduType.Set;
}
