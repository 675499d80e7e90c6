using Bramble.Wire;

namespace Bramble.Lab.Network;

/// <summary>
/// Another DHCP server on the rack's network: a real dnsmasq in a namespace of its own, <c>NAME-rival</c>, on the
/// manager's bridge. It gives addresses and knows nothing of network boot.
/// </summary>
/// <param name="pool">Its addresses: FIRST-LAST.</param>
internal sealed class RivalServer(LabNamespaces spaces, IPv4Prefix address, string pool)
{
    private const string Interface = "eth0";

    /// <summary>Runs until cancelled; then its namespace is gone.</summary>
    /// <param name="said">Told each line of its log.</param>
    /// <exception cref="IOException">It cannot be started, or has ended.</exception>
    public async Task RunAsync(Action<string> said, CancellationToken cancellation)
    {
        await spaces.PlugAsync(spaces.RivalNamespace, Interface, "rival0", address, cancellation);
        try
        {
            await ForegroundProgram.RunAsync(spaces.RivalNamespace, "/usr/sbin/dnsmasq", "dnsmasq-base",
            [
                "--keep-in-foreground", "--log-facility=-", "--conf-file=/dev/null", "--pid-file=", "--user=root",
                "--port=0", $"--interface={Interface}", "--bind-interfaces",
                $"--dhcp-range={pool.Replace('-', ',')},{address.Mask},1h", "--dhcp-authoritative", "--no-ping",
                "--leasefile-ro",
            ], said, cancellation);
        }
        finally
        {
            await LabNamespaces.UnplugAsync(spaces.RivalNamespace);
        }
    }
}
