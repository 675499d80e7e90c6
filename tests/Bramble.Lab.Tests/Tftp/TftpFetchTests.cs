using System.Text;
using Bramble.Lab.Tftp;
using Bramble.Wire.Tftp;

namespace Bramble.Lab.Tests.Tftp;

public sealed class TftpFetchTests
{
    private static readonly TftpHabits Rom = new(TransferSize: false, BlockSize: null, Rollover: true);
    private static readonly TftpHabits Bootcode = new(TransferSize: true, BlockSize: null, Rollover: true);
    private static readonly TftpHabits Pi4 = new(TransferSize: true, BlockSize: 1468, Rollover: true);

    [Fact]
    public void The_ROM_of_a_3B_asks_without_options() =>
        Assert.Equal("0001" + Hex("bootcode.bin\0octet\0"), Asked("bootcode.bin", Rom));

    [Fact]
    public void Bootcode_asks_for_the_size() =>
        Assert.Equal("0001" + Hex("start.elf\0octet\0tsize\00\0"), Asked("start.elf", Bootcode));

    [Theory]
    [InlineData(1024)]
    [InlineData(1468)]
    public void A_Pi_4_asks_for_the_size_and_a_block_size(int size) => Assert.Equal(
        "0001" + Hex($"5b154510/start4.elf\0octet\0tsize\00\0blksize\0{size}\0"),
        Asked("5b154510/start4.elf", Pi4 with { BlockSize = size }));

    [Fact]
    public void A_probe_ends_with_error_0_after_the_OACK()
    {
        var fetch = Started("start4.elf", Pi4, probe: true);

        Assert.True(fetch.Receive(OptionAck(("tsize", 2250016), ("blksize", 1468)), 5000));

        Assert.Equal(TftpOutcome.Exists, fetch.Outcome);
        Assert.Equal("00050000" + Hex("Early terminate\0"), Convert.ToHexStringLower(fetch.Reply));
    }

    [Fact]
    public void A_file_comes_block_by_block()
    {
        using var sink = new MemoryStream();
        var fetch = Started("a", Pi4, sink: sink);
        var content = Enumerable.Range(0, 3000).Select(i => (byte)i).ToArray();

        fetch.Receive(OptionAck(("tsize", 3000), ("blksize", 1468)), 5000);
        Assert.Equal("00040000", Convert.ToHexStringLower(fetch.Reply));
        fetch.Receive(Data(1, content.AsSpan(..1468)), 5000);
        fetch.Receive(Data(2, content.AsSpan(1468..2936)), 5000);
        Assert.False(fetch.Receive(Data(3, "stranger"u8), 6000));
        fetch.Receive(Data(3, content.AsSpan(2936..)), 5000);

        Assert.Equal(TftpOutcome.Fetched, fetch.Outcome);
        Assert.Equal(content, sink.ToArray());
        Assert.Equal("00040003", Convert.ToHexStringLower(fetch.Reply));
    }

    [Fact]
    public void A_block_that_comes_again_is_acknowledged_again()
    {
        var fetch = Started("a", Rom);
        fetch.Receive(Data(1, new byte[512]), 5000);

        Assert.True(fetch.Receive(Data(1, new byte[512]), 5000));

        Assert.Equal("00040001", Convert.ToHexStringLower(fetch.Reply));
        Assert.Equal(512, fetch.Length);
    }

    [Fact]
    public void What_is_not_there_is_missing_and_other_errors_are_failures()
    {
        var missing = Started("a", Rom);
        missing.Receive(Error(TftpErrorCode.FileNotFound), 5000);
        var denied = Started("a", Rom);
        denied.Receive(Error(TftpErrorCode.AccessViolation), 5000);

        Assert.Equal((TftpOutcome.Missing, TftpOutcome.Failed), (missing.Outcome, denied.Outcome));
    }

    [Fact]
    public void A_block_size_larger_than_asked_for_is_refused()
    {
        var fetch = Started("a", Pi4);

        fetch.Receive(OptionAck(("blksize", 8192)), 5000);

        Assert.Equal(TftpOutcome.Failed, fetch.Outcome);
        Assert.StartsWith("00050008", Convert.ToHexStringLower(fetch.Reply), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Only_newer_loaders_count_past_block_65535(bool rollover)
    {
        var fetch = Started("large", Rom with { Rollover = rollover });
        var block = new byte[512];
        for (var i = 1; i <= 65535; i++) fetch.Receive(Data((ushort)i, block), 5000);

        fetch.Receive(Data(0, "end"u8), 5000);

        Assert.Equal(rollover ? TftpOutcome.Fetched : TftpOutcome.Failed, fetch.Outcome);
    }

    private static TftpFetch Started(string file, TftpHabits habits, bool probe = false, Stream? sink = null)
    {
        var fetch = new TftpFetch(file, habits, probe, sink);
        fetch.Start();
        return fetch;
    }

    private static string Asked(string file, TftpHabits habits) =>
        Convert.ToHexStringLower(Started(file, habits).Reply);

    private static string Hex(string text) => Convert.ToHexStringLower(Encoding.ASCII.GetBytes(text));

    private static byte[] Data(ushort block, ReadOnlySpan<byte> payload)
    {
        var packet = new byte[4 + payload.Length];
        new TftpData(block, payload).Write(packet);
        return packet;
    }

    private static byte[] Error(TftpErrorCode code)
    {
        var packet = new byte[TftpError.MaxSize];
        return packet[..new TftpError(code, "no").Write(packet)];
    }

    private static byte[] OptionAck(params (string Name, long Value)[] options)
    {
        var packet = new byte[TftpOptionAck.MaxSize];
        var ack = new TftpOptionAck([.. options.Select(o => new TftpOption(o.Name, o.Value))]);
        return packet[..ack.Write(packet)];
    }
}
