namespace Bramble.Boot.Dhcp;

/// <summary>
/// How a server gets at the network. Each opens in the network namespace of the calling thread, and throws IOException
/// with the cause if it cannot.
/// </summary>
/// <param name="Open">Opens a UDP port on the network's interface.</param>
/// <param name="OpenProbe">Opens the way to try addresses; null to offer them untried.</param>
/// <param name="OpenLink">Opens the frames in which other servers speak to clients; null not to listen to them.</param>
internal sealed record DhcpWires(
    Func<DhcpNetwork, int, IDhcpChannel> Open,
    Func<DhcpNetwork, AddressProbe, IProbeChannel>? OpenProbe = null,
    Func<DhcpNetwork, ILinkChannel>? OpenLink = null)
{
    public static DhcpWires Real { get; } = new(DhcpSocket.Open, OpenRealProbe,
        network => LinkSocket.Open(
            network.Interface, LinkSocket.TypeIPv4, LinkSocket.UdpTo((ushort)network.ClientPort)));

    public static IProbeChannel OpenRealProbe(DhcpNetwork network, AddressProbe kind) => kind == AddressProbe.Arp
        ? new ArpProbe(LinkSocket.Open(network.Interface, LinkSocket.TypeArp)) : IcmpProbe.Open(network.Interface);
}
