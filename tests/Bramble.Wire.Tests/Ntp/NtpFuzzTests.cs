using System.Globalization;
using Bramble.Wire.Ntp;

namespace Bramble.Wire.Tests.Ntp;

/// <summary>
/// Any octets against a decoder that reads the figure of RFC 5905 §7.3 bit by bit: the same verdict, the same fields.
/// </summary>
public sealed class NtpFuzzTests
{
    private readonly int _seed = Environment.GetEnvironmentVariable("BRAMBLE_SEED") is { } seed
        ? int.Parse(seed, CultureInfo.InvariantCulture) : 20261120;

    [Fact]
    public void Any_octets_are_read_as_the_figure_says_and_written_back_as_they_came()
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {_seed} (BRAMBLE_SEED)");
        var random = new Random(_seed);
        var (sound, broken) = (0, 0);
        var written = new byte[NtpPacket.Size];
        for (var round = 0; round < 50_000; round++)
        {
            var octets = new byte[random.Next(4) == 0 ? random.Next(48) : random.Next(48, 90)];
            random.NextBytes(octets);
            if (random.Next(3) == 0) Array.Fill(octets, (byte)random.Next(2) is 0 ? (byte)0 : (byte)0xff);
            var read = NtpPacket.TryRead(octets, out var packet, out var error);
            Assert.True(read == octets.Length >= 48, $"round {round}: {octets.Length} octets, {error}");
            if (!read)
            {
                broken++;
                continue;
            }
            sound++;
            Assert.Equal(Fields(octets), Fields(packet));
            Assert.Equal(NtpPacket.Size, packet.Write(written));
            Assert.Equal(octets[..NtpPacket.Size], written);
        }
        Assert.InRange(sound, 20_000, 45_000);
        Assert.InRange(broken, 5_000, 30_000);
    }

    private static ulong[] Fields(NtpPacket p) =>
    [
        (ulong)p.Leap, p.Version, (ulong)p.Mode, p.Stratum, (byte)p.Poll, (byte)p.Precision, p.RootDelay,
        p.RootDispersion, p.ReferenceId, p.ReferenceTime.Bits, p.OriginTime.Bits, p.ReceiveTime.Bits,
        p.TransmitTime.Bits,
    ];

    private static ulong[] Fields(byte[] octets)
    {
        var at = 0;
        return [.. new[] { 2, 3, 3, 8, 8, 8, 32, 32, 32, 64, 64, 64, 64 }.Select(Take)];

        ulong Take(int bits)
        {
            ulong value = 0;
            for (; bits > 0; bits--, at++) value = value << 1 | (uint)(octets[at / 8] >> (7 - at % 8) & 1);
            return value;
        }
    }
}
