using System.Globalization;
using Bramble.Testing.Dhcp;
using Bramble.Wire.Dhcp;

namespace Bramble.Wire.Tests.Dhcp;

/// <summary>
/// The codec against an independent slow decoder, on packets that are bent where the format bends: lengths, overload,
/// parts of long options, pads, ends, fields that run into each other. What leads to a behaviour not seen before is
/// kept and bent further, so that the walk goes into the corners instead of away from them.
/// </summary>
public sealed class DhcpFuzz
{
    private const int Rounds = 60_000;

    [Fact]
    public void The_codec_and_a_slow_decoder_agree_on_every_packet()
    {
        var seed = Environment.GetEnvironmentVariable("BRAMBLE_SEED") is { } given
            ? int.Parse(given, CultureInfo.InvariantCulture) : Random.Shared.Next();
        TestContext.Current.SendDiagnosticMessage("DHCP fuzz: BRAMBLE_SEED={0}", seed);
        var random = new Random(seed);
        var corpus = GoldenDhcp.All.Values.ToList();
        corpus.AddRange([Overloaded(1), Overloaded(2), Overloaded(3), Bare()]);
        var seen = new HashSet<string>();
        var accepted = 0;
        for (var round = 0; round < Rounds; round++)
        {
            var octets = corpus[random.Next(corpus.Count)].ToArray();
            for (var times = random.Next(1, 5); times > 0; times--) octets = Bend(octets, random);
            var where = $"BRAMBLE_SEED={seed}, round {round}: {Convert.ToHexStringLower(octets)}";
            var slow = SlowDhcpDecoder.Decode(octets);
            var read = DhcpPacket.TryRead(octets, out var packet, out var error);
            Assert.True(read == slow is not null, $"only the {(read ? "codec" : "slow decoder")} takes {where}");
            if (read)
            {
                accepted++;
                var lines = Lines(packet);
                Assert.True(slow!.SequenceEqual(lines), $"they read differently: {where}\n"
                    + $"{string.Join('\n', slow!)}\n-- codec:\n{string.Join('\n', lines)}");
                Assert.True(SurvivesATrip(packet, lines), $"written and read again it is another: {where}");
            }
            if (seen.Add(Shape(octets, packet, read, error)) && octets.Length < 2000) corpus.Add(octets);
        }
        // A fuzz that only ever produces garbage, or one shape, shows nothing.
        Assert.InRange(accepted, Rounds / 10, Rounds * 9 / 10);
        Assert.True(seen.Count > 150, $"BRAMBLE_SEED={seed}: only {seen.Count} behaviours");
    }

    /// <summary>What the codec did, coarsely: a new one is worth bending further.</summary>
    private static string Shape(byte[] octets, DhcpPacket? packet, bool read, WireError error)
    {
        if (!read || packet is null)
        {
            // The reason without the numbers in it, and in which field it happened.
            var reason = string.Concat((error.Reason ?? "").Where(c => !char.IsAsciiDigit(c)));
            return $"{reason} {(error.Offset < 44 ? 0 : error.Offset < 108 ? 1 : error.Offset < 236 ? 2 : 3)}";
        }
        var longest = 0;
        for (var i = 0; i < packet.Options.Count; i++) longest = Math.Max(longest, packet.Options.ValueAt(i).Length);
        return $"{Bucket(packet.Options.Count)} {Bucket(longest)} {packet.File.IsEmpty} {packet.ServerName.IsEmpty} "
            + $"{packet.MessageType is 0 or > DhcpMessageType.Inform} {Bucket(octets.Length)} "
            + $"{packet.HardwareLength == 6} {packet.Options.Contains(DhcpOption.RelayAgentInformation)}";
    }

    private static int Bucket(int number) => number == 0 ? 0 : 1 + (int)Math.Log2(number);

    private static bool SurvivesATrip(DhcpPacket packet, IReadOnlyList<string> lines)
    {
        var buffer = new byte[65535];
        var written = packet.Write(buffer);
        // What was joined may not fit into parts of one packet any more only if it was longer than any packet.
        return written > 0 && DhcpPacket.TryRead(buffer.AsSpan(0, written), out var back, out _)
            && Lines(back).SequenceEqual(lines);
    }

