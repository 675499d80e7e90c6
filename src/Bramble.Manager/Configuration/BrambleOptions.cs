using Bramble.Boot.Dhcp;
using Bramble.Boot.Loaders;
using Bramble.Manager.Provisioning;
using Bramble.Wire;

namespace Bramble.Manager.Configuration;

/// <summary>The whole configuration file, checked. Immutable: a change of the file takes a restart.</summary>
public sealed record BrambleOptions
{
    /// <summary>The file that this was read from; null for none.</summary>
    public string? File { get; init; }

    /// <summary>The cluster's name, for people.</summary>
    public string Cluster { get; init; } = "bramble";

    /// <summary>Where everything durable lives.</summary>
    public string StateDirectory { get; init; } = "/var/lib/bramble";

    /// <summary>Null: the journal (standard error). Else a file, rotated by the system's logrotate.</summary>
    public string? LogFile { get; init; }

    public ApiOptions Api { get; init; } = new();

    public IReadOnlyList<NetworkOptions> Networks { get; init; } = [];

    public DnsServiceOptions Dns { get; init; } = new();

    public InstallOptions Install { get; init; } = new();

    public LifecycleOptions Lifecycle { get; init; } = new();

    public WatchdogOptions Watchdog { get; init; } = new();

    public IReadOnlyList<PowerDeviceSection> PowerDevices { get; init; } = [];

    public IReadOnlyList<NodeOptions> Nodes { get; init; } = [];
}

/// <summary>Where the REST API listens. Always authenticated.</summary>
public sealed record ApiOptions
{
    /// <summary><c>127.0.0.1:8760</c> or <c>unix:/run/bramble/api.sock</c>.</summary>
    public IReadOnlyList<string> Listen { get; init; } = ["127.0.0.1:8760", "unix:/run/bramble/api.sock"];

    /// <summary>PEM files; needed for any address that is not loopback.</summary>
    public string? CertificateFile { get; init; }

    public string? KeyFile { get; init; }
}

/// <summary>What becomes of a board that nobody has named.</summary>
public enum AdoptPolicy
{
    /// <summary>It is listed as discovered and not answered until someone adopts it.</summary>
    Ask,

    /// <summary>It becomes a node at once.</summary>
    Auto,

    /// <summary>It is not answered, nor listed.</summary>
    Ignore,
}

/// <summary>How DHCP behaves on a network.</summary>
public enum DhcpServiceMode
{
    Authoritative,
    Reservations,
    Proxy,
    Off,
}

/// <summary>One boot network.</summary>
public sealed record NetworkOptions
{
    public required string Name { get; init; }

    public required string Interface { get; init; }

    /// <summary>Our own address on the interface, with the length of the network.</summary>
    public required IPv4Prefix Address { get; init; }

    /// <summary>The network by whose interface relays come in, for one that is not on an interface of ours.</summary>
    public string? Via { get; init; }

    /// <summary>The network behind the relay; null for one on our interface.</summary>
    public IPv4Prefix? Subnet { get; init; }

    /// <summary>The network that the boards are on.</summary>
    public IPv4Prefix Prefix => Subnet ?? Address;

    public AdoptPolicy Adopt { get; init; } = AdoptPolicy.Ask;

    public DhcpServiceMode Dhcp { get; init; } = DhcpServiceMode.Authoritative;

    public IReadOnlyList<(IPv4Address First, IPv4Address Last)> Pool { get; init; } = [];

    public IReadOnlyDictionary<MacAddress, IPv4Address> Reservations { get; init; } =
        new Dictionary<MacAddress, IPv4Address>();

    public IPv4Address? Router { get; init; }

    public IReadOnlyList<IPv4Address> Dns { get; init; } = [];

    public string Domain { get; init; } = "";

    public TimeSpan Lease { get; init; } = TimeSpan.FromHours(1);

    /// <summary>The least for a client that asks for less; null: it gets what is usual.</summary>
    public TimeSpan? LeaseMin { get; init; }

    /// <summary>The most for a client that asks for more; null: it gets what is usual.</summary>
    public TimeSpan? LeaseMax { get; init; }

    /// <summary>Whether BOOTP clients without a reservation get an address of the pool, for ever.</summary>
    public bool Bootp { get; init; }

    /// <summary>Whether an address is tried before the pool offers it.</summary>
    public AddressProbe Probe { get; init; }

    public TimeSpan ProbeTimeout { get; init; } = TimeSpan.FromMilliseconds(300);

    /// <summary>DHCP packets a second of one client; 0 for no limit.</summary>
    public int ClientRate { get; init; } = 10;

    public DhcpOptionSet Options { get; init; } = DhcpOptionSet.Empty;

    public IReadOnlyList<DhcpClass> Classes { get; init; } = [];

    /// <summary>How long a Pi 3B's OFFER is held back: it locks up when DHCP and TFTP answer within 2 s.</summary>
    public TimeSpan Pi3Delay { get; init; } = TimeSpan.FromSeconds(2);

    public bool Tftp { get; init; } = true;

    /// <summary>Blocks of the largest window that TFTP grants (RFC 7440).</summary>
    public int TftpWindow { get; init; } = 64;

    public bool Time { get; init; } = true;

    /// <summary>Whether names are served here.</summary>
    public bool ServesNames { get; init; }

