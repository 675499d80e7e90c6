using Bramble.Wire;
using Bramble.Wire.Dns;

namespace Bramble.Boot.Dns;

/// <summary>Who asks, and what follows from that.</summary>
/// <param name="Local">The network that it asks on.</param>
/// <param name="Recursion">Whether its questions about other people's names are passed on.</param>
internal readonly record struct DnsAsker(IPv4Prefix Local, bool Recursion);

/// <summary>What becomes of a packet.</summary>
internal enum DnsVerdict
{
    /// <summary>Silence.</summary>
    Drop,

    /// <summary>The reply is in <see cref="DnsDecision.Message"/>.</summary>
    Answer,

    /// <summary>The query in <see cref="DnsDecision.Message"/> is for others to answer.</summary>
    Forward,
}

/// <summary>A verdict with its reason, which is at once a counter's label.</summary>
internal readonly record struct DnsDecision(DnsVerdict Verdict, string Reason, DnsMessage? Message)
{
    /// <summary>How many octets of UDP the client takes.</summary>
    public int UdpLimit { get; init; } = DnsMessage.PlainUdpSize;

    public static DnsDecision Drop(string reason) => new(DnsVerdict.Drop, reason, null);

    public static DnsDecision Answer(string reason, DnsMessage message) => new(DnsVerdict.Answer, reason, message);
}
