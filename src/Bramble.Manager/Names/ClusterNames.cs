using System.Net;
using Bramble.Boot.Dhcp;
using Bramble.Boot.Dns;
using Bramble.Manager.Configuration;
using Bramble.Manager.Hosting;
using Bramble.Manager.Nodes;
using Bramble.Wire;

namespace Bramble.Manager.Names;

/// <summary>The cluster's names as a service: the zones, the way upstream, and a door on each network.</summary>
public sealed class ClusterNames(
    BrambleOptions options, NodeRegistry nodes, LeaseTable leases, TimeProvider clock, ILoggerFactory loggers)
{
    private const string SystemFile = "/etc/resolv.conf";

    private static readonly IPv4Prefix s_loopback = IPv4Prefix.Parse("127.0.0.1/8");

    /// <summary>Starts what the configuration asks for, if anything.</summary>
    public void Start(Supervisor supervisor, CancellationToken stop)
    {
        var networks = options.Networks.Where(network => network is { ServesNames: true, Via: null }).ToArray();
        if (!options.Dns.Enabled || networks.Length + options.Dns.Listen.Count == 0) return;
        var zones = new ClusterZones(options, nodes, leases, clock, loggers.CreateLogger<ClusterZones>());
        var forwarder = new DnsForwarder(
            Upstreams(), new DnsForwarderOptions(), clock, loggers.CreateLogger<DnsForwarder>());
        supervisor.Run("names", zones.RunAsync, stop);
        foreach (var network in networks)
            Serve($"DNS on {network.Name}", new DnsOptions
            {
                Address = network.Address,
                Interface = network.Interface,
                Recursion = [.. options.Networks.Select(n => n.Prefix)],
            });
        foreach (var at in options.Dns.Listen)
            Serve($"DNS at {at}", new DnsOptions
            {
                Address = new IPv4Prefix(IPv4Address.From(at.Address), 32),
                Port = at.Port,
                Recursion = [s_loopback, .. options.Networks.Select(n => n.Prefix)],
            });

        void Serve(string name, DnsOptions door) => supervisor.Run(name,
            new DnsServer(door, zones, forwarder, clock, loggers.CreateLogger<DnsServer>()).RunAsync, stop);
    }

    private Func<IReadOnlyList<IPEndPoint>> Upstreams()
    {
        if (!options.Dns.ForwardToSystem) return () => options.Dns.Forward;
        var ours = options.Networks.Select(network => network.Address.Address.ToIPAddress())
            .Concat(options.Dns.Listen.Select(at => at.Address)).ToHashSet();
        var system = new SystemResolvers(SystemFile, ours, clock);
        return options.Dns.Forward.Count == 0
            ? () => system.Current
            : () => [.. options.Dns.Forward, .. system.Current];
    }
}
