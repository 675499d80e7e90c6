using Bramble.Boot.Tftp;
using Bramble.Wire;
using Bramble.Wire.Tftp;

namespace Bramble.Boot.Tests.Tftp;

public sealed class TftpTermsTests
{
    private static readonly TftpOptions Options = new() { Address = IPv4Address.Any };

    [Theory]
    [InlineData("blksize", "8", "8")]
    [InlineData("blksize", "512", "512")]
    [InlineData("blksize", "1024", "1024")]
    [InlineData("blksize", "1468", "1468")]
    [InlineData("blksize", "1469", "1468")]
    [InlineData("blksize", "65464", "1468")]
    [InlineData("BlkSize", "99999999", "1468")]
    [InlineData("windowsize", "1", "1")]
    [InlineData("windowsize", "64", "64")]
    [InlineData("windowsize", "65535", "64")]
    [InlineData("timeout", "1", "1")]
    [InlineData("timeout", "255", "255")]
    [InlineData("tsize", "0", "100000")]
    [InlineData("tsize", "7", "100000")]
    public void An_option_is_granted_never_above_what_was_asked(string name, string asked, string granted)
    {
        Assert.True(TftpTerms.TryAgree([new(name, asked)], 100_000, Options, out var terms, out _));
        Assert.Equal([new TftpOption(name, granted)], terms.Granted);
    }

    [Theory]
    [InlineData("blksize", "7")]
    [InlineData("blksize", "0")]
    [InlineData("blksize", "-1")]
    [InlineData("blksize", "1k")]
    [InlineData("blksize", "")]
    [InlineData("windowsize", "0")]
    [InlineData("windowsize", "x")]
    [InlineData("timeout", "0")]
    [InlineData("timeout", "256")]
    [InlineData("tsize", "big")]
    [InlineData("tsize", "99999999999999999999999")]
    public void An_option_that_breaks_its_RFC_is_refused_with_error_8(string name, string asked)
    {
        Assert.False(TftpTerms.TryAgree([new(name, asked)], 1, Options, out _, out var refusal));
        Assert.Equal(TftpErrorCode.OptionRefused, refusal.Code);
        Assert.Contains(name, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Unknown_options_are_left_out_of_the_answer_and_no_known_one_means_no_answer()
    {
        Assert.True(TftpTerms.TryAgree(
            [new("multicast", ""), new("tsize", "0"), new("x-rollover", "1")], 5, Options, out var terms, out _));
        Assert.Equal([new TftpOption("tsize", "5")], terms.Granted);
        Assert.True(TftpTerms.TryAgree([new("x", "y")], 5, Options, out terms, out _));
        Assert.Empty(terms.Granted);
        Assert.Equal(512, terms.BlockSize);
        Assert.Equal(1, terms.WindowSize);
    }

    [Theory]
    [InlineData(0, 1, 0)]
    [InlineData(1, 1, 1)]
    [InlineData(511, 1, 511)]
    [InlineData(512, 2, 0)]
    [InlineData(513, 2, 1)]
    [InlineData(1024, 3, 0)]
    public void A_file_ends_with_a_short_block_an_empty_one_if_need_be(long length, long last, int payload)
    {
        Assert.True(TftpTerms.TryAgree([], length, Options, out var terms, out _));
        Assert.Equal(last, terms.LastBlock);
        Assert.Equal(payload, terms.PayloadOf(last));
    }
}
