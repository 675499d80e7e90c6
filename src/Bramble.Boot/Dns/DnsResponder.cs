using Bramble.Wire;
using Bramble.Wire.Dns;

namespace Bramble.Boot.Dns;

/// <summary>Decides, purely, what is answered to a packet on port 53.</summary>
internal static class DnsResponder
{
    /// <summary>
    /// UDP answers that IP never splits: fragments get lost and can be forged (RFC 9715 §3.1, the flag day of 2020).
    /// </summary>
    public const ushort UdpSize = 1232;

    public static DnsDecision Decide(ReadOnlySpan<byte> packet, DnsZones zones, in DnsAsker asker)
    {
        if (!DnsHeader.TryRead(packet, out var header, out _)) return DnsDecision.Drop("short");
        // An answer to an answer would never end.
        if (header.IsResponse) return DnsDecision.Drop("response");
        // Of a message that makes no sense the header alone is returned.
        var bare = new DnsMessage { Header = Start(header, asker) };
        if (header.Opcode != DnsOpcode.Query)
            return DnsDecision.Answer("opcode", bare with { Code = DnsResponseCode.NotImplemented });
        if (!DnsMessage.TryRead(packet, out var query, out _) || query.Questions.Count != 1)
            return DnsDecision.Answer("malformed", bare with { Code = DnsResponseCode.FormatError });
        return Decide(query, zones, asker) with { UdpLimit = UdpLimit(query.Edns) };
    }

    private static DnsDecision Decide(DnsMessage query, DnsZones zones, in DnsAsker asker)
    {
        var reply = Reply(query, asker);
        if (query.Edns is { Version: > 0 })
            return DnsDecision.Answer("edns-version", reply with { Code = DnsResponseCode.BadVersion });
        var question = query.Questions[0];
        if (WhyRefused(question) is { } refusal)
            return DnsDecision.Answer(refusal.Reason, reply with { Code = refusal.Code });
        if (zones.Find(question.Name) is { } zone) return FromZone(zone, zones, question, reply, asker);
        // Without the wish for recursion it would be a look into the cache: who asked for what before.
        return asker.Recursion && query.Header.RecursionDesired
            ? new DnsDecision(DnsVerdict.Forward, "forwarded", query)
            : DnsDecision.Answer("not-ours", reply with { Code = DnsResponseCode.Refused });
    }

    /// <summary>The reply to a query, still without a result.</summary>
    public static DnsMessage Reply(DnsMessage query, in DnsAsker asker) => new()
    {
        Header = Start(query.Header, asker),
        Questions = query.Questions,
        // RFC 6891 §7: to whom has none, none is sent; options are not returned unless we know them.
        Edns = query.Edns is { } edns ? new DnsEdns(UdpSize, 0, edns.DnssecOk, default) : null,
    };

    /// <summary>How many octets of UDP the sender of a query can take.</summary>
    public static int UdpLimit(DnsEdns? edns) =>
        edns is null ? DnsMessage.PlainUdpSize : Math.Clamp((int)edns.UdpSize, DnsMessage.PlainUdpSize, UdpSize);

    private static DnsHeader Start(DnsHeader query, in DnsAsker asker) => new DnsHeader(query.Id, 0) with
    {
        IsResponse = true,
        Opcode = query.Opcode,
        RecursionDesired = query.RecursionDesired,
        RecursionAvailable = asker.Recursion,
        CheckingDisabled = query.CheckingDisabled,
    };

    private static (string Reason, DnsResponseCode Code)? WhyRefused(DnsQuestion question) => question.Type switch
    {
        // What is no question at all (RFC 6891 §6.1.1, RFC 8945 §5.1).
        DnsType.OPT or DnsType.TSIG => ("malformed", DnsResponseCode.FormatError),
        // Nobody mirrors a zone that follows the rack; its whole is for the API.
        DnsType.AXFR or DnsType.IXFR => ("transfer", DnsResponseCode.Refused),
        DnsType.MAILA or DnsType.MAILB or DnsType.TKEY => ("type", DnsResponseCode.NotImplemented),
        _ when question.Class != DnsClass.IN => ("class", DnsResponseCode.Refused),
        _ => null,
    };

    private static DnsDecision FromZone(
        DnsZone zone, DnsZones zones, DnsQuestion question, DnsMessage reply, in DnsAsker asker)
    {
        reply = reply with { Header = reply.Header with { IsAuthoritative = true } };
        if (!zone.Exists(question.Name))
            return DnsDecision.Answer("no-name", reply with
            {
                Code = DnsResponseCode.NameError,
                Authorities = [zone.NegativeSoa],
            });
        if (question.Type == DnsType.ANY)
            return DnsDecision.Answer("any", reply with
            {
                Answers = [DnsRecord.Any(question.Name, zone.NegativeSoa.Ttl)],
            });
        var answers = Near(zone.Find(question.Name, question.Type), asker.Local);
        if (answers.Length == 0)
            return DnsDecision.Answer("no-data", reply with { Authorities = [zone.NegativeSoa] });
        return DnsDecision.Answer("answered", reply with
        {
            Answers = answers,
            Additionals = AddressesOf(answers, zones, asker.Local),
        });
    }

    /// <summary>Where a service or a name server is, so that nobody asks twice (RFC 2782, RFC 1035 §3.3.11).</summary>
    private static List<DnsRecord> AddressesOf(DnsRecord[] answers, DnsZones zones, IPv4Prefix local)
    {
        var addresses = new List<DnsRecord>();
        foreach (var answer in answers)
        {
            var at = 0;
            DnsName? target = null;
            if (answer.Type == DnsType.NS) DnsName.TryRead(answer.Data.Span, ref at, out target, out _);
            else if (answer.TryGetSrvTarget(out var host)) target = host;
            if (target is not null && zones.Find(target) is { } zone)
                addresses.AddRange(Near(zone.Find(target, DnsType.A), local));
        }
        return addresses;
    }

    /// <summary>
    /// We ourselves have an address on each network: a client is told the one on its own, which it can reach.
    /// </summary>
    private static DnsRecord[] Near(IEnumerable<DnsRecord> records, IPv4Prefix local)
    {
        DnsRecord[] all = [.. records];
        if (all.Length < 2 || all[0].Type != DnsType.A) return all;
        DnsRecord[] near = [.. all.Where(record => local.Contains(IPv4Address.Read(record.Data.Span)))];
        return near.Length > 0 ? near : all;
    }
}
