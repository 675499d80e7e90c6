using Bramble.Testing;
using Bramble.Testing.Dhcp;
using Bramble.Wire.Dhcp;
using FsCheck;
using FsCheck.Fluent;

namespace Bramble.Wire.Tests.Dhcp;

public sealed class DhcpCodecProperties
{
    private const int Seed = 20260119;

    private static readonly Gen<(DhcpOption Option, byte[] Value)[]> AnyOptions =
        (from code in Gen.Choose(1, 254).Where(c => c != (int)DhcpOption.Overload)
         from length in Gen.Frequency((8, Gen.Choose(0, 40)), (1, Gen.Choose(200, 700)))
         from value in Gen.ArrayOf(Gen.Choose(0, 255).Select(i => (byte)i), length)
         select ((DhcpOption)code, value)).ArrayOf();

    [Fact]
    public void Whatever_options_are_set_are_read_back_in_order_when_they_fit()
    {
        var property = Prop.ForAll(AnyOptions.ToArbitrary(), Gen.Choose(300, 4000).ToArbitrary(), (options, size) =>
        {
            var packet = new DhcpPacket { TransactionId = 7, Mac = MacAddress.Parse("b8:27:eb:00:00:01") };
            foreach (var (option, value) in options) packet.Options.Set(option, value);
            var buffer = new byte[size];
            var written = packet.Write(buffer);
            if (written == 0) return options.Sum(o => o.Value.Length + 2) + 241 > size - 192;
            return DhcpPacket.TryRead(buffer.AsSpan(0, written), out var back, out _) && Same(packet, back);
        });
        Check.One(Config.QuickThrowOnFailure.WithReplay(Seed, 1).WithMaxTest(500), property);
    }

    [Fact]
    public void A_thousand_broken_copies_of_each_golden_packet_never_throw_and_what_is_read_survives_a_second_trip()
    {
        var random = new Random(Seed);
        foreach (var golden in GoldenDhcp.All.Values)
        {
            for (var i = 0; i < 1000; i++)
            {
                var octets = Mutation.Of(golden, random);
                if (!DhcpPacket.TryRead(octets, out var packet, out var error))
                {
                    Assert.InRange(error.Offset, 0, octets.Length);
                    continue;
                }
                var buffer = new byte[65535];
                var written = packet.Write(buffer);
                Assert.True(written > 0, $"seed {Seed}, round {i}");
                Assert.True(DhcpPacket.TryRead(buffer.AsSpan(0, written), out var back, out _));
                Assert.True(Same(packet, back), $"seed {Seed}, round {i}");
            }
        }
    }

    [Fact]
    public void Noise_never_throws()
    {
        var random = new Random(Seed);
        var octets = new byte[2048];
        for (var i = 0; i < 20_000; i++)
        {
            random.NextBytes(octets);
            octets[0] = 1;
            octets[2] = 6;
            GoldenDhcp.Pi3BDiscover.AsSpan(236, 4).CopyTo(octets.AsSpan(236));
            DhcpPacket.TryRead(octets.AsSpan(0, random.Next(octets.Length)), out _, out _);
            PiOption97.TryRead(octets.AsSpan(0, random.Next(20)), out _, out _);
            PxeVendorOptions.TryRead(octets.AsSpan(0, random.Next(60)), out _, out _);
        }
    }

    private static bool Same(DhcpPacket a, DhcpPacket b)
    {
        if (a.Options.Count != b.Options.Count || a.TransactionId != b.TransactionId || a.HardwareBits != b.HardwareBits
            || !a.File.Span.SequenceEqual(b.File.Span) || !a.ServerName.Span.SequenceEqual(b.ServerName.Span))
            return false;
        for (var i = 0; i < a.Options.Count; i++)
        {
            if (a.Options.OptionAt(i) != b.Options.OptionAt(i)
                || !a.Options.ValueAt(i).SequenceEqual(b.Options.ValueAt(i)))
                return false;
        }
        return true;
    }
}
