using System.Globalization;
using Bramble.Processes;

namespace Bramble.BootBench;

/// <summary>Two machines on one cable: namespaces joined by a veth pair. Removed at the end with all in it.</summary>
internal sealed class BenchNetwork : IAsyncDisposable
{
    public const string Interface = "rack0";
    public const int MaxClients = 48;

    private const string Prefix = "bmbench";

    private readonly string _name = $"{Prefix}{Environment.ProcessId}";

    public string Servers => _name + "s";

    public string Clients => _name + "c";

    /// <summary>Servers have addresses of their own, so that all may run on port 69.</summary>
    public static string ServerAddress(int index) => $"10.78.0.{index + 1}";

    public static string ClientAddress(int index) =>
        string.Create(CultureInfo.InvariantCulture, $"10.78.1.{index + 1}");

    public static async Task<BenchNetwork> CreateAsync()
    {
        await SweepAsync();
        var network = new BenchNetwork();
        try
        {
            await IpAsync($"netns add {network.Servers}");
            await IpAsync($"netns add {network.Clients}");
            await IpAsync($"link add {Interface} netns {network.Servers} type veth"
                + $" peer name {Interface} netns {network.Clients}");
            foreach (var space in (string[])[network.Servers, network.Clients])
            {
                await IpAsync($"-n {space} link set lo up");
                await IpAsync($"-n {space} link set {Interface} up");
            }
            for (var i = 0; i < 8; i++)
                await IpAsync($"-n {network.Servers} address add {ServerAddress(i)}/16 dev {Interface}");
            for (var i = 0; i < MaxClients; i++)
                await IpAsync($"-n {network.Clients} address add {ClientAddress(i)}/16 dev {Interface}");
            return network;
        }
        catch
        {
            await network.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var space in (string[])[Servers, Clients])
            await ChildProcess.RunAsync("ip", ["netns", "delete", space], timeout: TimeSpan.FromSeconds(10));
    }

    /// <summary>Removes what runs left behind that were killed.</summary>
    private static async Task SweepAsync()
    {
        var left = Directory.Exists("/run/netns") ? Directory.GetFiles("/run/netns", Prefix + "*") : [];
        foreach (var name in left.Select(Path.GetFileName))
        {
            if (Directory.Exists("/proc/" + name![Prefix.Length..^1])) continue;
            await Server.SweepAsync(name);
            await ChildProcess.RunAsync("ip", ["netns", "delete", name], timeout: TimeSpan.FromSeconds(10));
        }
    }

    private static async Task IpAsync(string arguments)
    {
        var result = await ChildProcess.RunAsync("ip", arguments.Split(' '), timeout: TimeSpan.FromSeconds(10));
        if (!result.Succeeded) throw new InvalidOperationException($"ip {arguments}: {result.Complaint}");
    }
}
