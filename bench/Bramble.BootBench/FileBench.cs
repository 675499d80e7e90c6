using System.Text.Json;
using Bramble.Processes;

namespace Bramble.BootBench;

/// <summary>TFTP and HTTP: all servers run, and each in turn is asked for the same, round by round.</summary>
/// <param name="only">Of the loads, those in whose name this is.</param>
internal sealed class FileBench(
    BenchNetwork network, Servers servers, Table table, int rounds, bool quick, string only)
{
    private static readonly string[] s_tftpServers = [Servers.Brambled, "dnsmasq", "tftpd-hpa", "atftpd"];
    private static readonly string[] s_httpServers = [Servers.Brambled, "nginx"];

    private sealed record Load(string Kind, string What, int Clients, int Fetches, int WindowSize);

    private static int TftpFileSize => 8 << 20;

    private static int HttpFileSize => 64 << 20;

    public async Task RunAsync(bool tftp, bool http)
    {
        var loads = new List<Load>();
        int few = quick ? 1 : 4, many = quick ? 1 : 2;
        if (tftp)
        {
            loads.Add(new Load("tftp", "TFTP, lock step, 1 client", 1, 2 * few, 1));
            loads.Add(new Load("tftp", "TFTP, lock step, 8 clients", 8, many, 1));
            loads.Add(new Load("tftp", "TFTP, lock step, 48 clients", 48, 1, 1));
            loads.Add(new Load("tftp", "TFTP, window 64, 1 client", 1, 8 * few, 64));
            loads.Add(new Load("tftp", "TFTP, window 64, 8 clients", 8, 2 * many, 64));
            loads.Add(new Load("tftp", "TFTP, window 64, 48 clients", 48, many, 64));
        }
        if (http)
        {
            loads.Add(new Load("http", "HTTP, 1 client", 1, 8 * few, 0));
            loads.Add(new Load("http", "HTTP, 48 clients", 48, many, 0));
        }
        loads.RemoveAll(load => !load.What.Contains(only, StringComparison.Ordinal));
        Directory.CreateDirectory(servers.Root);
        Put(Servers.TftpFile, TftpFileSize);
        Put(Servers.HttpFile, HttpFileSize);
        var running = new List<Server>();
        try
        {
            foreach (var name in (tftp ? s_tftpServers : []).Union(http ? s_httpServers : []))
                running.Add(servers.Start(name, dhcp: false));
            // Each answers, and what it answers is right.
            foreach (var load in loads)
                foreach (var server in Of(load, running))
                    await server.ReadyAsync(() => TryAsync(server, load with { Fetches = 1 }));
            for (var round = 0; round < rounds; round++)
            {
                foreach (var load in loads)
                {
                    Console.Error.WriteLine($"round {round + 1} of {rounds}: {load.What}");
                    foreach (var server in Of(load, running)) await MeasureAsync(server, load);
                }
            }
        }
        finally
        {
            foreach (var server in running) await server.DisposeAsync();
        }
    }

    private static IEnumerable<Server> Of(Load load, List<Server> running) =>
        running.Where(s => (load.Kind == "tftp" ? s_tftpServers : s_httpServers).Contains(s.Name));

    private async Task MeasureAsync(Server server, Load load)
    {
        var before = server.CpuSeconds();
        var running = LoadAsync(server, load, verify: false);
        var memory = 0L;
        while (!running.IsCompleted)
        {
            if (memory == 0 && load.Clients == BenchNetwork.MaxClients) memory = server.Memory();
            await Task.WhenAny(running, Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System));
        }
        var result = await running;
        // What ends a moment after the last packet is counted too.
        await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        var cpu = server.CpuSeconds() - before;
        var remark = load.WindowSize > 1 && result.Window != load.WindowSize ? $"window {result.Window}" : "";
        table.Add(load.What, "MB/s", true, server.Name, result.MegabytesPerSecond, remark);
        table.Add(load.What, "CPU ms/transfer", false, server.Name, 1000 * cpu / (load.Clients * load.Fetches));
        if (memory > 0) table.Add(load.What, "memory MiB", false, server.Name, memory / 1048576.0);
        if (result.Retries > 0) Console.Error.WriteLine($"  {server.Name}: {result.Retries} asked again");
    }

    private async Task<bool> TryAsync(Server server, Load load)
    {
        try
        {
            await LoadAsync(server, load, verify: true);
            return true;
        }
        catch (InvalidOperationException e) when (e.Message.Contains("refused", StringComparison.OrdinalIgnoreCase))
        {
            return false; // not up yet
        }
    }

    private async Task<LoadResult> LoadAsync(Server server, Load load, bool verify)
    {
        var isTftp = load.Kind == "tftp";
        var options = new LoadOptions
        {
            Server = Servers.Address(server.Name),
            Port = isTftp ? 69 : Servers.HttpPort(server.Name),
            Path = isTftp ? Servers.TftpFile : Servers.HttpPath(server.Name),
            Clients = load.Clients,
            Fetches = load.Fetches,
            WindowSize = load.WindowSize,
            Verify = verify ? Path.Combine(servers.Root, isTftp ? Servers.TftpFile : Servers.HttpFile) : null,
        };
        string[] pin = Environment.ProcessorCount > 1 ? ["taskset", "-c", "1"] : [];
        var result = await ChildProcess.RunAsync("ip",
            ["netns", "exec", network.Clients, .. pin, Environment.ProcessPath!, "load", load.Kind,
                JsonSerializer.Serialize(options)], timeout: TimeSpan.FromMinutes(2));
        if (!result.Succeeded)
            throw new InvalidOperationException($"{server.Name}, {load.What}: {result.Errors.Trim()}");
        return LoadResult.Parse(result.Output.Trim());
    }

    private void Put(string name, int size)
    {
        var octets = new byte[size];
        new Random(size).NextBytes(octets);
        var path = Path.Combine(servers.Root, name);
        File.WriteAllBytes(path, octets);
        // As a file that has lain there for a while.
        File.SetLastWriteTimeUtc(path, DateTime.UnixEpoch.AddYears(50));
    }
}
