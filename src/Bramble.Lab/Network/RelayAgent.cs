using Bramble.Wire;

namespace Bramble.Lab.Network;

/// <summary>
/// A DHCP relay between the boards' network and the manager's: ISC's dhcrelay, in the namespace that also routes
/// between the two.
/// </summary>
internal sealed class RelayAgent(LabNamespaces spaces, IPv4Address server)
{
    /// <summary>Runs until cancelled.</summary>
    /// <param name="said">Told each line of its log.</param>
    /// <exception cref="IOException">It cannot be started, or has ended.</exception>
    public Task RunAsync(Action<string> said, CancellationToken cancellation) => ForegroundProgram.RunAsync(
        spaces.RelayNamespace, "/usr/sbin/dhcrelay", "isc-dhcp-relay",
        [
            // It says who it is in option 82, as the relays in switches do.
            "-4", "-d", "--no-pid", "-a", "-iu", LabNamespaces.RelayUp, "-id", LabNamespaces.RelayDown,
            server.ToString(),
        ], said, cancellation);
}
