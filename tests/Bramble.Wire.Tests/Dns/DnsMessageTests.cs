using Bramble.Wire.Dns;

namespace Bramble.Wire.Tests.Dns;

public sealed class DnsMessageTests
{
    private static readonly DnsName Zone = DnsName.Parse("bramble.internal");

    [Fact]
    public void A_query_of_dig_is_read_with_its_edns()
    {
        var query = Read(GoldenDns.Query);
        Assert.Equal((0x4b1f, false, true, true), (query.Header.Id, query.Header.IsResponse,
            query.Header.RecursionDesired, query.Header.AuthenticData));
        Assert.Equal(new DnsQuestion(DnsName.Parse("node-07.bramble.internal"), DnsType.A), query.Questions[0]);
        Assert.Equal((1232, 0, false, 12),
            ((int)query.Edns!.UdpSize, (int)query.Edns.Version, query.Edns.DnssecOk, query.Edns.Options.Length));
        Assert.Empty(query.Additionals);
    }

    [Fact]
    public void An_answer_is_written_octet_by_octet_as_servers_compress_it()
    {
        var node = DnsName.Parse("node-07.bramble.internal");
        var ns = DnsName.Parse("ns.bramble.internal");
        var answer = new DnsMessage
        {
            Header = new DnsHeader(0x4b1f, 0x8580),
            Questions = [new DnsQuestion(node, DnsType.A)],
            Answers = [DnsRecord.A(node, 10, IPv4Address.Parse("10.77.0.7"))],
            Authorities = [DnsRecord.OfName(Zone, DnsType.NS, 10, ns)],
            Additionals = [DnsRecord.A(ns, 10, IPv4Address.Parse("10.77.0.1"))],
        };
        Assert.Equal(Convert.ToHexString(GoldenDns.Answer), Convert.ToHexString(Written(answer)));
    }

    [Fact]
    public void The_example_of_the_rfc_is_read_and_written_as_it_stands_there()
    {
        var message = Read(GoldenDns.Rfc1035Example);
        Assert.Equal(["F.ISI.ARPA.", "FOO.F.ISI.ARPA.", "ARPA.", "."],
            message.Questions.Select(q => q.Name.ToString()));
        Assert.Equal(GoldenDns.Rfc1035Example, Written(message));
    }

    [Fact]
    public void Names_in_data_are_made_whole_and_only_the_types_of_rfc_1035_are_compressed_again()
    {
        var message = Read(GoldenDns.EveryLayout);
        Assert.Equal("03777777047465737400", Convert.ToHexString(message.Answers[0].Data.Span));
        var srv = message.Answers.Single(r => r.Type == DnsType.SRV);
        Assert.True(srv.TryGetSrvTarget(out var target));
        Assert.Equal("www.test.", target.ToString());
        // An unknown type's data is octets, whatever they look like (RFC 3597 §3).
        Assert.Equal("C00C", Convert.ToHexString(message.Answers.Single(r => (int)r.Type == 99).Data.Span));
        var again = Written(message);
        Assert.Contains("0002000100" + "00003C0002C00C", Convert.ToHexString(again), StringComparison.Ordinal);
        Assert.Contains("0021000100" + "00003C00100000" + "0000238C03777777047465737400",
            Convert.ToHexString(again), StringComparison.Ordinal);
    }

    [Fact]
    public void What_does_not_fit_is_cut_to_the_question_with_tc_set_and_the_opt_record_kept()
    {
        var node = DnsName.Parse("big.bramble.internal");
        var message = new DnsMessage
        {
            Header = new DnsHeader(1, 0x8400),
            Questions = [new DnsQuestion(node, DnsType.TXT)],
            Answers = [.. Enumerable.Range(0, 20).Select(i => DnsRecord.Txt(node, 1, new string('x', 100 + i)))],
            Edns = new DnsEdns(1232, 0, false, default),
        };
        var buffer = new byte[512];
        var cut = Read(buffer[..message.Write(buffer)]);
        Assert.True(cut.Header.IsTruncated);
        Assert.Equal((1, 0, true), (cut.Questions.Count, cut.Answers.Count, cut.Edns is not null));
        Assert.Equal(20, Read(Written(message)).Answers.Count);
    }

    [Fact]
    public void Additional_records_that_do_not_fit_are_left_out_without_tc()
    {
        var message = new DnsMessage
        {
            Header = new DnsHeader(1, 0x8400),
            Questions = [new DnsQuestion(Zone, DnsType.SRV)],
            Additionals = [.. Enumerable.Range(0, 100).Select(i =>
                DnsRecord.A(Zone.Prepend($"node-{i}"), 1, new IPv4Address((uint)i)))],
        };
        var buffer = new byte[512];
        var cut = Read(buffer[..message.Write(buffer)]);
        Assert.False(cut.Header.IsTruncated);
        Assert.InRange(cut.Additionals.Count, 15, 30);
    }

    [Fact]
    public void A_response_code_above_15_travels_in_the_opt_record()
    {
        var message = new DnsMessage { Code = DnsResponseCode.BadVersion, Edns = new DnsEdns(1232, 0, true, default) };
        var back = Read(Written(message));
        Assert.Equal((DnsResponseCode.BadVersion, 0, true), (back.Code, back.Header.CodeBits, back.Edns!.DnssecOk));
    }

