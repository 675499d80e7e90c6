using Microsoft.Extensions.Logging;

namespace Bramble.Boot.Dhcp;

/// <summary>
/// The DHCP door of one interface: the network on it, and those whose relays come in there. One receive loop, no task
/// per packet; what to do about a packet, <see cref="DhcpHandler"/> knows. All servers of a daemon share one lease
/// table and one committer, whose <see cref="LeaseCommitter.RunAsync"/> must run beside them.
/// </summary>
public sealed partial class DhcpServer : IDisposable
{
    /// <summary>OFFERs that may wait for their delay at once.</summary>
    public const int DelayedCapacity = 8192;

    private const int LargestDatagram = 65536;

    private readonly DhcpNetwork _network;
    private readonly DhcpNetworks _networks;
    private readonly TimeProvider _clock;
    private readonly ILogger<DhcpServer> _logger;
    private readonly DhcpWires _wires;
    private readonly DhcpHandler _handler;
    private readonly OtherServers _others;
    private readonly Dictionary<AddressProbe, AddressProber> _probers;

    /// <param name="relayed">Networks behind relays that come in on this one's interface.</param>
    public DhcpServer(
        DhcpNetwork network, IReadOnlyList<DhcpNetwork> relayed, IBootDirectory directory, LeaseTable leases,
        LeaseCommitter committer, TimeProvider clock, ILogger<DhcpServer> logger)
        : this(network, relayed, directory, leases, committer, clock, logger, DhcpWires.Real)
    {
    }

    internal DhcpServer(
        DhcpNetwork network, IReadOnlyList<DhcpNetwork> relayed, IBootDirectory directory, LeaseTable leases,
        LeaseCommitter committer, TimeProvider clock, ILogger<DhcpServer> logger, DhcpWires wires)
    {
        _network = network;
        _networks = new DhcpNetworks(network, relayed);
        _clock = clock;
        _logger = logger;
        _wires = wires;
        _probers = _networks.All.Select(n => n.Probe).Where(p => p != AddressProbe.None).Distinct()
            .ToDictionary(p => p, _ => new AddressProber(clock));
        _handler = new DhcpHandler(_networks, directory, leases, committer, _probers, clock, logger);
        _others = new OtherServers(network, clock, (kind, message) =>
        {
            if (kind == DhcpNoticeKind.OtherServer) LogOtherServer(message);
            else LogOtherServerGone(message);
            _handler.Notice(network, kind, message);
        });
    }

    /// <summary>What an operator should hear of. Raised on the loops' threads: keep it short.</summary>
    public event Action<DhcpNotice>? Noticed
    {
        add => _handler.Noticed += value;
        remove => _handler.Noticed -= value;
    }

    /// <summary>Counts since the start, of the interface's own network.</summary>
    public DhcpSnapshot Snapshot() => _handler.Snapshot(_network.Name) with { OtherServers = _others.Snapshot() };

    /// <summary>The same for each network that is served here.</summary>
    public IReadOnlyList<DhcpSnapshot> Snapshots() =>
        [Snapshot(), .. _networks.Relayed.Select(n => _handler.Snapshot(n.Name))];

    /// <summary>
    /// Serves until cancelled, once. An interface that is not there or vanishes is waited for; nothing else ends it.
    /// </summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        try
        {
            var loops = new List<Task> { ServeAsync(new DhcpDoor(_network.ServerPort, proxy: false), end.Token) };
            if (_network.Mode == DhcpMode.Proxy)
                loops.Add(ServeAsync(new DhcpDoor(_network.ProxyPort, proxy: true), end.Token));
            foreach (var (kind, prober) in _probers)
                if (_wires.OpenProbe is { } open) loops.Add(ProbeAsync(() => open(_network, kind), prober, end.Token));
            if (_network.Mode == DhcpMode.Authoritative && _wires.OpenLink is { } openLink)
                loops.Add(WatchAsync(() => openLink(_network), end.Token));
            await Task.WhenAny(loops).ConfigureAwait(false);
            // One that ended by an error takes the others along, so that the error is seen.
            await end.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(loops).ConfigureAwait(false);
        }
        finally
        {
            Dispose();
        }
    }

    public void Dispose()
    {
        _handler.Dispose();
        foreach (var prober in _probers.Values) prober.Dispose();
    }

    private Task ServeAsync(DhcpDoor door, CancellationToken cancellation) =>
        new ChannelKeeper(_clock, _network.Interface, (why, retry) =>
            LogNotServing(_network.Name, why, retry.TotalSeconds)).RunAsync(() =>
            {
                var channel = _wires.Open(_network, door.Port);
                LogListening(_network.Name, _network.Interface, door.Port, _network.Mode);
                return channel;
            }, (channel, gone) => ReceiveAsync(door, channel, gone), cancellation);

    private Task ProbeAsync(Func<IProbeChannel> open, AddressProber prober, CancellationToken cancellation) =>
        new ChannelKeeper(_clock, _network.Interface, (why, retry) =>
            LogNoProbe(_network.Name, why, retry.TotalSeconds)).RunAsync(open, prober.RunAsync, cancellation);

    private Task WatchAsync(Func<ILinkChannel> open, CancellationToken cancellation) =>
        new ChannelKeeper(_clock, _network.Interface, (why, retry) =>
            LogNoWatch(_network.Name, why, retry.TotalSeconds)).RunAsync(open, _others.RunAsync, cancellation);

    private async Task ReceiveAsync(DhcpDoor door, IDhcpChannel channel, CancellationToken cancellation)
    {
        var buffer = new byte[LargestDatagram];
        door.Channel = channel;
        try
        {
            while (true)
            {
                var datagram = await channel.ReceiveAsync(buffer, cancellation).ConfigureAwait(false);
                try
                {
                    _handler.Handle(door, buffer.AsSpan(0, datagram.Length), datagram);
                }
                catch (Exception e)
                {
                    // One packet must not take the others' server away.
                    _handler.Fault(e, datagram.Source);
                }
            }
        }
        finally
        {
            door.Channel = null;
        }
    }
}
