namespace Bramble.Wire.Ntp;

/// <summary>
/// A 64-bit NTP time: seconds since the start of its era in the upper half, binary fractions in the lower (RFC 5905
/// §6). It carries no era: the first began in 1900, the next begins on 2036-02-07, so a reader supplies a pivot.
/// </summary>
public readonly record struct NtpTimestamp(ulong Bits)
{
    public const int Size = 8;

    private static readonly DateTimeOffset Epoch = new(1900, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>All zero means "not known" (RFC 5905 §6).</summary>
    public static readonly NtpTimestamp Unknown;

    public bool IsUnknown => Bits == 0;

    public uint Seconds => (uint)(Bits >> 32);

    public uint Fraction => (uint)Bits;

    /// <summary>The wire form of an instant of any era.</summary>
    public static NtpTimestamp From(DateTimeOffset instant)
    {
        var ticks = instant.UtcTicks - Epoch.UtcTicks;
        var seconds = Math.DivRem(ticks, TimeSpan.TicksPerSecond, out var rest);
        if (rest < 0)
        {
            seconds--;
            rest += TimeSpan.TicksPerSecond;
        }
        var fraction = ((ulong)rest << 32) / TimeSpan.TicksPerSecond;
        return new NtpTimestamp((ulong)(uint)seconds << 32 | fraction);
    }

    /// <summary>The instant of this wire form that lies nearest to the pivot: within 68 years on either side.</summary>
    public DateTimeOffset ToDateTimeOffset(DateTimeOffset pivot)
    {
        // The difference modulo 2^64, taken as signed, is the way around the era's circle that is shorter.
        var difference = (long)(Bits - From(pivot).Bits);
        var ticks = (long)Math.Round((decimal)difference * TimeSpan.TicksPerSecond / (1L << 32));
        var result = Math.Clamp(
            pivot.UtcTicks + ticks, DateTimeOffset.MinValue.UtcTicks, DateTimeOffset.MaxValue.UtcTicks);
        return new DateTimeOffset(result, TimeSpan.Zero);
    }

    /// <summary>The time from an earlier to a later stamp, of neighbouring eras too.</summary>
    public static TimeSpan Difference(NtpTimestamp later, NtpTimestamp earlier) => TimeSpan.FromTicks(
        (long)Math.Round((decimal)(long)(later.Bits - earlier.Bits) * TimeSpan.TicksPerSecond / (1L << 32)));

    public override string ToString() => $"{Bits:x16}";
}
