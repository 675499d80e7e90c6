using Bramble.Wire.Pcap;

namespace Bramble.Wire.Tests.Pcap;

public sealed class UdpFrameTests
{
    /// <summary>A datagram "hi" from 10.0.0.1:67 to 10.0.0.2:68, sums worked out by hand.</summary>
    private const string Golden = "020000000002 020000000001 0800"
        + "4500 001e 0000 0000 40 11 66cd 0a000001 0a000002" + "0043 0044 000a 82e7 6869";

    private static readonly UdpFrame Flow = new(MacAddress.Parse("02:00:00:00:00:01"),
        MacAddress.Parse("02:00:00:00:00:02"), IPv4Address.Parse("10.0.0.1"), 67, IPv4Address.Parse("10.0.0.2"), 68);

    [Fact]
    public void A_frame_is_written_with_both_checksums()
    {
        var frame = new byte[UdpFrame.HeaderSize + 2];
        Assert.Equal(frame.Length, Flow.Write(frame, "hi"u8));
        Assert.Equal(Convert.ToHexString(Hex(Golden)), Convert.ToHexString(frame));
        Assert.Equal(0, InternetChecksum.Of(frame.AsSpan(14, 20)));
        Assert.Equal(0, Flow.Write(frame.AsSpan(1), "hi"u8));
    }

    [Theory]
    [InlineData("")]
    [InlineData("0000000000000000000000000000000000")]
    public void It_is_read_back_with_or_without_the_octets_that_fill_it_up(string fill)
    {
        Assert.True(UdpFrame.TryRead(Hex(Golden + fill), out var udp, out var payload, out _));
        Assert.Equal(Flow, udp);
        Assert.True(payload.SequenceEqual("hi"u8));
    }

    [Theory]
    [InlineData("8100 0007")]
    [InlineData("88a8 0001 8100 0007")]
    public void Tags_of_VLANs_are_passed_over(string tags)
    {
        var frame = Golden.Insert("020000000002 020000000001 ".Length, tags);
        Assert.True(UdpFrame.TryRead(Hex(frame), out var udp, out _, out _));
        Assert.Equal(Flow, udp);
    }

    [Theory]
    [InlineData("0800", "0806", "")]
    [InlineData("40 11", "40 06", "")]
    [InlineData("0000 40 11", "2000 40 11", "fragment")]
    [InlineData("4500", "4f00", "within its datagram")]
    [InlineData("4500", "6500", "no IPv4")]
    [InlineData("001e", "00ff", "within its datagram")]
    [InlineData("000a", "000b", "does not agree")]
    [InlineData("000a", "0003", "does not agree")]
    public void What_is_no_whole_datagram_is_refused(string from, string to, string complaint)
    {
        var at = Golden.IndexOf(from, StringComparison.Ordinal);
        var frame = Hex(Golden[..at] + to + Golden[(at + from.Length)..]);
        Assert.False(UdpFrame.TryRead(frame, out _, out _, out var error));
        if (complaint.Length == 0) Assert.Null(error.Reason);
        else Assert.Contains(complaint, error.Reason);
    }

    [Fact]
    public void No_cut_frame_is_read()
    {
        var frame = Hex(Golden);
        for (var length = 0; length < frame.Length; length++)
            Assert.False(UdpFrame.TryRead(frame.AsSpan(0, length), out _, out _, out _), $"{length} octets");
    }

    private static byte[] Hex(string text) => Convert.FromHexString(text.Replace(" ", "", StringComparison.Ordinal));
}
