using System.Globalization;
using Bramble.Testing;
using Bramble.Wire.Snmp;

namespace Bramble.Wire.Tests.Snmp;

/// <summary>Broken and odd messages against the slow decoder: the same verdict, the same content.</summary>
public sealed class SnmpFuzzTests
{
    private readonly int _seed = Environment.GetEnvironmentVariable("BRAMBLE_SEED") is { } seed
        ? int.Parse(seed, CultureInfo.InvariantCulture) : 20261120;

    private int _sound;

    [Fact]
    public void Mutated_messages_are_judged_and_read_as_the_slow_decoder_does()
    {
        var random = Seeded();
        var golden = SnmpGolden.All.Select(Convert.FromHexString).ToArray();
        for (var round = 0; round < 60_000; round++)
            Compare(Mutation.Of(golden[random.Next(golden.Length)], random), round);
        Assert.InRange(_sound, 1_000, 50_000);
    }

    [Fact]
    public void Composed_messages_of_every_type_are_read_as_the_slow_decoder_does()
    {
        var random = Seeded();
        for (var round = 0; round < 40_000; round++) Compare(Composed(random), round);
        Assert.InRange(_sound, 1_000, 39_000);
    }

    private Random Seeded()
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {_seed} (BRAMBLE_SEED)");
        return new Random(_seed);
    }

    private void Compare(byte[] octets, int round)
    {
        var slow = SlowSnmp.Read(octets);
        var read = SnmpMessage.TryRead(octets, out var message, out var error);
        var fast = read ? Words(message) : null;
        Assert.True(slow == fast,
            $"round {round}, seed {_seed}: {Convert.ToHexString(octets)}\nslow {slow}\nfast {fast} {error}");
        if (read) _sound++;
    }

    private static string Words(SnmpMessage message)
    {
        var pdu = message.Pdu;
        var variables = pdu.Bindings.Select(
            b => $"{b.Name.ToString().TrimStart('.')}={(byte)b.Value.Type:x2}:{Words(b.Value)}");
        return string.Create(CultureInfo.InvariantCulture,
            $"{(int)message.Version} {Convert.ToHexString(message.Community.Span)} {(int)pdu.Type} {pdu.RequestId} ")
            + string.Create(CultureInfo.InvariantCulture,
                $"{(int)pdu.ErrorStatus} {pdu.ErrorIndex} {string.Join(' ', variables)}");
    }

    private static string Words(SnmpValue value) => value.Type switch
    {
        SnmpType.Counter64 => value.Unsigned.ToString(CultureInfo.InvariantCulture),
        SnmpType.ObjectId => value.ObjectId.ToString().TrimStart('.'),
        _ when value.IsNumber => value.Number.ToString(CultureInfo.InvariantCulture),
        _ => Convert.ToHexString(value.Octets),
    };

    /// <summary>Elements nested as they should be, with odd tags, lengths and contents here and there.</summary>
    private static byte[] Composed(Random random)
    {
        byte[] tags = [0x02, 0x04, 0x05, 0x06, 0x40, 0x41, 0x42, 0x43, 0x44, 0x46, 0x80, 0x81, 0x82, 0x1f, 0x30];
        var variables = Enumerable.Range(0, random.Next(5)).SelectMany(_ =>
            Element(0x30, [.. Element(6, Noise(1, 12)), .. Element(tags[random.Next(tags.Length)], Noise(0, 10))]))
            .ToArray();
        var type = (byte)(0xa0 + random.Next(random.Next(6) == 0 ? 16 : 9));
        byte[] numbers = [.. Element(2, Noise(1, 5)), .. Element(2, Noise(1, 3)), .. Element(2, Noise(1, 3))];
        var pdu = Element(type, [.. numbers, .. Element(0x30, variables)]);
        return Element(0x30, [.. Element(2, [(byte)random.Next(3)]), .. Element(4, Noise(0, 9)), .. pdu]);

        byte[] Noise(int least, int most)
        {
            var octets = new byte[random.Next(least, most)];
            random.NextBytes(octets);
            // Small numbers and finished arcs are what agents send.
            if (random.Next(2) == 0)
                for (var i = 0; i < octets.Length; i++) octets[i] &= 0x7f;
            if (random.Next(4) == 0 && octets.Length > 0) octets[0] = random.Next(2) == 0 ? (byte)0 : (byte)0xff;
            return octets;
        }

        byte[] Element(byte tag, byte[] content)
        {
            if (random.Next(200) == 0) tag = (byte)random.Next(256);
            var length = content.Length;
            byte[] head = random.Next(30) switch
            {
                0 => [0x81, (byte)length],
                1 => [0x84, 0, 0, 0, (byte)length],
                2 when random.Next(4) == 0 => [0x80],
                _ when length < 128 => [(byte)length],
                _ => [0x82, (byte)(length >> 8), (byte)length],
            };
            return [tag, .. head, .. content];
        }
    }
}
