using Bramble.Testing;
using Bramble.Wire.Dns;

namespace Bramble.Wire.Tests.Dns;

/// <summary>Broken and odd messages against the slow decoder: the same verdict, the same content.</summary>
public sealed class DnsFuzzTests
{
    private readonly int _seed = Environment.GetEnvironmentVariable("BRAMBLE_SEED") is { } seed
        ? int.Parse(seed, System.Globalization.CultureInfo.InvariantCulture) : 20261120;

    [Fact]
    public void Mutated_messages_are_judged_and_read_as_the_slow_decoder_does()
    {
        var random = Seeded();
        var (sound, broken) = (0, 0);
        for (var round = 0; round < 60_000; round++)
        {
            var golden = GoldenDns.All[random.Next(GoldenDns.All.Count)];
            var packet = random.Next(3) == 0 ? Mutation.Of(golden, random) : Structural(golden, random);
            if (Compare(packet, round)) sound++;
            else broken++;
        }
        // Both kinds in numbers, or the mutations test nothing.
        Assert.InRange(sound, 5_000, 55_000);
        Assert.InRange(broken, 5_000, 55_000);
    }

    [Fact]
    public void Messages_made_of_random_names_pointers_and_records_are_read_alike()
    {
        var random = Seeded();
        var sound = 0;
        for (var round = 0; round < 40_000; round++)
            if (Compare(Composed(random), round)) sound++;
        Assert.InRange(sound, 1_500, 40_000);
    }

    [Fact]
    public void Noise_never_throws()
    {
        var random = Seeded();
        for (var round = 0; round < 40_000; round++)
        {
            var packet = new byte[random.Next(300)];
            random.NextBytes(packet);
            // Counts that are small enough for the rest to matter.
            for (var i = 4; i < Math.Min(12, packet.Length); i++) packet[i] = (byte)(i % 2 == 0 ? 0 : random.Next(3));
            Compare(packet, round);
        }
    }

    [Fact]
    public void A_packet_of_pointers_to_pointers_takes_no_time_to_speak_of()
    {
        // Each of the questions is a pointer to the one before it: without a bound, the work grows with the square.
        var packet = new List<byte>(GoldenDns.Hex("0001 0100 2aa0 0000 0000 0000 01 61 00 0001 0001"));
        for (var before = 12; packet.Count + 6 < 0x3fff; before = packet.Count - 6)
            packet.AddRange([(byte)(0xc0 | before >> 8), (byte)before, 0, 1, 0, 1]);
        var started = TimeProvider.System.GetTimestamp();
        for (var i = 0; i < 100; i++) Assert.False(DnsMessage.TryRead(packet.ToArray(), out _, out _));
        Assert.InRange(TimeProvider.System.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(2));
    }

