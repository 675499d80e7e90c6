using Bramble.Boot;
using Bramble.Boot.Dhcp;
using Bramble.Boot.Images;
using Bramble.Boot.Initramfs;
using Bramble.Boot.Loaders;
using Bramble.Boot.Ntp;
using Bramble.Boot.Tftp;
using Bramble.Manager.Api;
using Bramble.Manager.Backups;
using Bramble.Manager.Configuration;
using Bramble.Manager.Dhcp;
using Bramble.Manager.Events;
using Bramble.Manager.Gateway;
using Bramble.Manager.Hosting;
using Bramble.Manager.Images;
using Bramble.Manager.Leases;
using Bramble.Manager.Names;
using Bramble.Manager.Nodes;
using Bramble.Manager.Nodes.Timeline;
using Bramble.Manager.Power;
using Bramble.Manager.Provisioning;
using Bramble.Manager.Security;
using Bramble.Manager.Store;
using Bramble.Wire;

namespace Bramble.Manager;

/// <summary>The composition root: makes every part, in reading order, and runs them until told to stop.</summary>
public sealed partial class ManagerHost : IAsyncDisposable
{
    private readonly BrambleOptions _options;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _logger;
    private readonly TimeProvider _clock = TimeProvider.System;
    private readonly Database _database;
    private readonly EventLog _events;
    private readonly NodeRegistry _nodes;
    private readonly BootTimeline _timeline;
    private readonly ImageStore _images;
    private readonly InitramfsBuilder _initramfs;
    private readonly InstallerImages _installers;
    private readonly LoaderFiles _loaders;
    private readonly ImageJobs _imageJobs;
    private readonly TokenStore _tokens;
    private readonly LeaseTable _leases;
    private readonly LeaseCommitter _committer;
    private readonly PowerService _power;
    private readonly PowerReconciler _powerReconciler;
    private readonly NodeReconciler _reconciler;
    private readonly IBootDirectory _directory;
    private readonly ContentCache _contents = new();
    private readonly ClusterNames _names;
    private readonly DhcpService _dhcp;
    private readonly WebApplication _api;
    private readonly WebApplication _bootHttp;
    private readonly HostKeys _hostKeys;
    private readonly RescueBundle _rescue;

