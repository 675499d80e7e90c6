using System.Diagnostics.Metrics;

namespace Bramble.Boot.Ntp;

/// <summary>Counters of all time doors of the process.</summary>
internal static class NtpMetrics
{
    public const string MeterName = "Bramble.Boot.Ntp";

    private static readonly Meter Meter = new(MeterName);

    private static readonly Counter<long> Requests = Meter.CreateCounter<long>(
        "bramble.ntp.requests", "{request}", "Packets to the time port, by what became of them");

    public static void CountRequest(string result) =>
        Requests.Add(1, new KeyValuePair<string, object?>("result", result));
}