    /// <summary>How its boards get out; null if they do not.</summary>
    public GatewayOptions? Gateway { get; init; }

    public int HttpPort { get; init; } = 8067;

    /// <summary>A plain directory served as the boot tree to boards without an image; null for none.</summary>
    public string? BootTree { get; init; }

    /// <summary>Which loader UEFI machines are given.</summary>
    public UefiLoader UefiLoader { get; init; }

    /// <summary>Boot files by client architecture, named by hand.</summary>
    public IReadOnlyDictionary<ushort, string> BootFiles { get; init; } = new Dictionary<ushort, string>();

    public LoaderRules Loaders => new()
    {
        BootUrl = BootUrl,
        Uefi = UefiLoader,
        BesideAnother = Dhcp is DhcpServiceMode.Proxy,
        ByHand = BootFiles,
    };

    /// <summary>
    /// Whether a board may have this address: not ours, not the network's own, not the broadcast address.
    /// </summary>
    public bool IsHost(IPv4Address address) => Prefix.Contains(address) && address != Address.Address
        && address != Prefix.Network && address != Prefix.Broadcast;

    public string BootUrl => $"http://{Address.Address}:{HttpPort}";
}

/// <summary>What is installed on boards, and how.</summary>
public sealed record InstallOptions
{
    /// <summary>The image for nodes that name none.</summary>
    public string? Image { get; init; }

    /// <summary>The image by architecture (arm64 armhf amd64), ahead of <see cref="Image"/>.</summary>
    public IReadOnlyDictionary<string, string> Images { get; init; } = new Dictionary<string, string>();

    public string? ImageFor(string architecture) => Images.GetValueOrDefault(architecture) ?? Image;

    public DiskRule Disk { get; init; } = DiskRule.Default;

    /// <summary>Whether a disk that holds data may be overwritten without an operator's explicit install.</summary>
    public bool OverwriteUsedDisks { get; init; }

    /// <summary>Lines for root's authorized_keys on each node and in rescue.</summary>
    public IReadOnlyList<string> SshAuthorizedKeys { get; init; } = [];

    /// <summary>A directory whose files, rendered, are laid over each installed root. Null for none.</summary>
    public string? OverlayDirectory { get; init; }

    /// <summary>A directory whose files, rendered, take precedence over the boot tree. Null for none.</summary>
    public string? BootTemplates { get; init; }

    /// <summary>Words added to each board's kernel command line.</summary>
    public string KernelArguments { get; init; } = "";

    /// <summary>How often an install is tried before the node is left failed.</summary>
    public int Tries { get; init; } = 3;
}

/// <summary>When silence means something.</summary>
public sealed record LifecycleOptions
{
    /// <summary>How often a running node reports.</summary>
    public TimeSpan ReportInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A running node that has been silent for this long is lost.</summary>
    public TimeSpan LostAfter { get; init; } = TimeSpan.FromSeconds(100);

    /// <summary>A boot without a step for this long has stopped.</summary>
    public TimeSpan StallAfter { get; init; } = TimeSpan.FromMinutes(3);

    /// <summary>
    /// While so many nodes are on record, unknown boards are not taken down: a flood of made-up ones is bounded.
    /// </summary>
    public int MaxNodes { get; init; } = 8192;
}

/// <summary>Whether and how often a stopped boot is power-cycled.</summary>
public sealed record WatchdogOptions
{
    public bool Enabled { get; init; } = true;

    /// <summary>Power cycles for one stall; then the node stays failed until someone looks.</summary>
    public int Tries { get; init; } = 3;

    /// <summary>How long the port stays off.</summary>
    public TimeSpan OffTime { get; init; } = TimeSpan.FromSeconds(5);
}

/// <summary>
/// A device that feeds boards, as the configuration names it; secrets are read from their files at start.
/// </summary>
public sealed record PowerDeviceSection
{
    public required string Name { get; init; }

    public required string Driver { get; init; }

    public string Host { get; init; } = "";

    public int Port { get; init; } = 161;

    public string Version { get; init; } = "2c";

    public string? CommunityFile { get; init; }

    /// <summary>Where a switch wants another community for its address tables.</summary>
    public string? FindCommunityFile { get; init; }

    public string User { get; init; } = "";

    public string AuthProtocol { get; init; } = "";

    public string? AuthPasswordFile { get; init; }

    public string PrivProtocol { get; init; } = "";

    public string? PrivPasswordFile { get; init; }

    public int Group { get; init; } = 1;

    public int PortOffset { get; init; }

    /// <summary>Null: the driver's own (1 s for the first SNMP try, 30 s for a program).</summary>
    public TimeSpan? Timeout { get; init; }

    public int Retries { get; init; } = 2;

    public IReadOnlyList<string> Command { get; init; } = [];
}

/// <summary>A node known before it was ever heard; what the API sets later takes precedence.</summary>
public sealed record NodeOptions
{
    public required MacAddress Mac { get; init; }

    public string? Name { get; init; }

    public int? Number { get; init; }

    public IPv4Address? Address { get; init; }

    public string? Image { get; init; }

    public DiskRule? Disk { get; init; }

    public string? PowerDevice { get; init; }

    public string? PowerPort { get; init; }

    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>DHCP options for this node alone; null for none.</summary>
    public DhcpOptionSet? Options { get; init; }
}
