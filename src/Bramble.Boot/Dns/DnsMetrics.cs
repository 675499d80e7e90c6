using System.Diagnostics.Metrics;

namespace Bramble.Boot.Dns;

/// <summary>Counters of all doors for names of the process.</summary>
internal static class DnsMetrics
{
    public const string MeterName = "Bramble.Boot.Dns";

    private static readonly Meter Meter = new(MeterName);

    private static readonly Counter<long> Queries = Meter.CreateCounter<long>(
        "bramble.dns.queries", "{query}", "Packets to port 53, by what became of them");

    private static readonly Counter<long> Upstream = Meter.CreateCounter<long>(
        "bramble.dns.upstream", "{query}", "Questions to upstream servers, by what became of them");

    private static readonly Counter<long> Connections = Meter.CreateCounter<long>(
        "bramble.dns.connections", "{connection}", "TCP connections to port 53, by what became of them");

    public static void CountQuery(string result) => Add(Queries, result);

    public static void CountUpstream(string result) => Add(Upstream, result);

    public static void CountConnection(string result) => Add(Connections, result);

    private static void Add(Counter<long> counter, string result) =>
        counter.Add(1, new KeyValuePair<string, object?>("result", result));
}
