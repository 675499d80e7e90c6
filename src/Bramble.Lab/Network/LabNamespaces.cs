using Bramble.Processes;
using Bramble.Wire;

namespace Bramble.Lab.Network;

/// <summary>
/// Two network namespaces and the cable between them: <c>NAME-mgr</c> for the manager, <c>NAME-lab</c> for the boards;
/// if wished, one between them with a DHCP relay, and one beside them with another DHCP server. Nothing of it touches
/// any other network of the machine.
/// </summary>
/// <remarks>
/// In the lab's namespace every address of the network but the manager's is local, so a socket can have the address of
/// any board; a firewall rule takes frames to any MAC for our own; the kernel's ARP is off, because the lab answers
/// for each board with that board's MAC. RST and ICMP errors are not let out: a board without power says nothing.
/// </remarks>
internal sealed class LabNamespaces(string name, IPv4Prefix manager)
{
    public const string LabInterface = "lab0";
    private const string VethName = "mgr0";
    private const string BridgeName = "br0";
    public const string RelayUp = "up0";
    public const string RelayDown = "down0";

    public string ManagerNamespace => name + "-mgr";

    public string LabNamespace => name + "-lab";

    /// <summary>Where another DHCP server is (see <see cref="RivalServer"/>).</summary>
    public string RivalNamespace => name + "-rival";

    /// <summary>What stands between manager and boards, if they are not on one network.</summary>
    public string RelayNamespace => name + "-relay";

    /// <summary>Makes what is not there yet. Returns the manager's interface.</summary>
    /// <param name="bridge">Puts the manager's address on a bridge, which emulated boards join.</param>
    /// <param name="far">
    /// The boards' network and the relay's address on it; null puts them on the manager's network.
    /// </param>
    /// <exception cref="IOException">A step failed; says which and why.</exception>
    public async Task<string> UpAsync(bool bridge, IPv4Prefix? far, CancellationToken cancellation)
    {
        await MakeAsync(ManagerNamespace, cancellation);
        await MakeAsync(LabNamespace, cancellation);
        if (far is not { } boards)
        {
            await CableAsync(ManagerNamespace, VethName, LabNamespace, LabInterface, cancellation);
            var near = await ManagerSideAsync(bridge, cancellation);
            await LabSideAsync(manager, ManagerNamespace, near, cancellation);
            return near;
        }
        await MakeAsync(RelayNamespace, cancellation);
        await CableAsync(ManagerNamespace, VethName, RelayNamespace, RelayUp, cancellation);
        await CableAsync(RelayNamespace, RelayDown, LabNamespace, LabInterface, cancellation);
        var face = await ManagerSideAsync(bridge, cancellation);
        var own = new IPv4Address(manager.Address.Bits + 1);
        await AddressAsync(RelayNamespace, RelayUp, new IPv4Prefix(own, manager.Length), cancellation);
        await AddressAsync(RelayNamespace, RelayDown, boards, cancellation);
        await ToolAsync("ip", ["netns", "exec", RelayNamespace, "sysctl", "-qw", "net.ipv4.ip_forward=1"], null,
            cancellation);
        await IpAsync(cancellation, "-n", ManagerNamespace, "route", "replace", $"{boards.Network}/{boards.Length}",
            "via", own.ToString());
        await LabSideAsync(boards, RelayNamespace, RelayDown, cancellation);
        // The lab's only way to the manager; the route of a connected network is not there without an address.
        await IpAsync(cancellation, "-n", LabNamespace, "route", "replace", $"{manager.Network}/{manager.Length}",
            "via", boards.Address.ToString(), "dev", LabInterface, "onlink");
        return face;
    }

    /// <summary>Hangs one more namespace off the manager's bridge, by an interface with an address.</summary>
    /// <exception cref="IOException">No bridge there: the network was not made with one.</exception>
    public async Task PlugAsync(
        string space, string face, string plug, IPv4Prefix address, CancellationToken cancellation)
    {
        if (!await ExistsAsync(ManagerNamespace, BridgeName, cancellation))
            throw new IOException($"there is no bridge in {ManagerNamespace}: 'bramble-lab net up --qemu' makes one");
        await MakeAsync(space, cancellation);
        await CableAsync(ManagerNamespace, plug, space, face, cancellation);
        await IpAsync(cancellation, "-n", ManagerNamespace, "link", "set", plug, "master", BridgeName, "up");
        await AddressAsync(space, face, address, cancellation);
    }

    /// <summary>Removes a namespace with its cables, if it is there.</summary>
    public static async Task UnplugAsync(string space)
    {
        var there = await NamesAsync(CancellationToken.None);
        if (there.Contains(space)) await IpAsync(CancellationToken.None, "netns", "del", space);
    }

    /// <summary>Removes all, and with them the cables; what is not there is no error.</summary>
    public async Task DownAsync()
    {
        foreach (var space in (string[])[RivalNamespace, LabNamespace, RelayNamespace, ManagerNamespace])
            await UnplugAsync(space);
    }

