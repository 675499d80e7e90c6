namespace Bramble.Wire.Snmp;

/// <summary>
/// An authoritative engine's boots and time as the other side knows them (RFC 3414 §2.3 and §3.2 step 7). A value; the
/// caller measures the seconds that pass.
/// </summary>
/// <param name="Boots">How often the engine has started.</param>
/// <param name="Time">Its seconds since then, when it was last heard.</param>
public readonly record struct UsmClock(int Boots, int Time)
{
    /// <summary>Seconds by which a message may be off.</summary>
    public const int Window = 150;

    /// <summary>The engine has run out of boots: nothing of it is in time any more.</summary>
    private const int Exhausted = int.MaxValue;

    /// <summary>What the engine's clock shows after this many seconds of ours.</summary>
    public int TimeAfter(long seconds) => (int)Math.Min(Time + Math.Max(0, seconds), int.MaxValue);

    /// <summary>Step 7a: the engine itself judges a message sent to it.</summary>
    public bool Accepts(int boots, int time) =>
        Boots != Exhausted && boots == Boots && Math.Abs((long)time - Time) <= Window;

    /// <summary>
    /// Step 7b: the other side judges an authenticated message from the engine. Newer notions replace the held one;
    /// older ones, by more than the window, are refused.
    /// </summary>
    /// <param name="boots">The message's boots.</param>
    /// <param name="time">The message's time.</param>
    /// <param name="secondsSince">Seconds since this notion was taken.</param>
    /// <param name="next">The notion to hold from now on.</param>
    /// <param name="isNewer">True if <paramref name="next"/> was taken now.</param>
    public bool TryFollow(int boots, int time, long secondsSince, out UsmClock next, out bool isNewer)
    {
        isNewer = boots > Boots || (boots == Boots && time > Time);
        next = isNewer ? new UsmClock(boots, time) : this;
        if (isNewer) return next.Boots != Exhausted;
        return Boots != Exhausted && boots == Boots && time >= TimeAfter(secondsSince) - (long)Window;
    }
}
