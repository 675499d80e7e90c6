using Bramble.Wire.Snmp;

namespace Bramble.Wire.Tests.Snmp;

public sealed class SnmpMessageTests
{
    private static readonly ObjectId AdminEnable1 = ObjectId.Parse("1.3.6.1.2.1.105.1.1.1.3.1.1");

    [Theory]
    [InlineData(SnmpGolden.V1Get, SnmpVersion.V1, "public", PduType.Get, "1.3.6.1.2.1.1.5.0 = Null")]
    [InlineData(SnmpGolden.V1Response, SnmpVersion.V1, "public", PduType.Response, "1.3.6.1.2.1.1.5.0 = \"sw1\"")]
    [InlineData(SnmpGolden.V2cSet, SnmpVersion.V2c, "private", PduType.Set, "1.3.6.1.2.1.105.1.1.1.3.1.1 = 2")]
    [InlineData(SnmpGolden.V2cGetBulk, SnmpVersion.V2c, "public", PduType.GetBulk,
        "1.3.6.1.2.1.105.1.1.1.3 = Null")]
    [InlineData(SnmpGolden.V2cGetBulkResponse, SnmpVersion.V2c, "public", PduType.Response,
        "1.3.6.1.2.1.105.1.1.1.3.1.1 = 2, 1.3.6.1.2.1.105.1.1.1.3.1.2 = 2")]
    [InlineData(SnmpGolden.V2cNoSuchObject, SnmpVersion.V2c, "public", PduType.Response,
        "1.3.6.1.4.1.99999.1.0 = NoSuchObject, 1.3.6.1.2.1.1.77.0 = NoSuchObject")]
    public void What_net_snmp_says_is_understood_and_said_again_to_the_bit(
        string hex, SnmpVersion version, string community, PduType type, string bindings)
    {
        var bytes = Convert.FromHexString(hex);
        Assert.True(SnmpMessage.TryReadVersion(bytes, out var peeked, out _));
        Assert.True(SnmpMessage.TryRead(bytes, out var message, out var error), error.ToString());
        Assert.Equal(version, peeked);
        Assert.Equal(version, message.Version);
        Assert.Equal(community, System.Text.Encoding.ASCII.GetString(message.Community.Span));
        Assert.Equal(type, message.Pdu.Type);
        Assert.Equal(bindings, string.Join(", ", message.Pdu.Bindings));
        Assert.Equal(hex, Convert.ToHexString(message.ToBytes()));
    }

    [Fact]
    public void A_GETBULK_carries_its_two_counts_where_others_carry_the_error()
    {
        Assert.True(SnmpMessage.TryRead(Convert.FromHexString(SnmpGolden.V2cGetBulk), out var message, out _));
        Assert.Equal((0, 2), (message.Pdu.NonRepeaters, message.Pdu.MaxRepetitions));
    }

    [Fact]
    public void Every_type_of_value_survives_the_wire()
    {
        SnmpValue[] values =
        [
            SnmpValue.Null, SnmpValue.Integer(0), SnmpValue.Integer(-1), SnmpValue.Integer(int.MinValue),
            SnmpValue.Integer(int.MaxValue), SnmpValue.Counter32(uint.MaxValue), SnmpValue.Gauge32(0x80000000),
            SnmpValue.TimeTicks(127), SnmpValue.TimeTicks(128), SnmpValue.Counter64(ulong.MaxValue),
            SnmpValue.Counter64(1UL << 63), SnmpValue.OctetString([]), SnmpValue.OctetString(new byte[300]),
            SnmpValue.Text("sw1"), SnmpValue.Opaque([1, 2]), SnmpValue.IpAddress(IPv4Address.Parse("10.0.0.2")),
            SnmpValue.From(ObjectId.Parse("0.0")), SnmpValue.From(ObjectId.Parse("2.4294967295.1")),
            SnmpValue.From(new ObjectId([1, 3, .. Enumerable.Repeat(uint.MaxValue, 126)])),
            SnmpValue.From(new ObjectId([1, 3, .. Enumerable.Repeat(5000u, 80)])),
            SnmpValue.NoSuchObject, SnmpValue.NoSuchInstance, SnmpValue.EndOfMibView,
        ];
        var pdu = new SnmpPdu(PduType.Response, -7, [.. values.Select(v => new VarBind(AdminEnable1, v))])
        {
            ErrorStatus = SnmpErrorStatus.InconsistentName,
            ErrorIndex = 3,
        };
        var bytes = new byte[SnmpMessage.MaxSize];
        var length = new SnmpMessage(SnmpVersion.V2c, "x"u8.ToArray(), pdu).Write(bytes);
        Assert.True(SnmpMessage.TryRead(bytes.AsSpan(0, length), out var read, out var error), error.ToString());
        Assert.Equal(values, read.Pdu.Bindings.Select(b => b.Value));
        Assert.Equal((-7, SnmpErrorStatus.InconsistentName, 3),
            (read.Pdu.RequestId, read.Pdu.ErrorStatus, read.Pdu.ErrorIndex));
    }

