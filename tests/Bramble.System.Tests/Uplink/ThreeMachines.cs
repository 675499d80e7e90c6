using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Bramble.Processes;
using Bramble.System.Tests.Rack;
using Bramble.Testing;

namespace Bramble.System.Tests.Uplink;

/// <summary>
/// A board, a manager with the real brambled, and the Internet, which knows no way back to the board's network: three
/// network namespaces and two cables.
/// </summary>
internal sealed class ThreeMachines : IAsyncDisposable
{
    public const string BoardMac = "b8:27:eb:00:00:01";
    public const string FarAddress = "198.51.100.1";
    public const string UplinkAddress = "192.0.2.1";

    private static readonly TimeSpan ToolLimit = TimeSpan.FromSeconds(20);

    private readonly string _directory = Directory.CreateTempSubdirectory("bramble-uplink-").FullName;
    private Process? _brambled;
    private Process? _farNames;

    private ThreeMachines(NetNamespace board, NetNamespace manager, NetNamespace internet) =>
        (Board, Manager, Internet) = (board, manager, internet);

    public static string? Unavailable => NetNamespace.Unavailable
        ?? (new[] { "nft", "ping", "dig", "busybox", "dnsmasq" }.FirstOrDefault(tool =>
            !new[] { "/usr/bin", "/usr/sbin", "/bin", "/sbin" }.Any(d => File.Exists(Path.Combine(d, tool))))
            is { } missing ? $"needs {missing}" : null);

    public NetNamespace Board { get; }

    public NetNamespace Manager { get; }

    public NetNamespace Internet { get; }

    public ConcurrentQueue<string> Log { get; } = new();

    /// <param name="network">Further keys of the network, such as <c>gateway: {uplink: eth0}</c>.</param>
    /// <param name="uplink">What the manager's interface to the Internet is called.</param>
    public static async Task<ThreeMachines> StartAsync(string network, string uplink = "eth0")
    {
        var machines = new ThreeMachines(
            await NetNamespace.CreateAsync(), await NetNamespace.CreateAsync(), await NetNamespace.CreateAsync());
        try
        {
            await machines.CableAsync(uplink);
            await File.WriteAllTextAsync(machines.ConfigFile,
                $$"""
                state: {{machines._directory}}/state
                api: {listen: ["unix:{{machines._directory}}/api.sock"]}
                dns: {forward: [{{FarAddress}}]}
                networks:
                  - name: rack
                    interface: eth1
                    address: 10.77.0.1/24
                    dhcp: {pool: 10.77.0.100-10.77.0.199, mode: authoritative}
                    {{network}}
                nodes: [{mac: "{{BoardMac}}", name: pi-01}]
                """);
            await machines.StartManagerAsync();
            return machines;
        }
        catch
        {
            await machines.DisposeAsync();
            throw;
        }
    }

    private string ConfigFile => Path.Combine(_directory, "bramble.yaml");

    public async Task StartManagerAsync()
    {
        var before = Log.Count;
        _brambled = Programs.StartIn(Manager.Name, Log, "brambled", "--config", ConfigFile);
        await Patience.UntilAsync(
            () => Log.Skip(before).Any(line => line.Contains("is up", StringComparison.Ordinal)) || _brambled.HasExited,
            "brambled's start");
        Assert.False(_brambled.HasExited, string.Join('\n', Log));
    }

    /// <summary>As systemd stops it.</summary>
    public async Task StopManagerAsync()
    {
        await ChildProcess.RunAsync("kill", ["-TERM", $"{_brambled!.Id}"]);
        await _brambled.WaitForExitAsync().WithinAsync("brambled's end");
        Assert.Equal(0, _brambled.ExitCode);
    }

    /// <summary>As <c>kill -9</c>.</summary>
    public async Task KillManagerAsync()
    {
        ChildProcess.Kill(_brambled!);
        await _brambled!.WaitForExitAsync().WithinAsync("brambled's end");
    }

