using Bramble.Wire;

namespace Bramble.Boot.Dhcp;

/// <summary>
/// A token bucket for each client, in a table of fixed size: four places for each hash, of which a newcomer takes the
/// one that is unused for longest. Whoever is pushed out begins anew with a full bucket: a flood of made-up addresses
/// can only make this lenient. One thread.
/// </summary>
internal sealed class ClientLimiter
{
    private const int Ways = 4;
    private const int Sets = 4096;
    private const int BurstFactor = 4;

    private readonly Bucket[] _buckets = new Bucket[Sets * Ways];
    private readonly TimeProvider _clock;
    private readonly double _rate;
    private readonly double _burst;

    /// <param name="rate">Packets a second for long; four times as many at once. 0 for no limit.</param>
    public ClientLimiter(TimeProvider clock, int rate) =>
        (_clock, _rate, _burst) = (clock, rate / (double)clock.TimestampFrequency, rate * BurstFactor);

    private struct Bucket
    {
        public ulong Mac;
        public long At;
        public double Tokens;
    }

    /// <summary>Places; the memory is taken once.</summary>
    public static int Capacity => Sets * Ways;

    /// <summary>Whether the client may send one more now.</summary>
    public bool TryTake(MacAddress mac)
    {
        if (_burst == 0) return true;
        // 0 is an empty place.
        var now = 1 + _clock.GetTimestamp();
        // Fibonacci hashing: neighbours in a maker's range fall far apart.
        var set = (int)(mac.Bits * 0x9e3779b97f4a7c15 >> 52) * Ways;
        var oldest = set;
        for (var i = set; i < set + Ways; i++)
        {
            ref var bucket = ref _buckets[i];
            if (bucket.Mac == mac.Bits && bucket.At != 0)
            {
                bucket.Tokens = Math.Min(_burst, bucket.Tokens + (now - bucket.At) * _rate);
                bucket.At = now;
                if (bucket.Tokens < 1) return false;
                bucket.Tokens--;
                return true;
            }
            if (bucket.At < _buckets[oldest].At) oldest = i;
        }
        _buckets[oldest] = new Bucket { Mac = mac.Bits, At = now, Tokens = _burst - 1 };
        return true;
    }
}
