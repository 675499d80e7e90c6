using System.Globalization;
using System.Text.RegularExpressions;
using Bramble.Processes;

namespace Bramble.BootBench;

/// <summary>What Kea's own perfdhcp found: four-way exchanges of 10,000 clients, through a relay's address.</summary>
internal sealed record DhcpResult(double Offered, double Rate, double DropPercent, double P99Milliseconds);

internal static partial class DhcpLoad
{
    public const int Clients = 10_000;

    public static async Task<DhcpResult> RunAsync(BenchNetwork network, string server, int rate, int seconds)
    {
        string[] pin = Environment.ProcessorCount > 1 ? ["taskset", "-c", "1"] : [];
        var result = await ChildProcess.RunAsync("ip",
            ["netns", "exec", network.Clients, .. pin, "perfdhcp", "-4", "-l", BenchNetwork.Interface, "-r",
                Text(rate), "-R", Text(Clients), "-p", Text(seconds), "-W", "300000", "-x", "t", server],
            timeout: TimeSpan.FromSeconds(seconds + 30));
        // 3: some exchanges were dropped.
        if (result.ExitCode is not (0 or 3)) throw new InvalidOperationException($"perfdhcp: {result.Complaint}");
        var done = ExchangeRate().Match(result.Output);
        var drops = DropRatio().Matches(result.Output);
        if (!done.Success || drops.Count == 0) throw new InvalidOperationException($"perfdhcp: {result.Output}");
        // One line for each packet that was answered: when it was sent, when the answer came.
        var delays = new List<double>();
        foreach (Match line in Times().Matches(result.Output))
            delays.Add(1000 * (Number(line.Groups[2]) - Number(line.Groups[1])));
        delays.Sort();
        return new DhcpResult(rate, Number(done.Groups[1]), drops.Max(d => Number(d.Groups[1])),
            delays.Count == 0 ? double.NaN : delays[(int)(delays.Count * 0.99)]);
    }

    /// <summary>A dash stands for a share of nothing: not even sent.</summary>
    private static double Number(Group text) =>
        text.ValueSpan is "-" ? 100 : double.Parse(text.ValueSpan, CultureInfo.InvariantCulture);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^Rate: ([\d.e+]+)", RegexOptions.Multiline)]
    private static partial Regex ExchangeRate();

    [GeneratedRegex(@"drops ratio: (-|[\d.e+-]+)", RegexOptions.Multiline)]
    private static partial Regex DropRatio();

    [GeneratedRegex(@"^sent / received: ([\d.]+) / ([\d.]+)", RegexOptions.Multiline)]
    private static partial Regex Times();
}