    private Random Seeded()
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {_seed} (BRAMBLE_SEED)");
        return new Random(_seed);
    }

    /// <summary>True if both read it.</summary>
    private bool Compare(byte[] packet, int round)
    {
        var slow = SlowDns.Read(packet);
        var fast = DnsMessage.TryRead(packet, out var message, out var error);
        var where = $"seed {_seed}, round {round}: {Convert.ToHexString(packet)} {error}";
        Assert.True(fast == (slow is not null), $"{where}: slow says {slow is not null}");
        if (!fast)
        {
            Assert.True(error.Offset >= 0 && error.Offset <= packet.Length, where);
            return false;
        }
        Assert.True(slow == SlowDns.Show(message!), $"{where}\n{slow}\n{SlowDns.Show(message!)}");
        // Written and read again it says the same, but for what the reader may drop: a bit that is reserved.
        var buffer = new byte[DnsMessage.MaxSize];
        var length = message!.Write(buffer);
        if (message.Edns is null && (int)message.Code > 15) return true;
        Assert.True(DnsMessage.TryRead(buffer.AsSpan(0, length), out var back, out error), $"{where}, again: {error}");
        Assert.True(back.Header.IsTruncated != message.Header.IsTruncated
            || Same(SlowDns.Show(back), SlowDns.Show(message)), $"{where}, again");
        return true;
    }

    // Names are equal without case, so that a pointer may lead to one in other letters.
    private static bool Same(string a, string b)
    {
        var (one, two) = (a.Split('\n'), b.Split('\n'));
        return one.Length == two.Length && one.Zip(two).All(p => p.First == p.Second
            || Letters(p.First) == Letters(p.Second));
    }

    private static string Letters(string line) => string.Concat(line.Split(' ').Select(word =>
        word.Length % 2 == 0 && word.Length > 0 && word.All(char.IsAsciiHexDigit)
            ? System.Text.Encoding.Latin1.GetString(Convert.FromHexString(word)).ToLowerInvariant() + " "
            : word + " "));

    /// <summary>Changes with a meaning: counts, lengths, pointers, types.</summary>
    private static byte[] Structural(byte[] golden, Random random)
    {
        var packet = golden.ToArray();
        for (var times = random.Next(1, 3); times > 0; times--)
        {
            switch (random.Next(6))
            {
                case 0:
                    packet[random.Next(2, 4)] = (byte)random.Next(256);
                    break;
                case 1:
                    packet[5 + 2 * random.Next(4)] = (byte)random.Next(5);
                    break;
                case 2 when Find(packet, random, octet => octet >= 0xc0) is { } pointer && pointer + 1 < packet.Length:
                    packet[pointer] = (byte)(0xc0 | (random.Next(8) == 0 ? random.Next(64) : 0));
                    packet[pointer + 1] = (byte)random.Next(packet.Length);
                    break;
                case 3 when Find(packet, random, octet => octet is > 0 and < 64) is { } label:
                    packet[label] += (byte)random.Next(-2, 3);
                    break;
                case 4 when Find(packet, random, octet => octet >= 'a') is { } letter:
                    packet[letter] ^= 0x20;
                    break;
                default:
                    var at = random.Next(12, packet.Length);
                    packet[at] = (byte)random.Next(64);
                    break;
            }
        }
        return packet;
    }

    private static int? Find(byte[] packet, Random random, Func<byte, bool> wanted)
    {
        var start = random.Next(12, packet.Length);
        for (var i = start; i < packet.Length; i++)
            if (wanted(packet[i])) return i;
        return null;
    }

    private static byte[] Composed(Random random)
    {
        var packet = new List<byte> { 0, 1, (byte)random.Next(256), (byte)random.Next(256), 0, 0, 0, 0, 0, 0, 0, 0 };
        var starts = new List<int> { 12 };
        packet[5] = (byte)random.Next(3);
        for (var i = 0; i < packet[5]; i++)
        {
            Name();
            packet.AddRange([0, (byte)random.Next(1, 48), 0, 1]);
        }
        for (var section = 7; section <= 11; section += 2)
        {
            packet[section] = (byte)random.Next(3);
            for (var i = 0; i < packet[section]; i++) Record();
        }
        return [.. packet];

        void Record()
        {
            Name();
            var type = random.Next(6) == 0 ? 41 : random.Next(1, 48);
            packet.AddRange([0, (byte)type, 0, (byte)(random.Next(8) == 0 ? 3 : 1), (byte)random.Next(256), 0, 0, 60]);
            var lengthAt = packet.Count;
            packet.AddRange([0, 0]);
            for (var parts = random.Next(4); parts > 0; parts--)
            {
                if (random.Next(2) == 0) Name();
                else packet.AddRange(new byte[new[] { 1, 2, 4, 6, 18, 20 }[random.Next(6)]]);
            }
            var length = packet.Count - lengthAt - 2 + (random.Next(10) == 0 ? random.Next(-1, 2) : 0);
            packet[lengthAt + 1] = (byte)Math.Max(0, length);
            packet[lengthAt] = (byte)(Math.Max(0, length) >> 8);
        }

        void Name()
        {
            starts.Add(packet.Count);
            for (var labels = random.Next(4); labels > 0; labels--)
            {
                var label = new byte[random.Next(12) == 0 ? random.Next(1, 66) : random.Next(1, 8)];
                random.NextBytes(label);
                packet.Add((byte)label.Length);
                packet.AddRange(label);
            }
            if (random.Next(2) == 0)
            {
                packet.Add(0);
                return;
            }
            var target = starts[random.Next(starts.Count)] + (random.Next(8) == 0 ? random.Next(4) : 0);
            packet.AddRange([(byte)(0xc0 | target >> 8 & 63), (byte)target]);
        }
    }
}
