using Bramble.Boot.Dhcp;
using Bramble.Boot.Dns;
using Bramble.Manager.Configuration;
using Bramble.Manager.Nodes;

namespace Bramble.Manager.Names;

/// <summary>
/// Keeps the zones in step with nodes and leases: several times a second it looks at all of them, and replaces the
/// snapshot when something is different. Holds nothing that must survive.
/// </summary>
public sealed partial class ClusterZones : IDnsZones
{
    private static readonly TimeSpan s_tick = TimeSpan.FromMilliseconds(250);

    private readonly BrambleOptions _options;
    private readonly NodeRegistry _nodes;
    private readonly LeaseTable _leases;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private List<NodeName> _names = [];
    private volatile DnsZones _current;

    public ClusterZones(
        BrambleOptions options, NodeRegistry nodes, LeaseTable leases, TimeProvider clock, ILogger<ClusterZones> logger)
    {
        (_options, _nodes, _leases, _clock, _logger) = (options, nodes, leases, clock, logger);
        _current = ZoneBuilder.Build(options, _names, Serial(0));
        Refresh();
    }

    public DnsZones Current => _current;

    public async Task RunAsync(CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(s_tick, _clock);
        while (await timer.WaitForNextTickAsync(cancellation).ConfigureAwait(false)) Refresh();
    }

    /// <summary>One look. True if the zones are others now.</summary>
    public bool Refresh()
    {
        var names = NodeNames.Of(_options, _nodes.All, _leases);
        if (names.SequenceEqual(_names)) return false;
        _names = names;
        // In an order of its own, so that what two nodes claim does not change hands by chance.
        _current = ZoneBuilder.Build(
            _options, [.. names.OrderBy(name => name.Name, StringComparer.Ordinal)], Serial(_current.Serial));
        LogChanged(_options.Dns.Domain, names.Count, _current.Serial);
        return true;
    }

    /// <summary>
    /// The time in seconds, so that it grows over restarts as well; one more than before if changes come faster.
    /// </summary>
    private uint Serial(uint before)
    {
        var now = (uint)_clock.GetUtcNow().ToUnixTimeSeconds();
        return now > before ? now : before + 1;
    }

    [LoggerMessage(2510, LogLevel.Debug, "The zone {Zone} has {Names} nodes, serial {Serial}")]
    private partial void LogChanged(string zone, int names, uint serial);
}
