using Bramble.Wire.Tftp;

namespace Bramble.Wire.Tests.Tftp;

public sealed class TftpPacketTests
{
    [Fact]
    public void A_Pi_4_asks_with_tsize_and_blksize()
    {
        Assert.True(TftpRequest.TryRead(TftpGolden.All[1], out var request, out _));
        Assert.Equal(TftpOpcode.ReadRequest, request.Opcode);
        Assert.Equal("1045155b/start4.elf", request.FileName);
        Assert.Equal("octet", request.Mode);
        Assert.Equal([new TftpOption("tsize", "0"), new TftpOption("blksize", "1468")], request.Options);
        Assert.True(TftpOption.Find(request.Options, "BLKSIZE")!.Value.TryGetNumber(out var size));
        Assert.Equal(1468, size);
        Assert.Null(TftpOption.Find(request.Options, TftpOption.WindowSize));
    }

    [Fact]
    public void A_boot_ROM_asks_without_options()
    {
        Assert.True(TftpRequest.TryRead(TftpGolden.All[0], out var request, out _));
        Assert.Equal("bootcode.bin", request.FileName);
        Assert.Empty(request.Options);
    }

    [Fact]
    public void Requests_and_option_acknowledgements_survive_the_wire()
    {
        var packet = new byte[512];
        foreach (var golden in TftpGolden.All[..4])
        {
            Assert.True(TftpRequest.TryRead(golden, out var request, out _));
            Assert.Equal(golden, packet[..request.Write(packet)]);
        }
        Assert.True(TftpOptionAck.TryRead(TftpGolden.All[7], out var ack, out _));
        Assert.Equal(TftpGolden.All[7], packet[..ack.Write(packet)]);
    }

    [Fact]
    public void Data_acknowledgements_and_errors_survive_the_wire()
    {
        var packet = new byte[512];
        Assert.True(TftpData.TryRead(TftpGolden.All[4], out var data, out _));
        Assert.Equal(1, data.Block);
        Assert.Equal("hello"u8.ToArray(), data.Payload.ToArray());
        Assert.Equal(TftpGolden.All[4], packet[..data.Write(packet)]);

        Assert.True(TftpAck.TryRead(TftpGolden.All[5], out var ack, out _));
        Assert.Equal(65535, ack.Block);
        Assert.Equal(TftpGolden.All[5], packet[..ack.Write(packet)]);

        Assert.True(TftpError.TryRead(TftpGolden.All[6], out var refusal, out _));
        Assert.Equal(new TftpError(TftpErrorCode.NotDefined, "Early terminate"), refusal);
        Assert.Equal(TftpGolden.All[6], packet[..refusal.Write(packet)]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\0")]
    [InlineData("\0\0")]
    [InlineData("\0\u0007x\0octet\0")]
    [InlineData("\0\u0001")]
    [InlineData("\0\u0001\0octet\0")]
    [InlineData("\0\u0001file")]
    [InlineData("\0\u0001file\0octet")]
    [InlineData("\0\u0001file\0octet\0tsize\0")]
    [InlineData("\0\u0001file\0octet\0tsize\00")]
    [InlineData("\0\u0001file\0octet\0\00\0")]
    [InlineData("\0\u0001file\0octet\0tsize\00\0TSIZE\00\0")]
    [InlineData("\0\u0001\u00ff\u00fe\0octet\0")]
    [InlineData("\u0001\u0001file\0octet\0")]
    public void A_malformed_request_is_refused_with_a_reason(string packet)
    {
        Assert.False(TftpRequest.TryRead(TftpGolden.Bytes(packet), out _, out var error));
        Assert.NotEmpty(error.Reason);
    }

    [Fact]
    public void A_request_longer_than_512_octets_or_with_too_many_options_is_refused()
    {
        Assert.False(TftpRequest.TryRead(
            TftpGolden.Bytes("\0\u0001" + new string('a', 600) + "\0octet\0"), out _, out _));
        var options = string.Concat(Enumerable.Range(0, 33).Select(i => $"o{i}\0v\0"));
        Assert.False(TftpRequest.TryRead(TftpGolden.Bytes("\0\u0001f\0octet\0" + options), out _, out var error));
        Assert.Contains("options", error.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\0\u0004\0")]
    [InlineData("\0\u0003\0\u0001")]
    public void A_malformed_acknowledgement_is_refused(string packet) =>
        Assert.False(TftpAck.TryRead(TftpGolden.Bytes(packet), out _, out _));

    [Fact]
    public void What_ROMs_get_wrong_is_forgiven()
    {
        Assert.True(TftpRequest.TryRead(
            TftpGolden.Bytes("\0\u0001f\0octet\0tsize\00\0\0\0\0"), out var padded, out _));
        Assert.Single(padded.Options);
        Assert.True(TftpError.TryRead(TftpGolden.Bytes("\0\u0005\0\u0000no end"), out var open, out _));
        Assert.Equal("no end", open.Message);
        Assert.True(TftpError.TryRead(TftpGolden.Bytes("\0\u0005\0\u0008"), out var bare, out _));
        Assert.Equal(TftpErrorCode.OptionRefused, bare.Code);
        Assert.True(TftpAck.TryRead(TftpGolden.Bytes("\0\u0004\0\u0001padding"), out var ack, out _));
        Assert.Equal(1, ack.Block);
    }

    [Fact]
    public void The_message_of_an_error_is_made_safe_to_show()
    {
        Assert.True(TftpError.TryRead(
            TftpGolden.Bytes("\0\u0005\0\0\u001b[2Jx\u00ff" + new string('y', 500)), out var refusal, out _));
        Assert.StartsWith("?[2Jx?y", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(TftpError.MessageLimit, refusal.Message.Length);
        var packet = new byte[TftpError.MaxSize];
        Assert.Equal(TftpError.MaxSize, (refusal with { Message = new string('é', 999) }).Write(packet));
    }

    [Theory]
    [InlineData("+5")]
    [InlineData("-5")]
    [InlineData(" 5")]
    [InlineData("5 ")]
    [InlineData("")]
    [InlineData("0x5")]
    [InlineData("99999999999999999999")]
    public void An_option_s_number_is_plain_digits(string value) =>
        Assert.False(new TftpOption("blksize", value).TryGetNumber(out _));

    [Fact]
    public void No_mutation_of_a_golden_packet_throws()
    {
        const int seed = 20261120;
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var round = 0; round < 50_000; round++)
        {
            var packet = TftpGolden.All[random.Next(TftpGolden.All.Length)].ToArray();
            for (var edits = random.Next(1, 5); edits > 0; edits--)
                packet[random.Next(packet.Length)] = (byte)random.Next(256);
            packet = packet[..random.Next(packet.Length + 1)];
            TftpOpcodes.TryRead(packet, out _, out _);
            TftpData.TryRead(packet, out _, out _);
            TftpAck.TryRead(packet, out _, out _);
            if (TftpError.TryRead(packet, out var refusal, out _)) refusal.Write(new byte[TftpError.MaxSize]);
            if (TftpOptionAck.TryRead(packet, out var ack, out _)) ack.Write(new byte[TftpOptionAck.MaxSize]);
            if (TftpRequest.TryRead(packet, out var request, out _)) request.Write(new byte[TftpRequest.MaxSize]);
        }
    }
}
