using Bramble.Processes;
using Bramble.Wire;

namespace Bramble.Lab.Network;

/// <summary>
/// Two network namespaces and the cable between them: <c>NAME-mgr</c> for the manager, <c>NAME-lab</c> for the boards.
/// Nothing of it touches any other network of the machine.
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

    public string ManagerNamespace => name + "-mgr";

    public string LabNamespace => name + "-lab";

    /// <summary>Makes what is not there yet. Returns the manager's interface.</summary>
    /// <param name="bridge">Puts the manager's address on a bridge, which emulated boards join.</param>
    /// <exception cref="IOException">A step failed; says which and why.</exception>
    public async Task<string> UpAsync(bool bridge, CancellationToken cancellation)
    {
        var there = await NamesAsync(cancellation);
        foreach (var space in (string[])[ManagerNamespace, LabNamespace])
        {
            if (!there.Contains(space)) await IpAsync(cancellation, "netns", "add", space);
            await IpAsync(cancellation, "-n", space, "link", "set", "lo", "up");
        }
        if (!await ExistsAsync(ManagerNamespace, VethName, cancellation))
        {
            await IpAsync(cancellation, "link", "add", VethName, "netns", ManagerNamespace,
                "type", "veth", "peer", "name", LabInterface, "netns", LabNamespace);
        }
        var face = await ManagerSideAsync(bridge, cancellation);
        await LabSideAsync(face, cancellation);
        return face;
    }

    /// <summary>Removes both, and with them the cable; what is not there is no error.</summary>
    public async Task DownAsync(CancellationToken cancellation)
    {
        var there = await NamesAsync(cancellation);
        foreach (var space in (string[])[LabNamespace, ManagerNamespace])
            if (there.Contains(space)) await IpAsync(cancellation, "netns", "del", space);
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
        await IpAsync(cancellation, "-n", space, "address", "replace", manager.ToString(),
            "broadcast", manager.Broadcast.ToString(), "dev", face);
        await IpAsync(cancellation, "-n", space, "link", "set", VethName, "up");
        await IpAsync(cancellation, "-n", space, "link", "set", face, "up");
        return face;
    }

    private async Task LabSideAsync(string face, CancellationToken cancellation)
    {
        var space = LabNamespace;
        await ToolAsync("ip", ["netns", "exec", space, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1",
            "net.ipv4.conf.all.rp_filter=0", $"net.ipv4.conf.{LabInterface}.rp_filter=0"], null, cancellation);
        await IpAsync(cancellation, "-n", space, "link", "set", LabInterface, "arp", "off", "up");
        await IpAsync(cancellation, "-n", space, "route", "replace", "unicast", $"{manager.Address}/32",
            "dev", LabInterface, "table", "local");
        await IpAsync(cancellation, "-n", space, "route", "replace", "local",
            $"{manager.Network}/{manager.Length}", "dev", LabInterface, "table", "local");
        var mac = (await ToolAsync("ip", ["netns", "exec", ManagerNamespace, "cat", $"/sys/class/net/{face}/address"],
            null, cancellation)).Trim();
        await IpAsync(cancellation, "-n", space, "neighbour", "replace", manager.Address.ToString(),
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