    private static async Task MakeAsync(string space, CancellationToken cancellation)
    {
        var there = await NamesAsync(cancellation);
        if (!there.Contains(space)) await IpAsync(cancellation, "netns", "add", space);
        await IpAsync(cancellation, "-n", space, "link", "set", "lo", "up");
    }

    private static async Task CableAsync(
        string space, string face, string otherSpace, string otherFace, CancellationToken cancellation)
    {
        if (await ExistsAsync(space, face, cancellation)) return;
        await IpAsync(cancellation, "link", "add", face, "netns", space,
            "type", "veth", "peer", "name", otherFace, "netns", otherSpace);
    }

    private static async Task AddressAsync(
        string space, string face, IPv4Prefix address, CancellationToken cancellation)
    {
        await IpAsync(cancellation, "-n", space, "address", "replace", address.ToString(),
            "broadcast", address.Broadcast.ToString(), "dev", face);
        await IpAsync(cancellation, "-n", space, "link", "set", face, "up");
    }

    private async Task<string> ManagerSideAsync(bool bridge, CancellationToken cancellation)
    {
        var space = ManagerNamespace;
        if (bridge && !await ExistsAsync(space, BridgeName, cancellation))
        {
            await IpAsync(cancellation, "-n", space, "link", "add", BridgeName, "type", "bridge", "forward_delay", "0");
            await IpAsync(cancellation, "-n", space, "address", "flush", "dev", VethName);
        }
        var bridged = await ExistsAsync(space, BridgeName, cancellation);
        var face = bridged ? BridgeName : VethName;
        if (bridged) await IpAsync(cancellation, "-n", space, "link", "set", VethName, "master", BridgeName);
        await IpAsync(cancellation, "-n", space, "link", "set", VethName, "up");
        await AddressAsync(space, face, manager, cancellation);
        return face;
    }

    /// <param name="gate">The network of the boards, and the one address of it that is not in the lab.</param>
    /// <param name="face">Where that address is.</param>
    private async Task LabSideAsync(
        IPv4Prefix gate, string gateSpace, string face, CancellationToken cancellation)
    {
        var space = LabNamespace;
        await ToolAsync("ip", ["netns", "exec", space, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1",
            "net.ipv4.conf.all.rp_filter=0", $"net.ipv4.conf.{LabInterface}.rp_filter=0"], null, cancellation);
        await IpAsync(cancellation, "-n", space, "link", "set", LabInterface, "arp", "off", "up");
        await IpAsync(cancellation, "-n", space, "route", "replace", "unicast", $"{gate.Address}/32",
            "dev", LabInterface, "table", "local");
        await IpAsync(cancellation, "-n", space, "route", "replace", "local",
            $"{gate.Network}/{gate.Length}", "dev", LabInterface, "table", "local");
        var mac = (await ToolAsync("ip", ["netns", "exec", gateSpace, "cat", $"/sys/class/net/{face}/address"],
            null, cancellation)).Trim();
        await IpAsync(cancellation, "-n", space, "neighbour", "replace", gate.Address.ToString(),
            "lladdr", mac, "nud", "permanent", "dev", LabInterface);
        // "add" and then "delete" makes each table afresh, whether it was there or not.
        await ToolAsync("ip", ["netns", "exec", space, "nft", "-f", "-"], $$"""
            add table netdev lab
            delete table netdev lab
            table netdev lab {
              chain in {
                type filter hook ingress device {{LabInterface}} priority 0;
                meta pkttype other meta pkttype set host
              }
            }
            add table ip lab
            delete table ip lab
            table ip lab {
              chain out {
                type filter hook output priority 0;
                oifname {{LabInterface}} icmp type destination-unreachable drop
                oifname {{LabInterface}} tcp flags & rst == rst drop
              }
            }

            """, cancellation);
    }

    private static async Task<HashSet<string>> NamesAsync(CancellationToken cancellation)
    {
        var list = await ToolAsync("ip", ["netns", "list"], null, cancellation);
        return [.. list.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ')[0])];
    }

    private static async Task<bool> ExistsAsync(string space, string face, CancellationToken cancellation) =>
        (await ChildProcess.RunAsync("ip", ["-n", space, "link", "show", face], cancellation: cancellation)).Succeeded;

    private static Task<string> IpAsync(CancellationToken cancellation, params string[] arguments) =>
        ToolAsync("ip", arguments, null, cancellation);

    private static async Task<string> ToolAsync(
        string tool, string[] arguments, string? input, CancellationToken cancellation)
    {
        var result = await ChildProcess.RunAsync(tool, arguments, input, timeout: TimeSpan.FromSeconds(20),
            cancellation: cancellation);
        return result.Succeeded
            ? result.Output
            : throw new IOException($"{tool} {string.Join(' ', arguments)}: {result.Complaint}");
    }
}