    public ManagerHost(BrambleOptions options, ILoggerFactory loggers)
    {
        _options = options;
        _loggers = loggers;
        _logger = loggers.CreateLogger<ManagerHost>();

        // What is durable.
        _database = Database.Open(options.StateDirectory, loggers.CreateLogger<Database>(), _clock, salvage: true);
        var secret = ServerSecret.Open(options.StateDirectory);
        _events = new EventLog(_database, _clock);
        if (_database.Salvaged is { } salvaged)
            _events.Add("store.salvaged", null, null, "brambled", salvaged.Summary);
        _nodes = new NodeRegistry(_database, _events, _clock);
        _timeline = new BootTimeline(_database);
        _tokens = new TokenStore(_database, _events, _clock);
        _images = new ImageStore(
            Path.Combine(options.StateDirectory, "images"), _clock, loggers.CreateLogger<ImageStore>())
        {
            InUse = image => ImageEndpoints.InUse(image, _nodes, options.Install),
        };
        _initramfs = new InitramfsBuilder(_images, loggers.CreateLogger<InitramfsBuilder>());
        _loaders = new LoaderFiles(_images, _clock, loggers.CreateLogger<LoaderFiles>());
        _installers = new InstallerImages(_images, _initramfs, _clock, loggers.CreateLogger<InstallerImages>());
        _imageJobs = new ImageJobs(_database, _images, _installers, _events, _clock, loggers.CreateLogger<ImageJobs>());

        // Who a board is and what it gets.
        _leases = new LeaseTable(_clock);
        var leaseStore = new SqlLeaseStore(_database);
        _leases.Load(leaseStore.Load());
        _nodes.Changed += Reserve;
        foreach (var node in _nodes.All) Reserve(node);
        _committer = new LeaseCommitter(leaseStore, _leases, _clock, loggers.CreateLogger<LeaseCommitter>());
        _names = new ClusterNames(options, _nodes, _leases, _clock, loggers);
        var locator = new NodeLocator(_nodes, _leases, _clock);
        var observer = new BootObserver(_nodes, _timeline, _clock);
        var files = new NodeFiles(options, _images, _loaders, secret, loggers);
        _directory = new BootDirectory(options, _nodes, locator, observer, files, _loaders, _clock);
        var explainer = new BootExplainer(options, files, _images);
        _hostKeys = new HostKeys(options.StateDirectory);
        var installer = new InstallerService(options, _nodes, _timeline, _images, secret,
            new OverlayRenderer(options, secret, _hostKeys), _clock, loggers.CreateLogger<InstallerService>());
        _rescue = new RescueBundle(_images);
        var reports = new NodeReports(options, _nodes, _timeline, secret, _clock);

        // What acts on them.
        _power = new PowerService(options, _nodes, _clock, loggers);
        _powerReconciler = new PowerReconciler(options, _nodes, _power, _timeline, _events, _clock,
            loggers.CreateLogger<PowerReconciler>());
        _reconciler = new NodeReconciler(options, _nodes, _timeline, _power, _powerReconciler, _clock,
            loggers.CreateLogger<NodeReconciler>());
        var actions = new NodeActions(options, _nodes, _images, _power, _powerReconciler, _timeline, _hostKeys);
        _dhcp = new DhcpService([.. options.Networks.Where(n => n.Dhcp != DhcpServiceMode.Off)
            .Select(n => new ServedNetwork(ToDhcp(n), n.Via))],
            _directory, _leases, _committer, _nodes, _events, _clock, loggers);
        var status = new ManagerStatus(options, _nodes, _database, _clock)
        {
            Warnings = () => _dhcp.Warnings,
            Counters = () => _dhcp.Counters,
        };
        var backups = new BackupWriter(options, _database, _images, _clock);

        // The doors that are HTTP.
        _bootHttp = BootHttpHost.Build(options, services =>
        {
            AddLogging(services);
            services.AddSingleton(_clock).AddSingleton(installer).AddSingleton(reports).AddSingleton(_rescue)
                .AddSingleton(new GzippedChunks(_images)).AddSingleton(_images).AddSingleton(_directory);
        });
        _api = ApiHost.Build(options, services =>
        {
            AddLogging(services);
            services.AddSingleton(_clock).AddSingleton(options).AddSingleton(_nodes).AddSingleton(_timeline)
                .AddSingleton(actions).AddSingleton(_power).AddSingleton(_powerReconciler).AddSingleton(_images)
                .AddSingleton(_imageJobs).AddSingleton(_installers).AddSingleton(_leases).AddSingleton(_events)
                .AddSingleton(_tokens).AddSingleton(status).AddSingleton(backups).AddSingleton(explainer)
                .AddSingleton(_dhcp);
        });

        void AddLogging(IServiceCollection services) =>
            services.AddSingleton(loggers).AddSingleton(typeof(ILogger<>), typeof(Logger<>));
    }

    /// <summary>Runs until cancelled (0), or until a part of it fails for good (1).</summary>
    public async Task<int> RunAsync(CancellationToken stop)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var supervisor = new Supervisor(_loggers.CreateLogger<Supervisor>());
        var systemd = new Systemd(_clock);
        await ConfiguredNodes.ApplyAsync(_options, _nodes).ConfigureAwait(false);
        _imageJobs.Restore();
        // Without a network it has no address of ours, and would take the web server's default one.
        if (_options.Networks.Count > 0) await _bootHttp.StartAsync(stop).ConfigureAwait(false);
        await _api.StartAsync(stop).ConfigureAwait(false);
        ApiHost.OpenSockets(_options);
        supervisor.Run("lease committer", _committer.RunAsync, ending.Token);
        supervisor.Run("node reconciler", _reconciler.RunAsync, ending.Token);
        supervisor.Run("installer images", _installers.RunAsync, ending.Token);
        supervisor.Run("image jobs", _imageJobs.RunAsync, ending.Token);
        foreach (var (name, dhcp) in _dhcp.Servers) supervisor.Run($"DHCP on {name}", dhcp.RunAsync, ending.Token);
        _names.Start(supervisor, ending.Token);
        var gateway = new GatewayService(_options, _clock, _loggers.CreateLogger<GatewayService>());
        if (gateway.IsNeeded) supervisor.Run("gateway", gateway.RunAsync, ending.Token);
        foreach (var network in _options.Networks) StartNetwork(network, supervisor, ending.Token);
        supervisor.Run("systemd watchdog",
            token => systemd.FeedWatchdogAsync(() => _reconciler.IsAlive, token), ending.Token);
        systemd.Ready();
        LogReady(ManagerStatus.Version, _options.Cluster, _options.Networks.Count, _nodes.Count);
        if (!_tokens.HasAdmin) LogNoToken();

