using System.Diagnostics.Metrics;
using Bramble.Wire.Dhcp;

namespace Bramble.Boot.Dhcp;

/// <summary>What a server has counted since it started.</summary>
public sealed record DhcpSnapshot(
    string Network, long Received, long Sent, IReadOnlyDictionary<DhcpIgnoreReason, long> Ignored, int Delayed);

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

    public void Received(DhcpMessageType type)
    {
        Interlocked.Increment(ref _received);
        ReceivedCounter.Add(1, new("network", network), new("type", type.Label()));
    }

    public void Sent(DhcpMessageType type)
    {
        Interlocked.Increment(ref _sent);
        SentCounter.Add(1, new("network", network), new("type", type.Label()));
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
