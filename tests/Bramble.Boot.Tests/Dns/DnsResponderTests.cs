using Bramble.Boot.Dns;
using Bramble.Wire;
using Bramble.Wire.Dns;

namespace Bramble.Boot.Tests.Dns;

/// <summary>What is answered to which packet, without a socket.</summary>
public sealed class DnsResponderTests
{
    private static readonly DnsAsker Client = new(IPv4Prefix.Parse("10.77.0.1/24"), Recursion: true);
    private static readonly DnsAsker Stranger = Client with { Recursion = false };

    [Fact]
    public void A_node_is_found_by_its_name_whatever_the_letters()
    {
        var answer = Answer(DnsAsk.Query("NODE-07.Bramble.Internal"));
        Assert.Equal((DnsResponseCode.NoError, true, true, true), (answer.Code, answer.Header.IsAuthoritative,
            answer.Header.IsResponse, answer.Header.RecursionDesired));
        Assert.Equal("0A4D0007", Convert.ToHexString(Assert.Single(answer.Answers).Data.Span));
        Assert.Equal("NODE-07.Bramble.Internal.", answer.Questions[0].Name.ToString());
    }

    [Fact]
    public void An_address_is_found_by_its_reverse_name() => Assert.Equal(
        RackZones.Node(7).Octets, Assert.Single(Answer(DnsAsk.Query("7.0.77.10.in-addr.arpa", DnsType.PTR)).Answers)
            .Data.Span);

    [Fact]
    public void A_service_comes_with_the_addresses_of_its_hosts()
    {
        var answer = Answer(DnsAsk.Query("_metrics._tcp.bramble.internal", DnsType.SRV));
        Assert.True(Assert.Single(answer.Answers).TryGetSrvTarget(out var host));
        Assert.Equal(RackZones.Node(7), host);
        Assert.Equal(RackZones.Node(7), Assert.Single(answer.Additionals).Name);
    }

    [Fact]
    public void Of_our_own_addresses_a_client_is_told_the_one_on_its_network()
    {
        var answer = Answer(DnsAsk.Query("ns.bramble.internal"));
        Assert.Equal("0A4D0001", Convert.ToHexString(Assert.Single(answer.Answers).Data.Span));
        var elsewhere = Client with { Local = IPv4Prefix.Parse("10.99.0.1/24") };
        Assert.Equal(2, Decide(DnsAsk.Query("ns.bramble.internal"), elsewhere).Message!.Answers.Count);
    }

    [Theory]
    [InlineData("node-99.bramble.internal", DnsType.A)]
    [InlineData("9.0.77.10.in-addr.arpa", DnsType.PTR)]
    [InlineData("a.node-07.bramble.internal", DnsType.A)]
    [InlineData("1.0.99.10.in-addr.arpa", DnsType.PTR)]
    [InlineData("1.1.168.192.in-addr.arpa", DnsType.PTR)]
    [InlineData("host.invalid", DnsType.A)]
    public void A_name_that_does_not_exist_is_denied_with_the_soa_of_its_zone(string name, DnsType type)
    {
        var answer = Answer(DnsAsk.Query(name, type));
        Assert.Equal((DnsResponseCode.NameError, true), (answer.Code, answer.Header.IsAuthoritative));
        var soa = Assert.Single(answer.Authorities);
        Assert.Equal(DnsType.SOA, soa.Type);
        Assert.True(soa.TryGetSoaMinimum(out var minimum) && soa.Ttl <= minimum);
    }

    [Theory]
    [InlineData("node-07.bramble.internal", DnsType.AAAA)]
    [InlineData("_tcp.bramble.internal", DnsType.A)]
    [InlineData("bramble.internal", DnsType.A)]
    [InlineData("bramble.internal", DnsType.TXT)]
    public void A_name_without_such_a_record_exists_all_the_same(string name, DnsType type)
    {
        var answer = Answer(DnsAsk.Query(name, type));
        Assert.Equal((DnsResponseCode.NoError, 0, DnsType.SOA),
            (answer.Code, answer.Answers.Count, Assert.Single(answer.Authorities).Type));
    }

    [Fact]
    public void The_top_of_the_zone_has_a_soa_with_the_serial_and_a_name_server_with_its_address()
    {
        var soa = Assert.Single(Answer(DnsAsk.Query("bramble.internal", DnsType.SOA)).Answers);
        Assert.Equal("00000007", Convert.ToHexString(soa.Data.Span[^20..^16]));
        var ns = Answer(DnsAsk.Query("bramble.internal", DnsType.NS));
        Assert.Equal((1, 1), (ns.Answers.Count, ns.Additionals.Count));
    }

    [Fact]
    public void Any_is_answered_with_one_small_record() =>
        Assert.Equal(DnsType.HINFO, Assert.Single(Answer(DnsAsk.Query("node-07.bramble.internal", DnsType.ANY)).Answers)
            .Type);

    [Fact]
    public void Names_of_others_are_passed_on_for_clients_and_refused_to_strangers()
    {
        Assert.Equal(DnsVerdict.Forward, Decide(DnsAsk.Query("www.example.org"), Client).Verdict);
        var refused = Decide(DnsAsk.Query("www.example.org"), Stranger);
        Assert.Equal((DnsVerdict.Answer, DnsResponseCode.Refused, false), (refused.Verdict, refused.Message!.Code,
            refused.Message.Header.RecursionAvailable));
        var withoutWish = DnsAsk.Query("www.example.org");
        withoutWish[2] = 0;
        Assert.Equal(DnsResponseCode.Refused, Answer(withoutWish).Code);
        // What is ours is told to strangers too.
        Assert.Single(Decide(DnsAsk.Query("node-07.bramble.internal"), Stranger).Message!.Answers);
    }

