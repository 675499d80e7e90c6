using Bramble.Boot.Loaders;
using Bramble.Wire;

namespace Bramble.Boot.Dhcp;

/// <summary>What we are to the clients of a network.</summary>
public enum DhcpMode
{
    /// <summary>The only DHCP server: addresses from reservations and pools, NAK for what is wrong.</summary>
    Authoritative,

    /// <summary>
    /// Only clients with a reservation are answered; nobody gets a NAK for an address we do not manage.
    /// </summary>
    Reservations,

    /// <summary>Another server gives the addresses; we add the boot options for Pis and PXE clients.</summary>
    Proxy,
}

/// <summary>How an address of the pool is tried before it is offered (RFC 2131 §2.2).</summary>
public enum AddressProbe
{
    None,

    /// <summary>An ARP question (RFC 5227 §2.1.1): whoever uses the address must answer.</summary>
    Arp,

    /// <summary>An ICMP echo request; a firewall may keep the answer back.</summary>
    Icmp,
}

/// <summary>Addresses from the first to the last, both included.</summary>
public readonly record struct AddressRange(IPv4Address First, IPv4Address Last)
{
    public bool Contains(IPv4Address address) => address >= First && address <= Last;

    public long Count => Last < First ? 0 : (long)Last.Bits - First.Bits + 1;

    public override string ToString() => $"{First}-{Last}";
}

/// <summary>A network that we serve: immutable; a changed configuration is a new record and a new server.</summary>
public sealed record DhcpNetwork
{
    /// <summary>The operator's name for it; leases and sightings carry it.</summary>
    public required string Name { get; init; }

    /// <summary>The interface, e.g. <c>eth0</c>.</summary>
    public required string Interface { get; init; }

    /// <summary>Our own address on it, with the length of the prefix: <c>10.77.0.1/24</c>.</summary>
    public required IPv4Prefix Server { get; init; }

    /// <summary>
    /// The clients' own network, where it lies behind a relay and <see cref="Server"/> is not on it; null for a network
    /// on our interface.
    /// </summary>
    public IPv4Prefix? Relayed { get; init; }

    /// <summary>The network that the clients are on.</summary>
    public IPv4Prefix Subnet => Relayed ?? Server;

    public DhcpMode Mode { get; init; } = DhcpMode.Authoritative;

    public IReadOnlyList<AddressRange> Pools { get; init; } = [];

    /// <summary>Addresses inside the pools that are never given.</summary>
    public IReadOnlySet<IPv4Address> Excluded { get; init; } = new HashSet<IPv4Address>();

    /// <summary>Fixed addresses by MAC; they may lie in or out of the pools.</summary>
    public IReadOnlyDictionary<MacAddress, IPv4Address> Reservations { get; init; } =
        new Dictionary<MacAddress, IPv4Address>();

    public IPv4Address? Router { get; init; }

    public IReadOnlyList<IPv4Address> DnsServers { get; init; } = [];

    public string? Domain { get; init; }

    public IReadOnlyList<IPv4Address> NtpServers { get; init; } = [];

    public TimeSpan LeaseTime { get; init; } = TimeSpan.FromHours(1);

    /// <summary>The least for a client that asks for less (option 51); null: nobody gets less than usual.</summary>
    public TimeSpan? LeaseMinimum { get; init; }

    /// <summary>The most that a client gets that asks for more; null: nobody gets more than usual.</summary>
    public TimeSpan? LeaseMaximum { get; init; }

    /// <summary>Options for every client of the network.</summary>
    public DhcpOptionSet Options { get; init; } = DhcpOptionSet.Empty;

    /// <summary>Options for some of them; where two that match give the same option, the first one counts.</summary>
    public IReadOnlyList<DhcpClass> Classes { get; init; } = [];

    /// <summary>
    /// Whether a BOOTP client (RFC 951) without a reservation gets an address of the pool, for ever.
    /// </summary>
    public bool Bootp { get; init; }

    /// <summary>Whether an address is tried before the pool offers it.</summary>
    public AddressProbe Probe { get; init; }

    /// <summary>How long an answer to a probe is waited for.</summary>
    public TimeSpan ProbeTimeout { get; init; } = TimeSpan.FromMilliseconds(300);

    /// <summary>Packets a second that one client may send for long, four times as many at once; 0: any.</summary>
    public int ClientRate { get; init; } = 10;

    /// <summary>
    /// How long the OFFER to a Pi 3B or 3B+ waits: one that gets DHCP and TFTP answered within 2 s locks up (FW#934).
    /// </summary>
    public TimeSpan Pi3OfferDelay { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Boot loaders for network-boot clients that are no Pis.</summary>
    public LoaderRules Loaders { get; init; } = new();

    public int ServerPort { get; init; } = 67;

    public int ClientPort { get; init; } = 68;

    /// <summary>Where PXE clients ask a proxy (PXE 2.1 §2.2.3).</summary>
    public int ProxyPort { get; init; } = 4011;

    /// <summary>
    /// Whether an address of ours may be given at all: inside the prefix, and nobody's by its nature.
    /// </summary>
    public bool IsHost(IPv4Address address) =>
        Subnet.Contains(address) && address != Server.Address && address != Router
        && (Subnet.Length >= 31 || (address != Subnet.Network && address != Subnet.Broadcast));

    /// <summary>Whether an address may be given to anybody.</summary>
    public bool InPool(IPv4Address address)
    {
        if (!IsHost(address) || Excluded.Contains(address)) return false;
        foreach (var pool in Pools)
            if (pool.Contains(address)) return true;
        return false;
    }
}
