using System.Globalization;
using Bramble.Testing;
using Bramble.Wire.Tftp;

namespace Bramble.Wire.Tests.Tftp;

/// <summary>Broken and odd packets against the slow decoder: the same verdict, the same content.</summary>
public sealed class TftpFuzzTests
{
    private readonly int _seed = Environment.GetEnvironmentVariable("BRAMBLE_SEED") is { } seed
        ? int.Parse(seed, CultureInfo.InvariantCulture) : 20261120;

    private readonly HashSet<string> _reasons = [];
    private int _sound;
    private int _broken;

    [Fact]
    public void Mutated_packets_are_judged_and_read_as_the_slow_decoder_does()
    {
        var random = Seeded();
        for (var round = 0; round < 60_000; round++)
            Compare(Mutation.Of(TftpGolden.All[random.Next(TftpGolden.All.Length)], random), round);
        // Both kinds in numbers, or the mutations test nothing.
        Assert.InRange(_sound, 10_000, 250_000);
        Assert.InRange(_broken, 10_000, 290_000);
    }

    [Fact]
    public void Packets_composed_of_odd_texts_reach_every_reason_to_refuse()
    {
        var random = Seeded();
        for (var round = 0; round < 40_000; round++) Compare(Composed(random), round);
        Assert.Equal(
            [
                "a Data packet has at least 4 octets", "a TFTP packet has at least 2 octets",
                "a request has at most 512 octets", "a text is not UTF-8", "a text is not ended by a NUL",
                "an Ack packet has at least 4 octets", "an Error packet has at least 4 octets",
                "an OACK has at most 512 octets", "an option has no name", "an option is given twice",
                "more than 32 options", "no TFTP opcode (1 to 6)", "the file name is empty",
                "the opcode is not that of Ack", "the opcode is not that of Data", "the opcode is not that of Error",
                "the opcode is not that of OptionAck", "the opcode is not that of a request",
            ], _reasons.Select(Article).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void What_was_read_is_written_and_read_again_as_the_same()
    {
        var random = Seeded();
        var buffer = new byte[2048];
        var written = 0;
        for (var round = 0; round < 40_000; round++)
        {
            var packet = Composed(random);
            if (!TftpRequest.TryRead(packet, out var request, out _)) continue;
            var again = buffer.AsSpan(0, request.Write(buffer));
            Assert.Equal(SlowTftp.Request(packet), SlowTftp.Request(again.ToArray()));
            written++;
        }
        Assert.InRange(written, 1000, 40_000);
    }

    private static string Article(string reason) => reason
        .Replace("a Ack", "an Ack", StringComparison.Ordinal).Replace("a Error", "an Error", StringComparison.Ordinal);

    private Random Seeded()
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {_seed} (BRAMBLE_SEED)");
        return new Random(_seed);
    }

    private static byte[] Composed(Random random)
    {
        var packet = new List<byte> { 0, (byte)random.Next(0, random.Next(8) == 0 ? 256 : 8) };
        string[] texts = ["", "octet", "blksize", "BLKSIZE", "tsize", "0", "1468", "a/b", "größe", "windowsize", "x"];
        var many = random.Next(12) == 0;
        for (var count = many ? random.Next(60, 80) : random.Next(9); count > 0; count--)
        {
            var text = random.Next(10) switch
            {
                0 => new string('n', random.Next(1, many ? 4 : 300)),
                1 => random.Next(1000).ToString(CultureInfo.InvariantCulture),
                _ => many ? $"o{count}" : texts[random.Next(texts.Length)],
            };
            packet.AddRange(System.Text.Encoding.UTF8.GetBytes(text));
            if (random.Next(40) == 0) packet.Add((byte)random.Next(128, 256));
            if (random.Next(60) != 0) packet.Add(0);
        }
        packet.AddRange(new byte[random.Next(6) == 0 ? random.Next(20) : 0]);
        if (random.Next(20) == 0) packet.RemoveRange(random.Next(Math.Min(5, packet.Count)), 1);
        return random.Next(30) == 0 ? [.. packet.Take(random.Next(5))] : [.. packet];
    }

    private void Compare(byte[] packet, int round)
    {
        WireError error;
        Agree(SlowTftp.Request(packet), TftpRequest.TryRead(packet, out var request, out error)
            ? $"{(int)request.Opcode} {request.FileName} {request.Mode} {Said(request.Options)}" : null, error);
        Agree(SlowTftp.OptionAck(packet),
            TftpOptionAck.TryRead(packet, out var oack, out error) ? Said(oack.Options) : null, error);
        Agree(SlowTftp.Ack(packet), TftpAck.TryRead(packet, out var ack, out error) ? $"{ack.Block}" : null, error);
        Agree(SlowTftp.Data(packet), TftpData.TryRead(packet, out var data, out error)
            ? $"{data.Block} {Convert.ToHexString(data.Payload)}" : null, error);
        Agree(SlowTftp.Error(packet), TftpError.TryRead(packet, out var fault, out error)
            ? $"{(int)fault.Code} {fault.Message}" : null, error);

        void Agree(string? slow, string? fast, WireError why)
        {
            Assert.True(slow == fast,
                $"seed {_seed}, round {round}: {Convert.ToHexString(packet)}: slow '{slow}', codec '{fast}', {why}");
            if (fast is not null)
            {
                _sound++;
                return;
            }
            _broken++;
            _reasons.Add(why.Reason);
            Assert.InRange(why.Offset, 0, packet.Length);
        }
    }

    private static string Said(IReadOnlyList<TftpOption> options) =>
        string.Concat(options.Select(o => $"{o.Name}={o.Value};"));
}