    [Theory]
    [InlineData(DnsType.AXFR, DnsResponseCode.Refused)]
    [InlineData(DnsType.IXFR, DnsResponseCode.Refused)]
    [InlineData(DnsType.MAILB, DnsResponseCode.NotImplemented)]
    [InlineData(DnsType.TKEY, DnsResponseCode.NotImplemented)]
    [InlineData(DnsType.OPT, DnsResponseCode.FormatError)]
    [InlineData(DnsType.TSIG, DnsResponseCode.FormatError)]
    public void Questions_that_are_none_are_turned_down(DnsType type, DnsResponseCode code) =>
        Assert.Equal(code, Answer(DnsAsk.Query("bramble.internal", type)).Code);

    [Fact]
    public void Other_classes_are_refused()
    {
        var query = DnsAsk.Query("version.bind", DnsType.TXT);
        query[^1] = (byte)DnsClass.CH;
        Assert.Equal(DnsResponseCode.Refused, Answer(query).Code);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(15)]
    public void Operations_other_than_a_query_are_not_implemented(int opcode)
    {
        var query = DnsAsk.Query("node-07.bramble.internal");
        query[2] |= (byte)(opcode << 3);
        var answer = Answer(query);
        Assert.Equal((DnsResponseCode.NotImplemented, opcode, 77),
            (answer.Code, (int)answer.Header.Opcode, (int)answer.Header.Id));
    }

    [Theory]
    [InlineData("004d 0100 0000 0000 0000 0000")]
    [InlineData("004d 0100 0002 0000 0000 0000 00 0001 0001 00 0001 0001")]
    [InlineData("004d 0100 0001 0000 0000 0000 c00c 0001 0001")]
    [InlineData("004d 0100 0001 0000 0000 0000 00 0001 0001 ff")]
    [InlineData("004d 0100 0001 0000 0000 0002 00 0001 0001 00 0029 1000 00000000 0000 00 0029 1000 00000000 0000")]
    public void Malformed_queries_get_formerr_with_their_id_and_no_question(string digits)
    {
        var answer = Answer(Hex(digits));
        Assert.Equal(
            (DnsResponseCode.FormatError, 77, 0), (answer.Code, (int)answer.Header.Id, answer.Questions.Count));
    }

    [Theory]
    [InlineData("")]
    [InlineData("004d 0100 0001 0000 0000 00")]
    [InlineData("004d 8180 0001 0000 0000 0000 00 0001 0001")]
    public void Broken_heads_and_answers_are_not_answered(string digits) =>
        Assert.Equal(DnsVerdict.Drop, Decide(Hex(digits), Client).Verdict);

    [Fact]
    public void An_edns_of_the_future_is_told_which_version_there_is()
    {
        var answer = Answer(DnsAsk.Query("node-07.bramble.internal", edns: new DnsEdns(1232, 1, true, default)));
        Assert.Equal((DnsResponseCode.BadVersion, 0, true),
            (answer.Code, (int)answer.Edns!.Version, answer.Edns.DnssecOk));
    }

    [Theory]
    [InlineData(0, 512)]
    [InlineData(100, 512)]
    [InlineData(900, 900)]
    [InlineData(4096, 1232)]
    public void The_size_of_a_udp_answer_is_the_client_s_within_reason(int announced, int limit)
    {
        var edns = announced == 0 ? null : new DnsEdns((ushort)announced, 0, false, default);
        var decision = Decide(DnsAsk.Query("node-07.bramble.internal", edns: edns), Client);
        Assert.Equal(limit, decision.UdpLimit);
        Assert.Equal(edns is null, decision.Message!.Edns is null);
    }

    [Theory]
    [InlineData("10.77.0.0/24", "0.77.10.in-addr.arpa.", 1)]
    [InlineData("10.77.0.1/16", "77.10.in-addr.arpa.", 1)]
    [InlineData("10.0.0.0/8", "10.in-addr.arpa.", 1)]
    [InlineData("172.16.32.1/20", "32.16.172.in-addr.arpa.", 16)]
    [InlineData("10.64.0.0/10", "64.10.in-addr.arpa.", 64)]
    [InlineData("192.0.2.64/30", "64.2.0.192.in-addr.arpa.", 4)]
    public void Reverse_zones_hold_the_network_s_addresses_and_no_others(string network, string first, int count)
    {
        var zones = ReverseNames.ZonesOf(IPv4Prefix.Parse(network)).ToArray();
        Assert.Equal((first, count), (zones[0].ToString(), zones.Length));
        Assert.Equal(count, zones.Distinct().Count());
    }

    private static DnsDecision Decide(byte[] packet, DnsAsker asker) =>
        DnsResponder.Decide(packet, RackZones.With(), asker);

    private static DnsMessage Answer(byte[] packet)
    {
        var decision = Decide(packet, Client);
        Assert.Equal(DnsVerdict.Answer, decision.Verdict);
        return decision.Message!;
    }

    private static byte[] Hex(string digits) =>
        Convert.FromHexString(digits.Replace(" ", "", StringComparison.Ordinal));
}
