namespace Bramble.BootBench;

/// <summary>
/// DHCP: one server at a time, as they share a port; each with leases that it keeps on disk. First how fast it answers
/// at a rate that all keep up with, then the highest rate at which no more than 1 % of the exchanges stay without an
/// end for a second.
/// </summary>
internal sealed class DhcpBench(BenchNetwork network, Servers servers, Table table, int rounds, bool quick)
{
    private const int EasyRate = 1000;
    private const double Step = 1.25;

    private static readonly string[] s_servers = [Servers.Brambled, "kea", "dnsmasq"];

    public async Task RunAsync()
    {
        for (var round = 0; round < rounds; round++)
            foreach (var name in s_servers) await MeasureAsync(name, round);
    }

    private async Task MeasureAsync(string name, int round)
    {
        Console.Error.WriteLine($"round {round + 1} of {rounds}: DHCP, {name}");
        await using var server = servers.Start(name, dhcp: true);
        var address = Servers.Address(name);
        await server.ReadyAsync(async () => (await DhcpLoad.RunAsync(network, address, 50, 1)).DropPercent < 50);
        // Warm: caches filled and, of ours, the code compiled. What is measured is a server that has run for a while.
        await DhcpLoad.RunAsync(network, address, name == "dnsmasq" ? 200 : EasyRate, 5);
        var before = server.CpuSeconds();
        var seconds = quick ? 5 : DhcpLoad.Clients / EasyRate;
        var easy = await DhcpLoad.RunAsync(network, address, EasyRate, seconds);
        var cpu = server.CpuSeconds() - before;
        table.Add("DHCP, 1,000 exchanges/s offered", "p99 ms", false, name, easy.P99Milliseconds,
            easy.DropPercent > 1 ? $"{easy.DropPercent:0}% lost" : "");
        table.Add("DHCP, 1,000 exchanges/s offered", "CPU ms/exchange", false, name,
            1000 * cpu / Math.Max(1, easy.Rate * seconds));
        var best = 0.0;
        var failures = 0;
        for (double rate = name == "dnsmasq" ? EasyRate / 2.0 : 2 * EasyRate; rate < 60_000; rate *= Step)
        {
            var result = await DhcpLoad.RunAsync(network, address, (int)rate, quick ? 2 : 4);
            Console.Error.WriteLine($"  {rate:0}/s: {result.Rate:0} done, {result.DropPercent:0.0} % lost,"
                + $" p99 {result.P99Milliseconds:0.0} ms");
            if (result.DropPercent <= 1) best = Math.Max(best, result.Rate);
            // Once may have been the machine's other work.
            else if (++failures == 2) break;
        }
        table.Add("DHCP, 10,000 clients", "exchanges/s", true, name, best);
        table.Add("DHCP, 10,000 clients", "memory MiB", false, name, server.Memory() / 1048576.0);
    }
}
