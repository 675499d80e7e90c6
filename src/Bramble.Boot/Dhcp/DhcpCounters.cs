using System.Diagnostics.Metrics;

namespace Bramble.Boot.Dhcp;

/// <summary>What a server has counted since it started.</summary>
/// <param name="Delayed">Answers that wait for their delay now.</param>
public sealed record DhcpSnapshot(
    string Network, long Received, long Sent, IReadOnlyDictionary<DhcpIgnoreReason, long> Ignored, int Delayed)
{
    /// <summary>Other DHCP servers heard of late, on a network where we should be the only one.</summary>
    public IReadOnlyList<OtherServer> OtherServers { get; init; } = [];
}

/// <summary>Counts for the meter <c>Bramble.Boot.Dhcp</c> and for <see cref="DhcpServer.Snapshot"/>.</summary>
internal sealed class DhcpCounters(string network)
{
    public const string MeterName = "Bramble.Boot.Dhcp";

    private static readonly Meter Meter = new(MeterName);

    private static readonly Counter<long> ReceivedCounter =
        Meter.CreateCounter<long>("bramble.dhcp.received", "{packet}", "DHCP packets received, by message type");

    private static readonly Counter<long> SentCounter =
        Meter.CreateCounter<long>("bramble.dhcp.sent", "{packet}", "DHCP answers sent, by message type");

    private static readonly Counter<long> IgnoredCounter =
        Meter.CreateCounter<long>("bramble.dhcp.ignored", "{packet}", "DHCP packets without an answer, by reason");

    private readonly long[] _ignored = new long[Enum.GetValues<DhcpIgnoreReason>().Length];
    private long _received;
    private long _sent;

    /// <param name="type">As <see cref="DhcpMessageLabels"/> has it; <c>DHCP</c> for what cannot be read.</param>
    public void Received(string type)
    {
        Interlocked.Increment(ref _received);
        ReceivedCounter.Add(1, new("network", network), new("type", type));
    }

    public void Sent(string type)
    {
        Interlocked.Increment(ref _sent);
        SentCounter.Add(1, new("network", network), new("type", type));
    }

    public void Ignored(DhcpIgnoreReason reason)
    {
        Interlocked.Increment(ref _ignored[(int)reason]);
        IgnoredCounter.Add(1, new("network", network), new("reason", reason.ToString()));
    }

    public DhcpSnapshot Snapshot(int delayed)
    {
        var ignored = new Dictionary<DhcpIgnoreReason, long>();
        for (var i = 0; i < _ignored.Length; i++)
            if (Interlocked.Read(ref _ignored[i]) is > 0 and var count) ignored[(DhcpIgnoreReason)i] = count;
        return new DhcpSnapshot(
            network, Interlocked.Read(ref _received), Interlocked.Read(ref _sent), ignored, delayed);
    }
}