    public static TheoryData<string, string> Malformed() => new()
    {
        { "0001 0100 0001 0000 0000 0000 c00c 0001 0001", "a pointer does not point to an earlier name" },
        { "0001 0100 0001 0000 0000 0000 c00e 0001 0001", "a pointer does not point to an earlier name" },
        { "0001 0100 0001 0000 0000 0000 c000 0001 0001", "a pointer does not point to an earlier name" },
        { "0001 0100 0001 0000 0000 0000 01 61 c00c 0001 0001", "a pointer does not point to an earlier name" },
        { "0001 0100 0001 0000 0000 0000 41 61 00 0001 0001", "a label of an unknown kind" },
        { "0001 0100 0001 0000 0000 0000 05 6161", "a label goes beyond the end" },
        { "0001 0100 0001 0000 0000 0000 01 61", "a name goes beyond the end" },
        { "0001 0100 0001 0000 0000 0000 00 0001", "a question goes beyond the end" },
        { "0001 0100 ffff ffff ffff ffff", "a name goes beyond the end" },
        { "0001 0100 0000 0000 0000 0000 00", "octets follow the end of the message" },
        { "0001 8100 0000 0001 0000 0000 00 0001 0001 00000001 0003 010203", "the data of a record is too short" },
        { "0001 8100 0000 0001 0000 0000 00 0001 0001 00000001 0005 0102030405", "the data of a record is too long" },
        { "0001 8100 0000 0001 0000 0000 00 0001 0001 00000001 0005 01020304", "goes beyond the end" },
        { "0001 8100 0000 0001 0000 0000 00 0010 0001 00000001 0000", "a string goes beyond its record" },
        { "0001 0100 0000 0000 0000 0002 00 0029 04d0 00000000 0000 00 0029 04d0 00000000 0000", "there twice" },
        { "0001 0100 0000 0001 0000 0000 00 0029 04d0 00000000 0000", "out of place" },
        { "0001 0100 0000 0000 0000 0001 01 61 00 0029 04d0 00000000 0000", "the root's name" },
        { "0001 0100 0000 0000 0000 0001 00 0029 04d0 00000000 0005 000a 0008 11", "an EDNS option" },
        { "0001 0100 00", "at least 12 octets" },
    };

    [Theory]
    [MemberData(nameof(Malformed))]
    public void What_breaks_a_rule_is_refused_with_the_rule(string digits, string reason)
    {
        var packet = GoldenDns.Hex(digits);
        Assert.False(DnsMessage.TryRead(packet, out _, out var error));
        Assert.Contains(reason, error.Reason, StringComparison.Ordinal);
        Assert.Null(SlowDns.Read(packet));
    }

    [Fact]
    public void Names_of_255_octets_are_names_and_longer_ones_are_not_even_by_pointers()
    {
        var label = new string('a', 63);
        Assert.True(DnsName.TryParse($"{label}.{label}.{label}.{label[..61]}", out var longest));
        Assert.Equal(255, longest.Octets.Length);
        Assert.False(DnsName.TryParse($"{label}.{label}.{label}.{label[..62]}", out _));
        Assert.False(DnsName.TryParse($"{label}a.test", out _));
        Assert.False(longest.TryPrepend("a"u8, out _));
        // The same length by a pointer: 62 octets in front of the 255.
        byte[] packet = [.. GoldenDns.Hex("0001 0000 0002 0000 0000 0000"), .. longest.Octets, 0, 1, 0, 1,
            1, (byte)'b', 0xc0, 12, 0, 1, 0, 1];
        Assert.False(DnsMessage.TryRead(packet, out _, out var error));
        Assert.Equal("a name has more than 255 octets", error.Reason);
    }

    [Theory]
    [InlineData("node-07.Bramble.Internal", "node-07.Bramble.Internal.")]
    [InlineData("a\\.b.test.", "a\\.b.test.")]
    [InlineData("a\\032\\000.test", "a\\032\\000.test.")]
    [InlineData(".", ".")]
    public void Names_go_to_text_and_back(string text, string shown) =>
        Assert.Equal(shown, DnsName.Parse(text).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("..")]
    [InlineData(".test")]
    [InlineData("a..b")]
    [InlineData("a b")]
    [InlineData("a\\")]
    [InlineData("a\\25")]
    [InlineData("a\\256")]
    [InlineData("ü.test")]
    public void What_is_no_name_is_not_read_as_one(string text) => Assert.False(DnsName.TryParse(text, out _));

    [Fact]
    public void Names_compare_without_case_and_know_who_is_above_them()
    {
        Assert.Equal(DnsName.Parse("NODE.Test"), DnsName.Parse("node.tEST"));
        Assert.Equal(DnsName.Parse("NODE.Test").GetHashCode(), DnsName.Parse("node.tEST").GetHashCode());
        // '@' and '`' differ in the same bit as letters do.
        Assert.NotEqual(DnsName.Parse("@.test"), DnsName.Parse("`.test"));
        Assert.True(DnsName.Parse("a.b.test").IsWithin(DnsName.Parse("TEST")));
        Assert.False(DnsName.Parse("atest").IsWithin(DnsName.Parse("test")));
        Assert.False(DnsName.Parse("test").IsWithin(DnsName.Parse("a.test")));
        Assert.True(DnsName.Parse("test").IsWithin(DnsName.Root));
    }

    [Fact]
    public void A_soa_gives_its_minimum_and_a_ttl_with_the_first_bit_set_is_0()
    {
        var soa = Read(GoldenDns.NoSuchName).Authorities[0];
        Assert.True(soa.TryGetSoaMinimum(out var minimum));
        Assert.Equal((60u, 3600u), (minimum, soa.Ttl));
        var packet = GoldenDns.Answer.ToArray();
        packet[48] = 0x80; // the TTL of the answer
        Assert.Equal(0u, Read(packet).Answers[0].Ttl);
    }

    private static DnsMessage Read(byte[] packet)
    {
        Assert.True(DnsMessage.TryRead(packet, out var message, out var error), error.ToString());
        return message;
    }

    private static byte[] Written(DnsMessage message)
    {
        var buffer = new byte[DnsMessage.MaxSize];
        return buffer[..message.Write(buffer)];
    }
}
