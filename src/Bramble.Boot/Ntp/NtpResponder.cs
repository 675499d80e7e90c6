using Bramble.Wire.Ntp;

namespace Bramble.Boot.Ntp;

/// <summary>Decides, purely, what is answered to a request for the time.</summary>
internal static class NtpResponder
{
    /// <summary>2^-20 s: what a reading of the clock in user space is good for.</summary>
    private const sbyte Precision = -20;

    /// <summary>
    /// Seconds between polls that are asked for, as a power of two, when the client names none: 64 s.
    /// </summary>
    private const sbyte DefaultPoll = 6;

    /// <summary>"LOCL": an uncalibrated local clock (RFC 4330 §4).</summary>
    private const uint Local = 0x4c4f434c;

    /// <summary>
    /// 127.0.0.1: the source of this clock is a daemon of this host, of which the kernel tells no more.
    /// </summary>
    private const uint ThisHost = 0x7f000001;

    /// <summary>
    /// The claim of a clock that nobody keeps. High, so that a client that has a better server prefers it; but not the
    /// "unsynchronized" of RFC 5905, which every client refuses: in a rack without Internet this is the time there is.
    /// </summary>
    public const byte UnsynchronizedStratum = 10;

    public const byte SynchronizedStratum = 3;

    /// <summary>Why a packet is not answered; null if it is.</summary>
    public static string? WhyIgnored(in NtpPacket request)
    {
        // Only clients are answered. Answering a server, a broadcast or a control message could start two servers
        // talking to each other, or make this one an amplifier (modes 6 and 7).
        if (request.Mode != NtpMode.Client) return "mode";
        return request.Version is >= 1 and <= 4 ? null : "version";
    }

    /// <summary>The reply of RFC 4330 §6, all but the transmit time, which is set last.</summary>
    public static NtpPacket Reply(
        in NtpPacket request, in KernelClock kernel, byte? stratum, DateTimeOffset reference, DateTimeOffset received)
    {
        return new NtpPacket
        {
            Leap = kernel.Leap,
            Version = request.Version,
            Mode = NtpMode.Server,
            Stratum = stratum ?? (kernel.Synchronized ? SynchronizedStratum : UnsynchronizedStratum),
            Poll = request.Poll > 0 ? request.Poll : DefaultPoll,
            Precision = Precision,
            RootDelay = 0,
            // An unset clock has no known error: it is the reference of its rack. Its stratum says how far to trust it.
            RootDispersion = NtpPacket.ToShort(
                kernel.Synchronized ? kernel.MaxError : TimeSpan.FromMilliseconds(10)),
            ReferenceId = kernel.Synchronized ? ThisHost : Local,
            ReferenceTime = NtpTimestamp.From(reference),
            OriginTime = request.TransmitTime,
            ReceiveTime = NtpTimestamp.From(received),
        };
    }
}
