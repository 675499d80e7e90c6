using System.Text;
using Bramble.Wire.Snmp;

namespace Bramble.Wire.Tests.Snmp;

public sealed class UsmTests
{
    internal static readonly byte[] EngineId = [0x80, 0x00, 0x1f, 0x88, 0x04, .. "bramble-golden"u8];

    private static readonly byte[] RfcEngineId = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];

    internal static UsmUser User(string name) => name switch
    {
        "shaaes" => new(name, UsmAuthentication.Sha1, "maplesyrup", UsmPrivacy.Aes128, "maplesyrup"),
        "md5des" => new(name, UsmAuthentication.Md5, "maplesyrup", UsmPrivacy.Des, "maplesyrup"),
        _ => new(name, UsmAuthentication.Sha512, "maplesyrup", UsmPrivacy.Aes128, "maplesyrup"),
    };

    // RFC 3414 A.3.1 and A.3.2.
    [Theory]
    [InlineData(UsmAuthentication.Md5, "9faf3283884e92834ebc9847d8edd963", "526f5eed9fcce26f8964c2930787d82b")]
    [InlineData(UsmAuthentication.Sha1, "9fb5cc0381497b3793528939ff788d5d79145211",
        "6695febc9288e36282235fc7151f128497b38f3f")]
    public void Keys_are_made_as_RFC_3414_A_3_shows(UsmAuthentication authentication, string key, string localized)
    {
        var made = UsmKeys.FromPassword(authentication, "maplesyrup");
        Assert.Equal(key, Convert.ToHexStringLower(made));
        Assert.Equal(localized, Convert.ToHexStringLower(UsmKeys.Localize(authentication, made, RfcEngineId)));
    }

    [Theory]
    [InlineData("shaaes", SnmpGolden.V3ShaAesResponse)]
    [InlineData("md5des", SnmpGolden.V3Md5DesResponse)]
    [InlineData("s512", SnmpGolden.V3Sha512AesResponse)]
    public void What_snmpd_signed_and_encrypted_is_found_authentic_and_is_read(string user, string hex)
    {
        var bytes = Convert.FromHexString(hex);
        var keys = User(user).Localize(EngineId);
        Assert.True(SnmpV3Message.TryRead(bytes, out var message, out var error), error.ToString());
        Assert.Equal(user, Encoding.ASCII.GetString(message.Security.UserName.Span));
        Assert.Equal(SnmpV3Flags.Authenticated | SnmpV3Flags.Private, message.Flags);
        Assert.True(Usm.IsAuthentic(bytes, message, keys));
        Assert.True(Usm.TryDecrypt(message, keys, out var scoped, out error), error.ToString());
        Assert.Equal("1.3.6.1.2.1.1.5.0 = \"sw1\"", Assert.Single(scoped.Pdu.Bindings).ToString());
    }

    [Theory]
    [InlineData(SnmpGolden.V3ShaAesGet)]
    [InlineData(SnmpGolden.V3ShaAesResponse)]
    public void The_same_message_signed_and_encrypted_by_us_has_the_same_bits(string hex)
    {
        var bytes = Convert.FromHexString(hex);
        var keys = User("shaaes").Localize(EngineId);
        Assert.True(SnmpV3Message.TryRead(bytes, out var message, out _));
        Assert.True(Usm.TryDecrypt(message, keys, out var scoped, out _));
        var salt = System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(message.Security.Privacy.Span);
        Assert.Equal(hex, Convert.ToHexString(Usm.Protect(message with { Scoped = scoped }, keys, salt)));
    }

    [Theory]
    [InlineData(SnmpGolden.V3Discovery, "", 0)]
    [InlineData(SnmpGolden.V3Report, "1.3.6.1.6.3.15.1.1.4.0 = 1", 1)]
    public void Discovery_and_its_REPORT_are_read_and_written_again_to_the_bit(string hex, string bindings, int boots)
    {
        Assert.True(SnmpV3Message.TryRead(Convert.FromHexString(hex), out var message, out var error),
            error.ToString());
        Assert.Equal(bindings, string.Join(", ", message.Scoped!.Pdu.Bindings));
        Assert.Equal(boots, message.Security.EngineBoots);
        Assert.Equal(hex, Convert.ToHexString(message.ToBytes()));
    }

    public static TheoryData<UsmAuthentication, UsmPrivacy> Protocols()
    {
        var rows = new TheoryData<UsmAuthentication, UsmPrivacy>();
        foreach (var authentication in Enum.GetValues<UsmAuthentication>().Where(a => a != UsmAuthentication.None))
            foreach (var privacy in Enum.GetValues<UsmPrivacy>())
                rows.Add(authentication, privacy);
        return rows;
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public void A_protected_message_is_read_by_who_has_the_keys_and_one_flipped_bit_is_noticed(
        UsmAuthentication authentication, UsmPrivacy privacy)
    {
        var user = new UsmUser("operator", authentication, "first password", privacy, "second password");
        var keys = user.Localize(EngineId);
        var pdu = new SnmpPdu(PduType.Get, 42, [new VarBind(ObjectId.Parse("1.3.6.1.2.1.1.1.0"))]);
        var bytes = Usm.Protect(new SnmpV3Message
        {
            MessageId = 7,
            Flags = user.Level | SnmpV3Flags.Reportable,
            Security = new UsmParameters
            {
                EngineId = EngineId,
                EngineBoots = 3,
                EngineTime = 1000,
                UserName = "operator"u8.ToArray(),
            },
            Scoped = new ScopedPdu(EngineId, default, pdu),
        }, keys, salt: 0x0102030405060708);

        Assert.True(SnmpV3Message.TryRead(bytes, out var message, out _));
        Assert.True(Usm.IsAuthentic(bytes, message, keys));
        ScopedPdu? scoped;
        if (privacy == UsmPrivacy.None) scoped = message.Scoped!;
        else Assert.True(Usm.TryDecrypt(message, keys, out scoped, out _));
        Assert.Equal(42, scoped.Pdu.RequestId);

        for (var i = 0; i < bytes.Length; i++)
        {
            var bent = bytes.ToArray();
            bent[i] ^= 1;
            Assert.False(SnmpV3Message.TryRead(bent, out var bentMessage, out _)
                && Usm.IsAuthentic(bent, bentMessage, keys), $"octet {i}");
        }
        var stranger = new UsmUser("operator", authentication, "other password", privacy, "second password");
        Assert.False(Usm.IsAuthentic(bytes, message, stranger.Localize(EngineId)));
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("01020304050607", "0102030405060708")] // a short salt
    [InlineData("0102030405060708", "")] // nothing encrypted
    [InlineData("0102030405060708", "01020304050607")] // for DES, no whole block
    public void An_encrypted_PDU_of_a_wrong_length_is_refused(string salt, string encrypted)
    {
        var message = new SnmpV3Message
        {
            MessageId = 1,
            Flags = SnmpV3Flags.Authenticated | SnmpV3Flags.Private,
            Security = new UsmParameters { EngineId = EngineId, Privacy = Convert.FromHexString(salt) },
            Encrypted = Convert.FromHexString(encrypted),
        };
        foreach (var user in new[] { User("md5des"), User("shaaes") })
            Assert.False(Usm.TryDecrypt(message, user.Localize(EngineId), out _, out _));
    }

    [Theory]
    [InlineData("3006020103300100", "msgID has no valid tag and length")]
    [InlineData("303E020103301102042575B8A3020300FFE30401 02 020103041030"
        + "0E0400020100020100040004000400301404000400A00E02046A0255C50201000201003000",
        "privacy without authentication")]
    [InlineData("303E020103301102042575B8A3020300FFE304010402010 1 041030"
        + "0E0400020100020100040004000400301404000400A00E02046A0255C50201000201003000", "msgSecurityModel is not")]
    [InlineData("303E020103301102042575B8A3020300FFE3040104020103041030"
        + "0E0400 0201FF 020100040004000400301404000400A00E02046A0255C50201000201003000", "engine boots is not")]
    [InlineData("303E02010330110204 A575B8A3 020300FFE3040104020103041030"
        + "0E0400020100020100040004000400301404000400A00E02046A0255C50201000201003000", "msgID is not an integer")]
    [InlineData("303D02010330100204 2575B8A3 020200FF040104020103041030"
        + "0E0400020100020100040004000400301404000400A00E02046A0255C50201000201003000", "msgMaxSize is not")]
    public void A_malformed_v3_message_is_refused_with_the_reason(string hex, string reason)
    {
        Assert.False(SnmpV3Message.TryRead(Convert.FromHexString(hex.Replace(" ", "")), out _, out var error));
        Assert.Contains(reason, error.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(5, 1000, 5, 1150, true)]
    [InlineData(5, 1000, 5, 850, true)]
    [InlineData(5, 1000, 5, 1151, false)]
    [InlineData(5, 1000, 5, 849, false)]
    [InlineData(5, 1000, 4, 1000, false)]
    [InlineData(int.MaxValue, 1000, int.MaxValue, 1000, false)]
    public void An_engine_takes_only_what_lies_within_150_seconds(
        int boots, int time, int saidBoots, int saidTime, bool accepted) =>
        Assert.Equal(accepted, new UsmClock(boots, time).Accepts(saidBoots, saidTime));

    [Theory]
    [InlineData(5, 1010, true, true)] // newer: followed
    [InlineData(6, 0, true, true)] // the engine has restarted
    [InlineData(5, 1000, true, false)]
    [InlineData(5, 910, true, false)] // 150 s behind 1000 + 60
    [InlineData(5, 909, false, false)]
    [InlineData(4, 2000, false, false)] // from before the restart: a replay
    public void A_manager_follows_an_engine_forward_and_refuses_replays(int boots, int time, bool taken, bool newer)
    {
        var clock = new UsmClock(5, 1000);
        Assert.Equal(taken, clock.TryFollow(boots, time, secondsSince: 60, out var next, out var isNewer));
        Assert.Equal(newer, isNewer);
        Assert.Equal(newer ? new UsmClock(boots, time) : new UsmClock(5, 1000), next);
    }

    [Fact]
    public void A_user_needs_passwords_of_eight_characters_and_shows_none()
    {
        Assert.Throws<ArgumentException>(() => new UsmUser("u", UsmAuthentication.Sha1, "short"));
        Assert.Throws<ArgumentException>(
            () => new UsmUser("u", UsmAuthentication.Sha1, "maplesyrup", UsmPrivacy.Des, ""));
        Assert.Throws<ArgumentException>(
            () => new UsmUser("u", privacy: UsmPrivacy.Des, privacyPassword: "maplesyrup"));
        Assert.Throws<ArgumentException>(() => new UsmUser(""));
        Assert.Equal("shaaes (Sha1, Aes128)", User("shaaes").ToString());
    }
}
