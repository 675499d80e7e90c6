using Bramble.Boot;
using Bramble.Boot.Dhcp;
using Bramble.Contracts.Dhcp;
using Bramble.Manager.Api;
using Bramble.Manager.Events;
using Bramble.Manager.Nodes;
using Bramble.Wire;
using Bramble.Wire.Dhcp;

namespace Bramble.Manager.Dhcp;

/// <param name="Via">The network by whose interface its relays come in; null if it has an interface itself.</param>
public sealed record ServedNetwork(DhcpNetwork Network, string? Via);

/// <summary>The DHCP servers of all networks: what they count, what they warn of, and what they would answer.</summary>
public sealed class DhcpService : IDisposable
{
    private readonly IReadOnlyList<ServedNetwork> _networks;
    private readonly IBootDirectory _directory;
    private readonly LeaseTable _leases;
    private readonly NodeRegistry _nodes;
    private readonly TimeProvider _clock;

    public DhcpService(
        IReadOnlyList<ServedNetwork> networks, IBootDirectory directory, LeaseTable leases, LeaseCommitter committer,
        NodeRegistry nodes, EventLog events, TimeProvider clock, ILoggerFactory loggers)
    {
        _networks = networks;
        _directory = directory;
        _leases = leases;
        _nodes = nodes;
        _clock = clock;
        Servers = [.. networks.Where(n => n.Via is null).Select(n => (n.Network.Name, new DhcpServer(
            n.Network, RelayedBy(n.Network.Name), directory, leases, committer, clock,
            loggers.CreateLogger<DhcpServer>())))];
        foreach (var (_, server) in Servers)
        {
            server.Noticed += notice => events.Add(notice.Kind switch
            {
                DhcpNoticeKind.OtherServer => "dhcp.other-server",
                DhcpNoticeKind.OtherServerGone => "dhcp.other-server-gone",
                _ => "dhcp.address-in-use",
            }, null, null, "brambled", notice.Message);
        }
    }

    /// <summary>One for each interface, with its network's name.</summary>
    public IReadOnlyList<(string Network, DhcpServer Server)> Servers { get; }

    public IReadOnlyList<DhcpSnapshot> Snapshots => [.. Servers.SelectMany(s => s.Server.Snapshots())];

    /// <summary>The same as single numbers: <c>dhcp.rack.ignored.PoolExhausted</c>.</summary>
    public IEnumerable<KeyValuePair<string, long>> Counters => Snapshots.SelectMany(s => s.Ignored
        .Select(i => KeyValuePair.Create($"dhcp.{s.Network}.ignored.{i.Key}", i.Value))
        .Append(KeyValuePair.Create($"dhcp.{s.Network}.received", s.Received))
        .Append(KeyValuePair.Create($"dhcp.{s.Network}.sent", s.Sent)));

    /// <summary>What an operator should look at now, in sentences.</summary>
    public IReadOnlyList<string> Warnings => [.. Servers.SelectMany(s => s.Server.Snapshot().OtherServers.Select(o =>
        $"another DHCP server, {o.Address} ({o.Mac}), answers on network {s.Network}; last heard {o.LastHeardAt:u}"))];

    /// <exception cref="ProblemException">The question cannot be understood.</exception>
    public IReadOnlyList<DhcpExplanation> Explain(DhcpExplainRequest request)
    {
        if (request.Packets is { Count: > 0 } == (request.Mac is not null))
            throw ProblemException.BadRequest("give either 'mac' or 'packets'");
        if (request.Packets is { } packets)
            return [.. packets.Select(hex => Explain(Octets(hex), NetworkOf(request.Network, null, Octets(hex))))];
        if (!MacAddress.TryParse(request.Mac, null, out var mac))
            throw ProblemException.BadRequest($"'{request.Mac}' is not a MAC address such as b8:27:eb:0a:0b:0c");
        if (request.Architecture is < 0 or > ushort.MaxValue)
            throw ProblemException.BadRequest("an architecture is a number from 0 to 65535");
        var node = _nodes.Find(mac);
        var family = Enum.TryParse<BoardFamily>(node?.Status.Family, out var known) ? known : BoardFamily.Unknown;
        var network = NetworkOf(request.Network, node, []);
        var discover = SampleDiscover.Of(mac, family, node?.Status.Serial ?? "",
            (ushort?)request.Architecture, request.UserClass,
            network.Network.Relayed is null ? null : network.Network.Router);
        return [Explain(discover.ToArray(), network)];
    }

    public void Dispose()
    {
        foreach (var (_, server) in Servers) server.Dispose();
    }

    private DhcpExplanation Explain(byte[] packet, ServedNetwork network)
    {
        var own = network.Via is null ? network : _networks.First(n => n.Network.Name == network.Via);
        // Who asks the port of a proxy has an address by then, and no DISCOVER to make.
        var read = DhcpPacket.TryRead(packet, out var question, out _);
        var atProxy = read && own.Network.Mode == DhcpMode.Proxy && question.MessageType != DhcpMessageType.Discover;
        var ingress = new DhcpIngress(read ? question.ClientAddress : default, ProxyPort: atProxy);
        return DhcpExplanation.Of(packet, ingress, own.Network, RelayedBy(own.Network.Name), _directory, _leases,
            _clock.GetUtcNow());
    }

    private IReadOnlyList<DhcpNetwork> RelayedBy(string network) =>
        [.. _networks.Where(n => n.Via == network).Select(n => n.Network)];

    /// <summary>
    /// The network as named; else the one that the relay or the client's address tells; else where the node was heard;
    /// else the only one.
    /// </summary>
    private ServedNetwork NetworkOf(string? name, NodeSnapshot? node, ReadOnlySpan<byte> octets)
    {
        var all = string.Join(", ", _networks.Select(n => n.Network.Name));
        if (_networks.Count == 0) throw ProblemException.Conflict("no network of this manager serves DHCP");
        if (name is not null)
        {
            return _networks.FirstOrDefault(n => n.Network.Name == name)
                ?? throw ProblemException.NotFound($"no network '{name}' serves DHCP; there are {all}");
        }
        var mac = node?.Mac;
        if (DhcpPacket.TryRead(octets, out var packet, out _))
        {
            mac = packet.Mac;
            var link = packet.RelayAddress.IsAny ? packet.ClientAddress : packet.RelayAddress;
            if (_networks.FirstOrDefault(n => !link.IsAny && n.Network.Subnet.Contains(link)) is { } told) return told;
        }
        node ??= mac is { } m ? _nodes.Find(m) : null;
        if (_networks.FirstOrDefault(n => n.Network.Name == node?.Status.Network) is { } heard) return heard;
        if (_networks.Count(n => n.Via is null) == 1) return _networks.First(n => n.Via is null);
        throw ProblemException.BadRequest($"on which network? There are {all}");
    }

    private static byte[] Octets(string hex) => DhcpOptionValue.TryHex(hex, out var octets) && octets.Length <= 4096
        ? octets : throw ProblemException.BadRequest("a packet must be hexadecimal octets, at most 4096 of them");
}
