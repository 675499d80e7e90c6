using System.Diagnostics.Metrics;

namespace Bramble.Boot.Tftp;

/// <summary>Counters of all TFTP doors of the process.</summary>
internal static class TftpMetrics
{
    public const string MeterName = "Bramble.Boot.Tftp";

    private static readonly Meter Meter = new(MeterName);

    private static readonly Counter<long> Requests = Meter.CreateCounter<long>(
        "bramble.tftp.requests", "{request}", "Packets to the request port, by what became of them");

    private static readonly Counter<long> Ended = Meter.CreateCounter<long>(
        "bramble.tftp.transfers.ended", "{transfer}", "Transfers that ended, by outcome");

    private static readonly Counter<long> Strays = Meter.CreateCounter<long>(
        "bramble.tftp.strays", "{packet}", "Packets to a transfer port that belong to no transfer or are malformed");

    public static readonly Counter<long> Bytes = Meter.CreateCounter<long>(
        "bramble.tftp.bytes", "By", "File octets sent, retransmissions included");

    public static readonly Counter<long> Retransmissions = Meter.CreateCounter<long>(
        "bramble.tftp.retransmissions", "{window}", "Windows and option acknowledgements sent again");

    public static readonly UpDownCounter<long> Active = Meter.CreateUpDownCounter<long>(
        "bramble.tftp.transfers.active", "{transfer}", "Transfers under way");

    public static readonly Counter<long> SendErrors = Meter.CreateCounter<long>(
        "bramble.tftp.send_errors", "{packet}", "Packets that the kernel refused to send");

    public static void CountRequest(string result) =>
        Requests.Add(1, new KeyValuePair<string, object?>("result", result));

    public static void CountEnd(StepOutcome outcome) =>
        Ended.Add(1, new KeyValuePair<string, object?>("outcome", outcome.ToString()));

    public static void CountStray(string kind) => Strays.Add(1, new KeyValuePair<string, object?>("kind", kind));
}
