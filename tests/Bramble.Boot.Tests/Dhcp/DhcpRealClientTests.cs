using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Bramble.Boot.Dhcp;
using Bramble.Testing;
using Bramble.Testing.Dhcp;
using Bramble.Wire;
using Bramble.Wire.Dhcp;
using Microsoft.Extensions.Logging.Abstractions;
using static Bramble.Boot.Tests.Dhcp.Nets;

namespace Bramble.Boot.Tests.Dhcp;

/// <summary>The real server, sockets and all, and real clients, in network namespaces of the test's own.</summary>
[SupportedOSPlatform("linux")]
public sealed class DhcpRealClientTests : IAsyncLifetime
{
    private const string Mac1 = "02:00:00:00:00:01";

    private static readonly TimeSpan ClientLimit = TimeSpan.FromSeconds(15);

    private readonly CancellationTokenSource _end = new();
    private readonly FakeStore _store = new();
    private readonly FakeDirectory _directory = new();
    private readonly string _files = Directory.CreateTempSubdirectory("dhcp-").FullName;
    private LeaseTable _leases = null!;
    private NetNamespace _manager = null!;
    private NetNamespace _board = null!;
    private Task _running = Task.CompletedTask;

    public async ValueTask InitializeAsync()
    {
        if (NetNamespace.Unavailable is { } why) Assert.Skip(why);
        _manager = await NetNamespace.CreateAsync();
        _board = await NetNamespace.CreateAsync();
        await _manager.ConnectAsync("eth0", _board, "eth0", Mac1);
        await _manager.InsideAsync("address", "add", "10.77.0.1/24", "dev", "eth0");
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _running.WithinAsync("the end of the DHCP server and its committer");
        if (_board is not null) await _board.DisposeAsync();
        if (_manager is not null) await _manager.DisposeAsync();
        Directory.Delete(_files, recursive: true);
        _end.Dispose();
    }

    [Fact]
    public async Task Udhcpc_gets_an_address_and_all_that_it_asks_for()
    {
        NeedProgram("busybox");
        Start(Rack);
        var told = await ClientAsync("busybox", "udhcpc", "-i", "eth0", "-n", "-q", "-f", "-t", "5", "-T", "1",
            "-s", Script("""[ "$1" = bound ] && ip address add "$ip/$mask" dev "$interface" && env > """));
        Assert.Contains("ip=10.77.0.100", told);
        Assert.Contains("mask=24", told);
        Assert.Contains("router=10.77.0.254", told);
        Assert.Contains("dns=10.77.0.2 10.77.0.3", told);
        Assert.Contains("domain=rack.example", told);
        Assert.Contains("lease=3600", told);
        Assert.Contains("serverid=10.77.0.1", told);
        Assert.Equal(Address(100), Assert.Single(_store.Load()).Address);
    }

    [Fact]
    public async Task Dhclient_gets_its_reservation_and_gives_it_back()
    {
        NeedProgram("dhclient");
        _directory.Plan = _ => new BoardPlan(Admission.Serve) { Reserved = Address(42), HostName = "node7" };
        Start(Rack);
        var script = Script(
            """[ "$reason" = BOUND ] && ip address add "$new_ip_address/24" dev "$interface" && env > """);
        string[] files = ["-lf", Path.Combine(_files, "leases"), "-pf", Path.Combine(_files, "pid"), "-sf", script];
        var told = await ClientAsync("dhclient", ["-4", "-1", .. files, "eth0"]);
        Assert.Contains("new_ip_address=10.77.0.42", told);
        Assert.Contains("new_host_name=node7", told);
        Assert.Contains("new_domain_name_servers=10.77.0.2 10.77.0.3", told);
        Assert.Contains("new_dhcp_lease_time=3600", told);
        Assert.True(_leases.TryFind(Address(42), out var lease));
        Assert.Equal(Mac1, lease.Mac.ToString());
        await _board.ExecAsync(ClientLimit, "dhclient", ["-4", "-r", .. files, "eth0"]);
        await Patience.UntilAsync(() => _store.Load() is [{ State: LeaseState.Released }], "RELEASE has been stored");
    }

    [Fact]
    public async Task A_3Bs_boot_ROM_is_answered_by_broadcast_and_its_neighbour_entry_is_pinned()
    {
        Start(Rack with { Pi3OfferDelay = TimeSpan.FromMilliseconds(50) });
        using var rom = RomSocket();
        var offer = await AskAsync(rom, GoldenDhcp.Pi3BDiscover);
        Assert.Equal(DhcpMessageType.Offer, offer.MessageType);
        Assert.Equal(Address(100), offer.YourAddress);
        var neighbours = await _manager.InsideAsync("neigh", "show", "10.77.0.100");
        Assert.Contains("b8:27:eb:01:02:03", neighbours);
        Assert.Contains("PERMANENT", neighbours);

        // The system that it boots speaks ARP: with its own lease the pin goes.
        var request = Client.Select(MacAddress.Parse("b8:27:eb:01:02:03"), Address(100));
        request.Flags = DhcpPacket.BroadcastFlag;
        await AskAsync(rom, request.ToArray());
        neighbours = await _manager.InsideAsync("neigh", "show", "10.77.0.100");
        Assert.DoesNotContain("PERMANENT", neighbours);
        Assert.Contains("b8:27:eb:01:02:03", neighbours);
    }