    private static List<string> Lines(DhcpPacket packet)
    {
        var lines = new List<string>
        {
            $"op {(int)packet.Operation} htype {packet.HardwareType} hlen {packet.HardwareLength} hops {packet.Hops}",
            $"xid {packet.TransactionId:x8} secs {packet.Seconds:x4} flags {packet.Flags:x4}",
            $"ciaddr {packet.ClientAddress.Bits:x8} yiaddr {packet.YourAddress.Bits:x8}",
            $"siaddr {packet.NextServer.Bits:x8} giaddr {packet.RelayAddress.Bits:x8}",
            $"chaddr {packet.HardwareBits:x32}",
            $"sname {Convert.ToHexStringLower(packet.ServerName.Span)}",
            $"file {Convert.ToHexStringLower(packet.File.Span)}",
        };
        for (var i = 0; i < packet.Options.Count; i++)
        {
            var value = Convert.ToHexStringLower(packet.Options.ValueAt(i));
            lines.Add($"option {(int)packet.Options.OptionAt(i)} {value}");
        }
        return lines;
    }

    private static byte[] Bend(byte[] octets, Random random)
    {
        var options = Options(octets);
        switch (random.Next(14))
        {
            case 0 when options.Count > 0:
                // A length that is wrong by little, or by all.
                var at = options[random.Next(options.Count)] + 1;
                if (at < octets.Length)
                    octets[at] = (byte)(random.Next(3) switch { 0 => octets[at] + 1, 1 => octets[at] - 1, _ => 255 });
                return octets;
            case 1 when options.Count > 0:
                return Insert(octets, options[random.Next(options.Count)], new byte[random.Next(1, 5)]);
            case 2 when options.Count > 0:
                return Insert(octets, options[random.Next(options.Count)], [52, 1, (byte)random.Next(0, 5)]);
            case 3 when options.Count > 0:
                // Another part of an option that is there, or of one that is not.
                var from = options[random.Next(options.Count)];
                var part = new byte[random.Next(0, 256)];
                random.NextBytes(part);
                return Insert(octets, options[random.Next(options.Count)],
                    [random.Next(2) == 0 ? octets[from] : (byte)random.Next(1, 255), (byte)part.Length, .. part]);
            case 4 when options.Count > 0:
                return Insert(octets, options[random.Next(options.Count)], [255]);
            case 5:
                return Field(octets, 108, 128, random);
            case 6:
                return Field(octets, 44, 64, random);
            case 7 when octets.Length > 0:
                return octets[..random.Next(octets.Length + 1)];
            case 8 when octets.Length > 241:
                return octets[..random.Next(236, octets.Length)];
            case 9 when octets.Length > 0:
                octets[random.Next(octets.Length)] ^= (byte)(1 << random.Next(8));
                return octets;
            case 10 when octets.Length > 3:
                octets[random.Next(4)] = (byte)random.Next(20);
                return octets;
            case 11 when options.Count > 1:
                // Two options change places, ends and lengths as they fall.
                var (a, b) = (options[random.Next(options.Count)], options[random.Next(options.Count)]);
                (octets[a], octets[b]) = (octets[b], octets[a]);
                return octets;
            case 12:
                return [.. octets, .. new byte[random.Next(1, 60)]];
            default:
                if (octets.Length > 240) random.NextBytes(octets.AsSpan(random.Next(240, octets.Length)));
                return octets;
        }
    }

    /// <summary>Where options begin, as far as they can be followed.</summary>
    private static List<int> Options(byte[] octets)
    {
        var found = new List<int>();
        for (var i = 240; i + 1 < octets.Length && octets[i] != 255;)
        {
            found.Add(i);
            i += octets[i] == 0 ? 1 : 2 + octets[i + 1];
        }
        return found;
    }

    private static byte[] Insert(byte[] octets, int at, byte[] what) => [.. octets[..at], .. what, .. octets[at..]];

    /// <summary>Fills sname or file with options, well formed or nearly so.</summary>
    private static byte[] Field(byte[] octets, int from, int size, Random random)
    {
        if (octets.Length < 240) return octets;
        for (var i = from; i < from + size;)
        {
            var length = random.Next(0, 30);
            octets[i++] = (byte)random.Next(0, 256);
            if (i < from + size) octets[i++] = (byte)length;
            for (var end = Math.Min(from + size, i + length); i < end; i++) octets[i] = (byte)random.Next(256);
        }
        return octets;
    }

    private static byte[] Overloaded(byte overload)
    {
        var octets = GoldenDhcp.Packet("01020304", "020000000001", "350101", $"3401{overload:x2}");
        ReadOnlySpan<byte> more = [12, 3, 97, 98, 99, 15, 2, 100, 101, 255];
        more.CopyTo(octets.AsSpan(108));
        more.CopyTo(octets.AsSpan(44));
        return octets;
    }

    private static byte[] Bare()
    {
        var octets = GoldenDhcp.Packet("01020304", "020000000001");
        octets.AsSpan(236).Clear();
        return octets;
    }
}
