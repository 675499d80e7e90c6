using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using Bramble.Contracts.Api;
using Bramble.Contracts.Leases;
using Bramble.Contracts.Nodes;
using Bramble.Contracts.Power;
using Bramble.Lab.Control;
using Bramble.Processes;

namespace Bramble.System.Tests.Rack;

/// <summary>
/// A rack in two network namespaces: the real brambled on one side, virtual boards and their switch on the other, both
/// as processes of their own. Everything is gone after the test.
/// </summary>
internal sealed class VirtualRack : IAsyncDisposable
{
    private const string FarNetwork =
        """
          - name: far
            via: rack
            subnet: 10.88.0.0/16
            adopt: auto
            dhcp: {pool: 10.88.1.1-10.88.1.254, router: 10.88.0.1}
        """;

    private static int s_count;

    private readonly PreparedState _prepared;
    private readonly string _directory = Directory.CreateTempSubdirectory("bramble-rack-").FullName;
    private readonly string _name = $"brt{Environment.ProcessId % 10000}x{Interlocked.Increment(ref s_count)}";
    private string _configText = "";
    private Process? _manager;
    private Process? _lab;
    private Process? _rival;

    private VirtualRack(PreparedState prepared, StateDisk? disk)
    {
        _prepared = prepared;
        StateDirectory = Path.Combine(disk?.At ?? _directory, "state");
        Api = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellation) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                var path = Path.Combine(_directory, "api.sock");
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation);
                return new NetworkStream(socket, ownsSocket: true);
            },
        })
        {
            BaseAddress = new Uri("http://bramble/"),
        };
        Api.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", prepared.Token);
    }

    public HttpClient Api { get; }

    public string StateDirectory { get; private init; }

    /// <summary>What brambled has said, over all its starts.</summary>
    public ConcurrentQueue<string> Log { get; } = new();

    public string ManagerNamespace => $"{_name}-mgr";

    /// <param name="boards">Simulated boards.</param>
    /// <param name="lab">Further words for <c>bramble-lab run</c>.</param>
    /// <param name="config">Further lines for the configuration.</param>
    /// <param name="qemu">Whether the manager is on a bridge, which emulated boards and a rival need.</param>
    /// <param name="dhcp">The network's section <c>dhcp</c>; null for the only server.</param>
    /// <param name="rival">Whether dnsmasq gives addresses beside brambled.</param>
    /// <param name="relay">Whether the boards are on a network of their own, 10.88.0.0/16, behind a relay.</param>
    /// <param name="disk">Where the state goes, all but the images; else beside them.</param>
    public static async Task<VirtualRack> StartAsync(
        int boards, string[]? lab = null, string config = "install: {image: demo}",
        string stallAfter = "25s", PreparedState? prepared = null,
        bool qemu = false, string watchdog = "{off_time: 1s}", StateDisk? disk = null,
        string? dhcp = null, bool rival = false, bool relay = false)
    {
        var rack = new VirtualRack(prepared ?? await PreparedState.SimulatedAsync(), disk);
        try
        {
            await rack._prepared.CopyToAsync(rack.StateDirectory,
                Path.Combine(disk is null ? rack.StateDirectory : rack._directory, "images"));
            string[] bridge = qemu ? ["--qemu"] : [];
            string[] far = relay ? ["--relay", "10.88.0.1/16"] : [];
            var switchAddress = relay ? "10.88.255.254" : "10.77.255.254";
            await Programs.RunAsync(
                "bramble-lab", ["net", "up", "--name", rack._name, "--manager", "10.77.0.1/16", .. bridge, .. far]);
            await File.WriteAllTextAsync(Path.Combine(rack._directory, "community"), "private\n");
            rack._configText =
                $$"""
                cluster: test
                state: {{rack.StateDirectory}}
                api:
                  listen: ["unix:{{rack._directory}}/api.sock"]
                networks:
                  - name: rack
                    interface: {{(qemu ? "br0" : "mgr0")}}
                    address: 10.77.0.1/16
                    adopt: auto
                    dhcp: DHCP
                {{(relay ? FarNetwork : "")}}
                lifecycle: {report_interval: 2s, lost_after: 8s, stall_after: {{stallAfter}}}
                watchdog: {{watchdog}}
                power:
                  - name: switch1
                    driver: poe-snmp
                    host: {{switchAddress}}
                    community_file: {{rack._directory}}/community
                {{config}}
                """;
            await rack.SetDhcpAsync("{pool: 10.77.1.1-10.77.16.254}");
            if (dhcp is not null) await rack.SetDhcpAsync(dhcp);
            if (rival) await rack.StartRivalAsync();
            if (relay) await rack.StartRelayAsync();
            await rack.StartManagerAsync();
            rack._lab = Programs.StartIn($"{rack._name}-lab", null, "bramble-lab",
                ["run", "--name", rack._name, "--boards", $"{boards}", "--switch-address", switchAddress,
                    "--control", rack.ControlSocket, .. lab ?? []]);
            await Programs.UntilAsync(() => File.Exists(rack.ControlSocket), TimeSpan.FromSeconds(60), "the lab");
            return rack;
        }
        catch
        {
            await rack.DisposeAsync();
            throw;
        }
    }

    public string ConfigFile => Path.Combine(_directory, "bramble.yaml");

    /// <summary>Changes the network's section <c>dhcp</c>, for brambled's next start.</summary>
    public Task SetDhcpAsync(string dhcp) => File.WriteAllTextAsync(
        ConfigFile, _configText.Replace("dhcp: DHCP", $"dhcp: {dhcp}", StringComparison.Ordinal));

    /// <summary>Starts a real dnsmasq on the rack's network: it gives addresses and knows nothing of booting.</summary>
    public async Task StartRivalAsync()
    {
        var said = new ConcurrentQueue<string>();
        _rival = Programs.StartSaying("bramble-lab", said, "net", "rival", "--name", _name);
        await Programs.UntilAsync(() => said.Any(line => line.Contains("DHCP, IP range", StringComparison.Ordinal)),
            TimeSpan.FromSeconds(60), "dnsmasq");
    }

    /// <summary>Starts ISC's dhcrelay between the boards and brambled.</summary>
    private async Task StartRelayAsync()
    {
        var said = new ConcurrentQueue<string>();
        _rival = Programs.StartSaying("bramble-lab", said, "net", "relay", "--name", _name);
        await Programs.UntilAsync(() => said.Any(line => line.Contains("Sending on", StringComparison.Ordinal)),
            TimeSpan.FromSeconds(60), "dhcrelay");
    }

    private string ControlSocket => Path.Combine(_directory, "lab.sock");

    /// <summary>Starts brambled and waits until it answers.</summary>
    public async Task StartManagerAsync()
    {
        _manager = Programs.StartIn(ManagerNamespace, Log, "brambled", "--config", ConfigFile);
        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                using var answer = await Api.GetAsync(new Uri(ApiRoutes.Manager, UriKind.Relative));
                if (answer.IsSuccessStatusCode) return;
            }
            catch (HttpRequestException) when (TimeProvider.System.GetElapsedTime(began) < TimeSpan.FromSeconds(60)
                && !_manager.HasExited)
            {
                // Not yet.
            }
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
    }

    /// <summary>As <c>kill -9</c>: no handler runs, nothing is flushed.</summary>
    public async Task KillManagerAsync()
    {
        ChildProcess.Kill(_manager!);
        await _manager!.WaitForExitAsync();
    }

    /// <summary>Whether brambled lives: neither ended nor killed.</summary>
    public bool ManagerLives => _manager is { HasExited: false };

    public int ManagerId => _manager!.Id;

    public async Task<ManagerView> StatusAsync() =>
        (await Api.GetFromJsonAsync(ApiRoutes.Manager, ContractsJson.Default.ManagerView))!;

    /// <summary>Runs <c>bramble</c> as an operator would.</summary>
    public Task<string> CliAsync(params string[] arguments) => Programs.RunAsync(new Dictionary<string, string>
    {
        ["BRAMBLE_SERVER"] = $"unix:{_directory}/api.sock",
        ["BRAMBLE_TOKEN"] = _prepared.Token,
    }, "bramble", arguments);

    public async Task<IReadOnlyList<NodeView>> NodesAsync() =>
        (await Api.GetFromJsonAsync(ApiRoutes.Nodes, ContractsJson.Default.IReadOnlyListNodeView))!;

    public async Task<IReadOnlyList<LeaseView>> LeasesAsync() =>
        (await Api.GetFromJsonAsync(ApiRoutes.Leases, ContractsJson.Default.IReadOnlyListLeaseView))!;

    public async Task<BootView> NewestBootAsync(NodeView node) => (await TryNewestBootAsync(node))!;

    /// <summary>Null for a node that has not been seen booting.</summary>
    public async Task<BootView?> TryNewestBootAsync(NodeView node) =>
        (await Api.GetFromJsonAsync($"{ApiRoutes.Nodes}/{node.Number}/timeline", ContractsJson.Default.TimelineView))!
        .Boots is [var newest, ..] ? newest : null;

    public async Task<NodeActionResult> ActAsync(string verb, params string[] select)
    {
        using var answer = await Api.PostAsJsonAsync($"{ApiRoutes.Nodes}/actions/{verb}",
            new NodeActionRequest { Select = select }, ContractsJson.Default.NodeActionRequest);
        answer.EnsureSuccessStatusCode();
        return (await answer.Content.ReadFromJsonAsync(ContractsJson.Default.NodeActionResult))!;
    }

    public async Task<NodeActionResult> PowerAsync(string verb, params string[] select)
    {
        using var answer = await Api.PostAsJsonAsync($"{ApiRoutes.Power}/{verb}",
            new PowerRequest { Select = select }, ContractsJson.Default.PowerRequest);
        answer.EnsureSuccessStatusCode();
        return (await answer.Content.ReadFromJsonAsync(ContractsJson.Default.NodeActionResult))!;
    }

    /// <summary>Talks to the lab: cut power, hang a board, break a disk.</summary>
    public async Task<IReadOnlyList<BoardView>> LabAsync(string op, string[]? boards = null, string? value = null)
    {
        var answer = await ControlServer.AskAsync(
            ControlSocket, new ControlRequest(op, boards, value), CancellationToken.None);
        return answer.Ok ? answer.Boards! : throw new InvalidOperationException(answer.Error);
    }

    /// <summary>Waits until the nodes are as wanted; the failure shows how they were instead.</summary>
    public async Task<IReadOnlyList<NodeView>> UntilAsync(
        Func<IReadOnlyList<NodeView>, bool> wanted, string what, int seconds = 90)
    {
        var began = TimeProvider.System.GetTimestamp();
        IReadOnlyList<NodeView> nodes = [];
        while (TimeProvider.System.GetElapsedTime(began).TotalSeconds < seconds)
        {
            try
            {
                nodes = await NodesAsync();
                if (wanted(nodes)) return nodes;
            }
            catch (HttpRequestException)
            {
                // The manager is being killed by the test.
            }
            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System);
        }
        Assert.Fail($"{what} did not come within {seconds} s:\n" + string.Join('\n', nodes.Select(n =>
            $"{n.Number} {n.Model} {n.Phase} {n.Address} '{n.Verdict}' {n.Progress?.Step} gen {n.Spec.Generation} "
            + $"installed {n.Installed?.Generation}")));
        return nodes;
    }

    public Task<IReadOnlyList<NodeView>> UntilAllRunAsync(int count, int seconds = 90) => UntilAsync(
        nodes => nodes.Count == count && nodes.All(n => n.Phase == NodePhase.Running), $"{count} running nodes",
        seconds);

    public async ValueTask DisposeAsync()
    {
        Api.Dispose();
        foreach (var process in new[] { _rival, _lab, _manager })
        {
            if (process is null) continue;
            ChildProcess.Kill(process);
            await process.WaitForExitAsync();
            process.Dispose();
        }
        await Programs.RunAsync("bramble-lab", "net", "down", "--name", _name);
        Directory.Delete(_directory, recursive: true);
    }
}