    [Fact]
    public async Task An_interface_that_is_replaced_is_served_again()
    {
        var clock = new ManualTimeProvider();
        var opened = 0;
        Start(Rack, clock, () => Interlocked.Increment(ref opened));
        await Patience.UntilAsync(() => Volatile.Read(ref opened) == 1, "the port is open");
        await _manager.InsideAsync("link", "delete", "eth0");
        for (var i = 0; i < 8; i++)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            await DhcpRig.PauseAsync();
        }
        await _manager.ConnectAsync("eth0", _board, "eth0", Mac1);
        await _manager.InsideAsync("address", "add", "10.77.0.1/24", "dev", "eth0");
        await Patience.UntilAsync(() => Volatile.Read(ref opened) == 2, "the port that is open again",
            () => clock.Advance(TimeSpan.FromSeconds(1)));
        using var rom = RomSocket();
        Assert.Equal(Address(100), (await AskAsync(rom, GoldenDhcp.Pi4Discover)).YourAddress);
    }

    [Fact]
    public void An_interface_that_is_not_there_is_named_in_the_error()
    {
        var e = Assert.Throws<IOException>(() =>
            _manager.Run(() => DhcpSocket.Open(Rack with { Interface = "eth9" }, 67)));
        Assert.Contains("eth9", e.Message);
    }

    [Fact]
    public void A_second_server_on_the_port_is_told_what_is_wrong()
    {
        using var first = _manager.Run(() => DhcpSocket.Open(Rack, 67));
        var e = Assert.Throws<IOException>(() => _manager.Run(() => DhcpSocket.Open(Rack, 67)));
        Assert.Contains("another DHCP server", e.Message);
        // Another interface's network is served beside it.
        using var loopback = _manager.Run(() => DhcpSocket.Open(Rack with { Interface = "lo" }, 67));
    }

    private void Start(DhcpNetwork network, TimeProvider? clock = null, Action? opened = null)
    {
        clock ??= TimeProvider.System;
        _leases = new LeaseTable(clock);
        var committer = new LeaseCommitter(_store, _leases, clock, NullLogger<LeaseCommitter>.Instance);
        var server = new DhcpServer(network, [], _directory, _leases, committer, clock,
            NullLogger<DhcpServer>.Instance, new DhcpWires((net, port) =>
            {
                var channel = _manager.Run(() => DhcpSocket.Open(net, port));
                opened?.Invoke();
                return channel;
            }));
        _running = Task.WhenAll(committer.RunAsync(_end.Token), server.RunAsync(_end.Token));
    }

    /// <summary>A client's script that ends in putting its environment into a file.</summary>
    private string Script(string body)
    {
        var path = Path.Combine(_files, "script");
        File.WriteAllText(path, $"#!/bin/sh\n{body}{_files}/told\nexit 0\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }

    private async Task<string> ClientAsync(string program, params string[] arguments)
    {
        var result = await _board.ExecAsync(ClientLimit, program, arguments);
        var told = Path.Combine(_files, "told");
        Assert.True(File.Exists(told), $"{program} got no lease ({result.ExitCode}): {result.Output}{result.Errors}");
        return await File.ReadAllTextAsync(told);
    }

    private Socket RomSocket() => _board.Run(() =>
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.EnableBroadcast = true;
        socket.SetRawSocketOption(1, 25, "eth0\0"u8);
        socket.Bind(new IPEndPoint(IPAddress.Any, 68));
        return socket;
    });

    private static async Task<DhcpPacket> AskAsync(Socket rom, byte[] question)
    {
        var buffer = new byte[1500];
        using var end = new CancellationTokenSource(ClientLimit);
        // The server may still be opening its port: ask again, as ROMs do.
        for (var tries = 0; tries < 20; tries++)
        {
            await rom.SendToAsync(question, new IPEndPoint(IPAddress.Broadcast, 67), end.Token);
            using var turn = CancellationTokenSource.CreateLinkedTokenSource(end.Token);
            turn.CancelAfter(TimeSpan.FromMilliseconds(500));
            try
            {
                var length = await rom.ReceiveAsync(buffer, turn.Token);
                return Client.Read(buffer[..length]);
            }
            catch (OperationCanceledException) when (!end.IsCancellationRequested)
            {
                // Again.
            }
        }
        throw new TimeoutException("no answer to any of the questions");
    }

    private static void NeedProgram(string name)
    {
        string[] places = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"];
        if (!places.Any(place => File.Exists(Path.Combine(place, name)))) Assert.Skip($"needs {name}");
    }
}
