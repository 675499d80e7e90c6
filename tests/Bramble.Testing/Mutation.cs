namespace Bramble.Testing;

/// <summary>Breaks a golden packet at random: flips, changed lengths, cuts, repeats, extra octets.</summary>
public static class Mutation
{
    public static byte[] Of(ReadOnlySpan<byte> golden, Random random)
    {
        var octets = golden.ToArray();
        for (var times = random.Next(1, 6); times > 0 && octets.Length > 0; times--)
        {
            var at = random.Next(octets.Length);
            switch (random.Next(6))
            {
                case 0:
                    octets[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    octets[at] = (byte)random.Next(256);
                    break;
                case 2:
                    octets[at] = random.Next(2) == 0 ? (byte)0 : (byte)255;
                    break;
                case 3:
                    octets = octets[..at];
                    break;
                case 4:
                    octets = [.. octets, .. octets[at..]];
                    break;
                default:
                    var extra = new byte[random.Next(1, 64)];
                    random.NextBytes(extra);
                    octets = [.. octets[..at], .. extra, .. octets[at..]];
                    break;
            }
        }
        return octets;
    }
}