    /// <summary>A name server out there.</summary>
    public void StartFarNames() => _farNames = ChildProcess.Start("ip",
    [
        "netns", "exec", Internet.Name, "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv",
        "--no-hosts", "--pid-file=", "--user=root", "--local=/example.org/", "--local-ttl=60",
        "--host-record=www.example.org,192.0.2.80",
    ]);

    /// <summary>Gets the board an address from the manager; returns what it was told.</summary>
    public async Task<string> LeaseAsync()
    {
        var script = Path.Combine(_directory, "udhcpc.sh");
        var told = Path.Combine(_directory, "told");
        await File.WriteAllTextAsync(script, $"""
            #!/bin/sh
            [ "$1" = bound ] || exit 0
            ip address add "$ip/$mask" dev "$interface"
            [ -z "$router" ] || ip route add default via "$router"
            env > {told}

            """);
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var result = await Board.ExecAsync(ToolLimit, "busybox", "udhcpc", "-i", "eth0", "-n", "-q", "-f", "-t", "8",
            "-T", "1", "-O", "domain", "-s", script);
        Assert.True(result.ExitCode == 0, result.Output + result.Errors + string.Join('\n', Log));
        return await File.ReadAllTextAsync(told);
    }

    public async Task<bool> PingAsync(NetNamespace from, string to) =>
        (await from.ExecAsync(ToolLimit, "ping", "-n", "-c", "1", "-W", "1", to)).ExitCode == 0;

    public async Task<string> DigAsync(params string[] arguments) =>
        (await Board.ExecAsync(ToolLimit, "dig", ["@10.77.0.1", "+tries=2", "+timeout=3", .. arguments])).Output;

    /// <summary>Connects from the board to a server out there; returns the address that this one sees.</summary>
    public async Task<string> SeenFromFarAsync()
    {
        using var listener = Internet.Run(() =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.Parse(FarAddress), 8080));
            socket.Listen(1);
            return socket;
        });
        using var client = Board.Run(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        await client.ConnectAsync(IPAddress.Parse(FarAddress), 8080).WithinAsync("the connection to the Internet");
        using var server = await listener.AcceptAsync().WithinAsync("the connection's arrival");
        return ((IPEndPoint)server.RemoteEndPoint!).Address.ToString();
    }

    public async Task<string> RulesAsync() => (await Manager.ExecAsync(ToolLimit, "nft", "list", "ruleset")).Output;

    public async Task<string> ForwardingAsync(string face) =>
        (await Manager.ExecAsync(ToolLimit, "cat", $"/proc/sys/net/ipv4/conf/{face}/forwarding")).Output.Trim();

    public async ValueTask DisposeAsync()
    {
        foreach (var process in new[] { _brambled, _farNames })
        {
            if (process is null) continue;
            ChildProcess.Kill(process);
            await process.WaitForExitAsync().WithinAsync("a program's end");
            process.Dispose();
        }
        foreach (var machine in new[] { Board, Manager, Internet }) await machine.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    private async Task CableAsync(string uplink)
    {
        await Manager.ConnectAsync("eth1", Board, "eth0", BoardMac);
        await Manager.ConnectAsync(uplink, Internet, "eth0");
        await Manager.InsideAsync("address", "add", "10.77.0.1/24", "dev", "eth1");
        await Manager.InsideAsync("address", "add", $"{UplinkAddress}/24", "dev", uplink);
        await Internet.InsideAsync("address", "add", "192.0.2.2/24", "dev", "eth0");
        await Internet.InsideAsync("address", "add", $"{FarAddress}/32", "dev", "lo");
        await Manager.InsideAsync("route", "add", "default", "via", "192.0.2.2");
        // A namespace takes the host's own settings over.
        await Manager.ExecAsync(ToolLimit, "sh", "-c", "echo 0 > /proc/sys/net/ipv4/ip_forward");
    }
}