    [Theory]
    [InlineData("4104FFFFFFFF", "4294967295")] // a Counter32 without its leading zero: seen of many agents
    [InlineData("4206000000000005", "5")] // a Gauge32 padded beyond need
    [InlineData("020500FFFFFFFF", null)] // an Integer32 above 32 bits
    [InlineData("0205FFFFFFFFFE", "-2")] // a negative one, padded
    [InlineData("4105FFFFFFFFFF", null)]
    [InlineData("46090100000000000000FF", null)]
    [InlineData("460900FFFFFFFFFFFFFFFF", "18446744073709551615")]
    [InlineData("0200", null)]
    [InlineData("4003010203", null)]
    [InlineData("400401020304", "1.2.3.4")]
    [InlineData("0600", null)] // an identifier without arcs
    [InlineData("060180", null)] // an arc that never ends
    [InlineData("06062B8FFFFFFF7F", "1.3.4294967295")]
    [InlineData("06062B9080808000", null)] // an arc of 33 bits
    [InlineData("050100", null)] // a null with content
    [InlineData("800100", null)]
    [InlineData("4500", null)] // NsapAddress: gone since SMIv2
    [InlineData("8300", null)]
    public void A_value_is_taken_as_the_field_sends_it_or_refused(string value, string? shown)
    {
        var length = value.Length / 2;
        var hex = $"30{length + 25:X2}020101040170A2{length + 17:X2}020101020100020100"
            + $"30{length + 6:X2}30{length + 4:X2}06022B06{value}";
        var read = SnmpMessage.TryRead(Convert.FromHexString(hex), out var message, out var error);
        Assert.True(shown is null != read, error.ToString());
        if (shown is not null) Assert.Equal(shown, message.Pdu.Bindings[0].Value.ToString());
    }

    [Fact]
    public void The_message_from_which_the_malformed_ones_are_bent_is_itself_read() =>
        Assert.True(SnmpMessage.TryRead(
            Convert.FromHexString("3013020101040170A00B0201010201000201003000"), out _, out _));

    [Theory]
    [InlineData("", "no octet at all")]
    [InlineData("30", "a tag alone")]
    [InlineData("3003020101", "no community")]
    [InlineData("3080020101040170A00E02010102010002010030030500000000", "an indefinite length")]
    [InlineData("3084FFFFFFFF020101", "a length of 4 GB")]
    [InlineData("3089010000000000000000020101", "a length of nine octets")]
    [InlineData("30FF020101", "the reserved length octet")]
    [InlineData("1F8130020101", "a tag of many octets")]
    [InlineData("30160201020401 70A00E0201010201000201003003300100", "version 2")]
    [InlineData("301602010304 0170A00E0201010201000201003003300100", "version 3 with a community")]
    [InlineData("3013020101040170A40B020101020100020100 3000", "the trap of version 1")]
    [InlineData("3013020101040170A90B020101020100020100 3000", "an unknown PDU")]
    [InlineData("3013020101040170300B020101020100020100 3000", "a PDU with a universal tag")]
    [InlineData("3013020101040170A00B020101020100020100 0500", "bindings that are a null")]
    [InlineData("3013020101040170A00C020101020100020100 3000", "a PDU longer than its message")]
    [InlineData("3013020101040170A00A020101020100020100 3000", "a PDU shorter than its content")]
    [InlineData("3013020101040170A00B020101020100020100 3000 00", "an octet behind the message")]
    [InlineData("3015020101040170A00B020101020100020100 3000 0500", "an element behind the PDU")]
    [InlineData("3015020101040170A00D020101020100020100 3002 3000", "an empty binding")]
    [InlineData("3017020101040170A00F020101020100020100 3004 30020500", "a name that is a null")]
    [InlineData("3018020101040170A010020101020100020100 3005 3003 06012B", "a binding without a value")]
    [InlineData("3015020101040170A00D02030101010201000201003002", "a cut binding list")]
    [InlineData("3018020101040170A0100206010101010101 0201000201003000", "a request-id of six octets")]
    public void A_malformed_message_is_refused_with_a_reason(string hex, string what)
    {
        var bytes = Convert.FromHexString(hex.Replace(" ", ""));
        Assert.False(SnmpMessage.TryRead(bytes, out _, out var error), what);
        Assert.NotEmpty(error.Reason);
        Assert.InRange(error.Offset, 0, bytes.Length);
    }

    [Fact]
    public void Every_golden_message_cut_short_anywhere_is_refused()
    {
        foreach (var golden in SnmpGolden.All.Select(Convert.FromHexString))
            for (var length = 0; length < golden.Length; length++)
            {
                Assert.False(SnmpMessage.TryRead(golden.AsSpan(0, length), out _, out _));
                Assert.False(SnmpV3Message.TryRead(golden.AsSpan(0, length), out _, out _));
            }
    }

    [Fact]
    public void No_mutation_of_a_golden_message_throws_and_what_is_read_can_be_written()
    {
        const int seed = 3621;
        TestContext.Current.SendDiagnosticMessage($"seed {seed}");
        var random = new Random(seed);
        var keys = UsmTests.User("shaaes").Localize(UsmTests.EngineId);
        for (var round = 0; round < 60_000; round++)
        {
            var bytes = Mutate(random, Convert.FromHexString(SnmpGolden.All[random.Next(SnmpGolden.All.Length)]));
            if (SnmpMessage.TryRead(bytes, out var message, out _))
                Assert.True(SnmpMessage.TryRead(message.ToBytes(), out _, out _));
            if (!SnmpV3Message.TryRead(bytes, out var v3, out _)) continue;
            Assert.True(SnmpV3Message.TryRead(v3.ToBytes(), out _, out _));
            Usm.IsAuthentic(bytes, v3, keys);
            if (v3.Scoped is null) Usm.TryDecrypt(v3, keys, out _, out _);
        }
    }

    private static byte[] Mutate(Random random, byte[] bytes)
    {
        for (var n = random.Next(1, 5); n > 0 && bytes.Length > 0; n--)
        {
            var at = random.Next(bytes.Length);
            switch (random.Next(4))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2:
                    bytes = [.. bytes[..at], .. bytes[(at + 1)..]];
                    break;
                default:
                    bytes = [.. bytes[..at], (byte)random.Next(256), .. bytes[at..]];
                    break;
            }
        }
        return bytes;
    }
}