        var stopped = Task.Delay(Timeout.InfiniteTimeSpan, _clock, stop);
        var first = await Task.WhenAny(stopped, supervisor.Fatal).ConfigureAwait(false);
        systemd.Stopping();
        await ending.CancelAsync().ConfigureAwait(false);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5), _clock);
        await _api.StopAsync(patience.Token).ConfigureAwait(false);
        await _bootHttp.StopAsync(patience.Token).ConfigureAwait(false);
        await supervisor.WhenAllEnded().ConfigureAwait(false);
        _timeline.Flush();
        _nodes.FlushSeen();
        return first == stopped ? 0 : 1;
    }

    public async ValueTask DisposeAsync()
    {
        await _api.DisposeAsync().ConfigureAwait(false);
        await _bootHttp.DisposeAsync().ConfigureAwait(false);
        _dhcp.Dispose();
        _powerReconciler.Dispose();
        _power.Dispose();
        _hostKeys.Dispose();
        _rescue.Dispose();
        _loaders.Dispose();
        _initramfs.Dispose();
        await _database.DisposeAsync().ConfigureAwait(false);
    }

    private void StartNetwork(NetworkOptions network, Supervisor supervisor, CancellationToken stop)
    {
        // What boards behind a relay ask for comes in by the network that their relay comes in by.
        if (network.Via is not null) return;
        if (network.Tftp)
        {
            var tftp = new TftpServer(
                new TftpOptions { Address = network.Address.Address, Interface = network.Interface },
                _directory, _clock, _loggers.CreateLogger<TftpServer>(), _contents);
            supervisor.Run($"TFTP on {network.Name}", tftp.RunAsync, stop);
        }
        if (network.Time)
        {
            var ntp = new NtpServer(
                new NtpOptions { Address = network.Address.Address, Interface = network.Interface },
                _directory, _clock, _loggers.CreateLogger<NtpServer>());
            supervisor.Run($"time on {network.Name}", ntp.RunAsync, stop);
        }
    }

    /// <summary>An address that is reserved for a node is given to nobody else, from the daemon's start on.</summary>
    private void Reserve(NodeSnapshot node)
    {
        foreach (var network in _options.Networks)
        {
            // What the file reserves for this board on a network stays where the node itself has nothing there.
            IPv4Address? address = node.Spec.ReservedAddress is { } own && network.Prefix.Contains(own) ? own
                : network.Reservations.TryGetValue(node.Mac, out var configured) ? configured : null;
            _leases.Reserve(network.Name, node.Mac, address);
        }
    }

    internal static DhcpNetwork ToDhcp(NetworkOptions network) => new()
    {
        Name = network.Name,
        Interface = network.Interface,
        Server = network.Address,
        Relayed = network.Subnet,
        Mode = network.Dhcp switch
        {
            DhcpServiceMode.Proxy => DhcpMode.Proxy,
            DhcpServiceMode.Reservations => DhcpMode.Reservations,
            _ => DhcpMode.Authoritative,
        },
        Pools = [.. network.Pool.Select(range => new AddressRange(range.First, range.Last))],
        Reservations = network.Reservations,
        Router = network.Router,
        DnsServers = network.Dns,
        Domain = network.Domain.Length > 0 ? network.Domain : null,
        NtpServers = network.Time ? [network.Address.Address] : Array.Empty<IPv4Address>(),
        LeaseTime = network.Lease,
        LeaseMinimum = network.LeaseMin,
        LeaseMaximum = network.LeaseMax,
        Options = network.Options,
        Classes = network.Classes,
        Bootp = network.Bootp,
        Probe = network.Probe,
        ProbeTimeout = network.ProbeTimeout,
        ClientRate = network.ClientRate,
        Pi3OfferDelay = network.Pi3Delay,
        Loaders = network.Loaders,
    };

    [LoggerMessage(1, LogLevel.Information,
        "brambled {Version} is up: cluster {Cluster}, {Networks} networks, {Nodes} nodes")]
    private partial void LogReady(string version, string cluster, int networks, int nodes);

    [LoggerMessage(2, LogLevel.Warning,
        "There is no valid admin token: 'brambled first-token' prints one")]
    private partial void LogNoToken();
}
