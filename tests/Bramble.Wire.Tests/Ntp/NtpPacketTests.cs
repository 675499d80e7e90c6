using Bramble.Wire.Ntp;

namespace Bramble.Wire.Tests.Ntp;

public sealed class NtpPacketTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    /// <summary>
    /// A stratum 2 reply as an ntpd sends it: LI 0, VN 4, mode 4, poll 6, precision -24.
    /// </summary>
    private const string Reply =
        "240206e800000a3f000007d2c0a80001" + "ed00f0005f3a1b2c" + "ed00f1e480000000" + "ed00f1e4c0000000" +
        "ed00f1e4c0010000";

    [Fact]
    public void A_reply_reads_field_by_field_and_survives_the_wire()
    {
        var octets = Convert.FromHexString(Reply);
        Assert.True(NtpPacket.TryRead(octets, out var packet, out _));
        Assert.Equal(NtpLeap.None, packet.Leap);
        Assert.Equal(4, packet.Version);
        Assert.Equal(NtpMode.Server, packet.Mode);
        Assert.Equal(2, packet.Stratum);
        Assert.Equal(6, packet.Poll);
        Assert.Equal(-24, packet.Precision);
        Assert.Equal(0xa3fu, packet.RootDelay);
        Assert.Equal(0x7d2u, packet.RootDispersion);
        Assert.Equal(0xc0a80001u, packet.ReferenceId);
        Assert.Equal(
            TimeSpan.FromMilliseconds(250), NtpTimestamp.Difference(packet.ReceiveTime, packet.OriginTime));
        var again = new byte[NtpPacket.Size];
        Assert.Equal(NtpPacket.Size, packet.Write(again));
        Assert.Equal(octets, again);
    }

    [Fact]
    public void Extension_fields_are_not_read_and_short_packets_are_refused()
    {
        var octets = Convert.FromHexString(Reply + "0104002000000000");
        Assert.True(NtpPacket.TryRead(octets, out _, out _));
        for (var length = 0; length < NtpPacket.Size; length++)
            Assert.False(NtpPacket.TryRead(octets.AsSpan(0, length), out _, out _));
    }

    [Fact]
    public void No_random_octets_throw()
    {
        const int seed = 20261120;
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var octets = new byte[96];
        for (var round = 0; round < 20_000; round++)
        {
            random.NextBytes(octets);
            if (!NtpPacket.TryRead(octets.AsSpan(0, random.Next(97)), out var packet, out _)) continue;
            var again = new byte[NtpPacket.Size];
            packet.Write(again);
            Assert.Equal(octets[..NtpPacket.Size], again);
            packet.TransmitTime.ToDateTimeOffset(Now);
        }
    }

    /// <summary>RFC 5905 figure 4 gives the first and last of these.</summary>
    [Theory]
    [InlineData("1900-01-01T00:00:00Z", 0u)]
    [InlineData("1970-01-01T00:00:00Z", 2208988800u)]
    [InlineData("2036-02-07T06:28:15Z", 4294967295u)]
    [InlineData("2036-02-07T06:28:16Z", 0u)]
    [InlineData("2036-02-08T00:00:00Z", 63104u)]
    public void Seconds_count_from_1900_and_begin_anew_in_2036(string instant, uint seconds) =>
        Assert.Equal(seconds, NtpTimestamp.From(DateTimeOffset.Parse(instant)).Seconds);

    [Theory]
    [InlineData("2026-01-02T03:04:05.123Z", "2020-01-01T00:00:00Z")]
    [InlineData("2026-01-02T03:04:05.5Z", "2090-01-01T00:00:00Z")]
    [InlineData("2036-02-07T06:28:16Z", "2036-02-07T06:28:15Z")]
    [InlineData("2036-02-07T06:28:15Z", "2036-02-07T06:28:16Z")]
    [InlineData("2100-06-01T12:00:00Z", "2050-01-01T00:00:00Z")]
    [InlineData("1970-01-01T00:00:00Z", "2026-01-01T00:00:00Z")]
    [InlineData("1899-12-31T23:59:59.75Z", "1900-01-01T00:00:00Z")]
    public void An_instant_is_found_again_from_a_pivot_within_68_years(string instant, string pivot)
    {
        var wanted = DateTimeOffset.Parse(instant);
        var found = NtpTimestamp.From(wanted).ToDateTimeOffset(DateTimeOffset.Parse(pivot));
        Assert.InRange((found - wanted).Ticks, -1, 1);
    }

    [Fact]
    public void A_pivot_at_the_end_of_time_does_not_throw()
    {
        foreach (var end in new[] { DateTimeOffset.MinValue, DateTimeOffset.MaxValue })
        {
            var there = NtpTimestamp.From(end).Bits;
            var beyond = end == DateTimeOffset.MinValue ? there - (100ul << 32) : there + (100ul << 32);
            Assert.Equal(end, new NtpTimestamp(beyond).ToDateTimeOffset(end));
        }
    }

    [Theory]
    [InlineData(0, 0u)]
    [InlineData(1, 65536u)]
    [InlineData(0.5, 32768u)]
    [InlineData(-1, 0u)]
    [InlineData(1e6, uint.MaxValue)]
    public void A_duration_becomes_16_16_seconds(double seconds, uint wire) =>
        Assert.Equal(wire, NtpPacket.ToShort(TimeSpan.FromSeconds(seconds)));
}
