using System.Diagnostics;
using System.Runtime.Versioning;
using Bramble.Boot.Dhcp;
using Bramble.Processes;
using Bramble.Testing;
using Bramble.Wire;
using Bramble.Wire.Dhcp;
using Microsoft.Extensions.Logging.Abstractions;
using static Bramble.Boot.Tests.Dhcp.Nets;

namespace Bramble.Boot.Tests.Dhcp;

/// <summary>
/// The real server beside a real relay, a real second server and clients of other makes, in namespaces of its own.
/// </summary>
[SupportedOSPlatform("linux")]
public sealed class DhcpRealPeerTests : IAsyncLifetime
{
    private const string BoardMac = "02:00:00:00:00:01";

    private static readonly TimeSpan ClientLimit = TimeSpan.FromSeconds(20);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private readonly CancellationTokenSource _end = new();
    private readonly FakeStore _store = new();
    private readonly FakeDirectory _directory = new();
    private readonly List<NetNamespace> _spaces = [];
    private readonly List<Process> _programs = [];
    private readonly string _files = Directory.CreateTempSubdirectory("dhcp-peer-").FullName;
    private NetNamespace _manager = null!;
    private DhcpServer? _server;
    private Task _running = Task.CompletedTask;

    public async ValueTask InitializeAsync()
    {
        if (NetNamespace.Unavailable is { } why) Assert.Skip(why);
        _manager = await SpaceAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var program in _programs)
        {
            ChildProcess.Kill(program);
            program.Dispose();
        }
        // One that went into the background and whose test failed.
        if (File.Exists(Path.Combine(_files, "pid"))
            && int.TryParse(File.ReadAllText(Path.Combine(_files, "pid")), out var background)
            && File.Exists($"/proc/{background}/comm")
            && File.ReadAllText($"/proc/{background}/comm").Trim() == "dhclient")
            await ChildProcess.RunAsync("kill", [$"{background}"], timeout: ClientLimit);
        await _end.CancelAsync();
        await _running.WithinAsync("the end of the DHCP server and its committer");
        foreach (var space in _spaces) await space.DisposeAsync();
        Directory.Delete(_files, recursive: true);
        _end.Dispose();
    }

    [Fact]
    public async Task A_client_behind_a_real_relay_boots_renews_and_gives_its_address_back()
    {
        NeedProgram("dhcrelay");
        NeedProgram("dhclient");
        var (relay, board) = (await SpaceAsync(), await SpaceAsync());
        await _manager.ConnectAsync("eth0", relay, "north");
        await relay.ConnectAsync("south", board, "eth0", BoardMac);
        await _manager.InsideAsync("address", "add", "10.77.0.1/24", "dev", "eth0");
        await relay.InsideAsync("address", "add", "10.77.0.254/24", "dev", "north");
        await relay.InsideAsync("address", "add", "10.1.0.254/24", "dev", "south");
        await _manager.InsideAsync("route", "add", "10.1.0.0/24", "via", "10.77.0.254");
        await relay.ExecAsync(ClientLimit, "sysctl", "-qw", "net.ipv4.ip_forward=1");
        var annex = new DhcpNetwork
        {
            Name = "annex",
            Interface = "eth0",
            Server = Rack.Server,
            Relayed = IPv4Prefix.Parse("10.1.0.0/24"),
            Pools = [new AddressRange(IPv4Address.Parse("10.1.0.10"), IPv4Address.Parse("10.1.0.20"))],
            Router = IPv4Address.Parse("10.1.0.254"),
            LeaseTime = TimeSpan.FromSeconds(6),
            // The relay (-a) names the interface that the client hangs at.
            Classes = [new DhcpClass("south", new DhcpMatch { CircuitId = "south"u8.ToArray() }, new DhcpOptionSet(
                "class south", [new DhcpOptionRule(DhcpOption.DomainName, "south.example"u8.ToArray())]))],
        };
        Start(Rack, annex);
        Launch(relay, "dhcrelay", "-4", "-d", "-a", "-id", "south", "-iu", "north", "10.77.0.1");

        var told = Path.Combine(_files, "told");
        var script = Script($"""
            case "$reason" in
            BOUND) ip address add "$new_ip_address/24" dev "$interface"; ip route add default via "$new_routers";;
            RENEW) ;;
            *) exit 0;;
            esac
            env >> {told}
            """);
        string[] files = ["-lf", Path.Combine(_files, "leases"), "-pf", Path.Combine(_files, "pid"), "-sf", script];
        var result = await board.ExecAsync(ClientLimit, "dhclient", ["-4", "-1", .. files, "eth0"]);
        Assert.True(File.Exists(told), $"dhclient got no lease: {result.Output}{result.Errors}");
        var environment = await File.ReadAllTextAsync(told, Cancellation);
        Assert.Contains("new_ip_address=10.1.0.10", environment);
        Assert.Contains("new_routers=10.1.0.254", environment);
        Assert.Contains("new_dhcp_server_identifier=10.77.0.1", environment);
        Assert.Contains("new_domain_name=south.example", environment);
        var lease = Assert.Single(_store.Load());
        Assert.Equal(("annex", BoardMac), (lease.Network, lease.Mac.ToString()));

        // A renewal goes past the relay, from the client's address to ours and back.
        await Patience.UntilAsync(
            () => File.ReadAllText(told).Contains("reason=RENEW", StringComparison.Ordinal), "dhclient has renewed");
        Assert.Equal(IPv4Address.Parse("10.1.0.10"), Assert.Single(_store.Load()).Address);

        // So does a RELEASE.
        await board.ExecAsync(ClientLimit, "dhclient", ["-4", "-r", .. files, "eth0"]);
        await Patience.UntilAsync(() => _store.Load() is [{ State: LeaseState.Released }], "RELEASE has been stored");
    }

    [Fact]
    public async Task A_real_second_server_is_heard_and_named()
    {
        NeedProgram("dnsmasq");
        var (other, network) = (await SpaceAsync(), await BridgeAsync());
        await PlugAsync(network, other, "10.77.0.9/24", "52:54:00:00:00:09");
        await PlugAsync(network, _manager, "10.77.0.1/24");
        Launch(other, "dnsmasq", "--keep-in-foreground", "--port=0", "--interface=eth0", "--no-ping",
            "--dhcp-range=10.77.0.30,10.77.0.40,1h", "--conf-file=/dev/null", "--user=root",
            $"--dhcp-leasefile={_files}/dnsmasq.leases", $"--pid-file={_files}/dnsmasq.pid",
            $"--log-facility={_files}/dnsmasq.log");
        await Patience.UntilAsync(() => File.Exists($"{_files}/dnsmasq.log") && File.ReadAllText(
            $"{_files}/dnsmasq.log").Contains("started", StringComparison.Ordinal), "dnsmasq is up");
        var notice = new TaskCompletionSource<DhcpNotice>(TaskCreationOptions.RunContinuationsAsynchronously);
        Start(Rack, noticed: n => notice.TrySetResult(n));
        var heard = await notice.Task.WithinAsync("the other server");
        Assert.Equal(DhcpNoticeKind.OtherServer, heard.Kind);
        Assert.Contains("10.77.0.9 (52:54:00:00:00:09)", heard.Message);
        var listed = Assert.Single(_server!.Snapshot().OtherServers);
        Assert.Equal(("10.77.0.9", "52:54:00:00:00:09"), (listed.Address.ToString(), listed.Mac.ToString()));
        // Its question was a DISCOVER and nothing more: it took no lease, and our own server never heard it.
        Assert.DoesNotContain("DHCPREQUEST", await File.ReadAllTextAsync($"{_files}/dnsmasq.log", Cancellation));
        Assert.Equal(0, _server.Snapshot().Received);
    }

    [Theory]
    [InlineData(AddressProbe.Arp)]
    [InlineData(AddressProbe.Icmp)]
    public async Task An_address_that_a_real_machine_uses_is_not_offered(AddressProbe probe)
    {
        NeedProgram("busybox");
        var (squatter, board, network) = (await SpaceAsync(), await SpaceAsync(), await BridgeAsync());
        await PlugAsync(network, squatter, "10.77.0.100/24");
        await PlugAsync(network, board, null, BoardMac);
        await PlugAsync(network, _manager, "10.77.0.1/24");
        Start(Rack with { Probe = probe, ProbeTimeout = TimeSpan.FromMilliseconds(500) });
        var told = Path.Combine(_files, "told");
        var script = Script($"[ \"$1\" = bound ] && env > {told}");
        var result = await board.ExecAsync(ClientLimit, "busybox", "udhcpc", "-i", "eth0", "-n", "-q", "-f", "-t", "5",
            "-T", "2", "-s", script);
        Assert.True(File.Exists(told), $"udhcpc got no lease: {result.Output}{result.Errors}");
        Assert.Contains("ip=10.77.0.101", await File.ReadAllTextAsync(told, Cancellation));
        var declined = _store.Load().Single(l => l.State == LeaseState.Declined);
        Assert.Equal(Address(100), declined.Address);
    }

    [Fact]
    public async Task Systemd_networkd_gets_routes_search_list_and_name()
    {
        const string program = "/lib/systemd/systemd-networkd";
        if (!File.Exists(program)) Assert.Skip("needs systemd-networkd");
        var board = await SpaceAsync();
        await _manager.ConnectAsync("eth0", board, "eth0", BoardMac);
        await _manager.InsideAsync("address", "add", "10.77.0.1/24", "dev", "eth0");
        Assert.True(DhcpOptionValue.TryEncode(DhcpOptionType.Routes,
            ["10.99.0.0/16 via 10.77.0.253", "default via 10.77.0.252"], out var routes, out _));
        Assert.True(DhcpOptionValue.TryEncode(
            DhcpOptionType.DomainList, ["a.rack.example", "rack.example"], out var domains, out _));
        _directory.Plan = _ => new BoardPlan(Admission.Serve) { HostName = "shelf-3", Reserved = Address(42) };
        Start(Rack with
        {
            Options = new DhcpOptionSet("network rack",
            [
                new DhcpOptionRule(DhcpOption.ClasslessStaticRoutes, routes),
                new DhcpOptionRule(DhcpOption.DomainSearch, domains),
                new DhcpOptionRule(DhcpOption.InterfaceMtu, new byte[] { 0x05, 0x78 }),
            ]),
        });
        await File.WriteAllTextAsync(Path.Combine(_files, "10.network"), """
            [Match]
            Name=eth0
            [Network]
            DHCP=ipv4
            LinkLocalAddressing=no
            [DHCPv4]
            UseDomains=yes
            UseMTU=yes
            """, Cancellation);
        // It keeps its state in /run and, where /sys can be written to, waits for a udev that is not there.
        Launch(board, "unshare", "-m", "sh", "-c", $"""
            mount -t tmpfs run /run && mkdir -p /run/systemd/network /run/systemd/netif
            cp {_files}/10.network /run/systemd/network/ && chown -R systemd-network: /run/systemd/netif
            mount -o remount,ro,bind /sys
            (while sleep 0.2; do cp /run/systemd/netif/leases/* {_files}/lease 2>/dev/null; done) &
            exec {program}
            """);
        await UntilAsync(async () => (await board.InsideAsync("route")).Contains("10.99.0.0/16 via 10.77.0.253"),
            "networkd has its routes");
        var table = await board.InsideAsync("route");
        Assert.Contains("default via 10.77.0.252", table);
        // RFC 3442: who takes option 121 ignores the router of option 3.
        Assert.DoesNotContain("10.77.0.254", table);
        Assert.Contains("inet 10.77.0.42/24", await board.InsideAsync("address", "show", "dev", "eth0"));
        await UntilAsync(async () => (await board.InsideAsync("link", "show", "dev", "eth0")).Contains("mtu 1400"),
            "networkd has set the MTU");
        var lease = Path.Combine(_files, "lease");
        await Patience.UntilAsync(() => File.Exists(lease)
            && File.ReadAllText(lease).Contains("DOMAIN_SEARCH_LIST", StringComparison.Ordinal), "its lease");
        var kept = await File.ReadAllTextAsync(lease, Cancellation);
        Assert.Contains("DOMAIN_SEARCH_LIST=a.rack.example rack.example", kept);
        Assert.Contains("HOSTNAME=shelf-3", kept);
        Assert.Contains("NTP=10.77.0.1", kept);
        // RFC 4361: it calls itself by a DUID, which comes back (RFC 6842) and is kept.
        Assert.StartsWith("ff", Assert.Single(_store.Load()).ClientId);
    }

    [Fact]
    public async Task Nmaps_discovery_understands_the_offer()
    {
        NeedProgram("nmap");
        var board = await SpaceAsync();
        await _manager.ConnectAsync("eth0", board, "eth0", BoardMac);
        await _manager.InsideAsync("address", "add", "10.77.0.1/24", "dev", "eth0");
        // It needs some address to begin with.
        await board.InsideAsync("address", "add", "10.77.0.222/24", "dev", "eth0");
        Start(Rack);
        var result = await board.ExecAsync(TimeSpan.FromSeconds(60), "nmap", "-n", "--script",
            "broadcast-dhcp-discover", "-e", "eth0");
        Assert.Contains("DHCP Message Type: DHCPOFFER", result.Output);
        Assert.Contains("IP Offered: 10.77.0.1", result.Output);
        Assert.Contains("Server Identifier: 10.77.0.1", result.Output);
        Assert.Contains("Subnet Mask: 255.255.255.0", result.Output);
        Assert.Contains("Router: 10.77.0.254", result.Output);
        Assert.Contains("Domain Name: rack.example", result.Output);
    }

    private void Start(DhcpNetwork network, DhcpNetwork? relayed = null, Action<DhcpNotice>? noticed = null)
    {
        var leases = new LeaseTable(TimeProvider.System);
        var committer = new LeaseCommitter(
            _store, leases, TimeProvider.System, NullLogger<LeaseCommitter>.Instance);
        _server = new DhcpServer(network, relayed is null ? [] : [relayed], _directory, leases, committer,
            TimeProvider.System, NullLogger<DhcpServer>.Instance, new DhcpWires(
                (net, port) => _manager.Run(() => DhcpWires.Real.Open(net, port)),
                (net, kind) => _manager.Run(() => DhcpWires.OpenRealProbe(net, kind)),
                net => _manager.Run(() => DhcpWires.Real.OpenLink!(net))));
        if (noticed is not null) _server.Noticed += noticed;
        _running = Task.WhenAll(committer.RunAsync(_end.Token), _server.RunAsync(_end.Token));
    }

    private async Task<NetNamespace> SpaceAsync()
    {
        var space = await NetNamespace.CreateAsync();
        _spaces.Add(space);
        return space;
    }

    private int _plugs;

    /// <summary>A switch.</summary>
    private async Task<NetNamespace> BridgeAsync()
    {
        var space = await SpaceAsync();
        await space.InsideAsync("link", "add", "br0", "type", "bridge");
        await space.InsideAsync("link", "set", "br0", "up");
        return space;
    }

    private async Task PlugAsync(NetNamespace bridge, NetNamespace space, string? address, string? mac = null)
    {
        var port = $"p{++_plugs}";
        await bridge.ConnectAsync(port, space, "eth0", mac);
        await bridge.InsideAsync("link", "set", port, "master", "br0");
        if (address is not null) await space.InsideAsync("address", "add", address, "dev", "eth0");
    }

    private void Launch(NetNamespace space, string program, params string[] arguments)
    {
        var process = ChildProcess.Start("ip", ["netns", "exec", space.Name, program, .. arguments]);
        _programs.Add(process);
        // Read to the end, or it would stand still once the pipe is full.
        _ = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        _ = process.StandardError.ReadToEndAsync(CancellationToken.None);
    }

    private static async Task UntilAsync(Func<Task<bool>> holds, string what)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!await holds())
        {
            if (TimeProvider.System.GetElapsedTime(started) > Patience.Limit)
                throw new TimeoutException($"{what}: did not come within {Patience.Limit.TotalSeconds} s");
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        }
    }

    private string Script(string body)
    {
        var path = Path.Combine(_files, "script");
        File.WriteAllText(path, $"#!/bin/sh\n{body}\nexit 0\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }

    private static void NeedProgram(string name)
    {
        string[] places = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"];
        if (!places.Any(place => File.Exists(Path.Combine(place, name)))) Assert.Skip($"needs {name}");
    }
}
