using Bramble.Wire;
using Bramble.Wire.Dhcp;

namespace Bramble.Lab.Network;

/// <summary>The cable that all boards hang off. A real network namespace, or a scripted one in tests.</summary>
internal interface IBoardNetwork
{
    /// <summary>
    /// Plugs a board in. Disposing the link is what a power cut does: nothing more leaves, not even a farewell.
    /// </summary>
    IBoardLink Attach(MacAddress mac);
}

/// <summary>A DHCP message as a board's own network hardware got it.</summary>
internal sealed record DhcpArrival(DhcpPacket Packet, MacAddress SourceMac, IPv4Address Source);

/// <summary>A board's network port, alive as long as the board has power.</summary>
internal interface IBoardLink : IDisposable
{
    MacAddress Mac { get; }

    /// <summary>The address that the board answers ARP for; <see cref="IPv4Address.Any"/> for none.</summary>
    IPv4Address Address { get; set; }

    /// <summary>True while the board does not answer ARP, as a 3B does not during TFTP.</summary>
    bool ArpMuted { get; set; }

    /// <summary>Sends from port 68 to port 67.</summary>
    /// <param name="server">Null broadcasts; else the server's address and MAC.</param>
    void SendDhcp(DhcpPacket packet, IPv4Address source, (IPv4Address Address, MacAddress Mac)? server = null);

    /// <summary>Asks by ARP who has an address; the neighbour table has the answer already.</summary>
    void AskWho(IPv4Address address);

    /// <summary>The next DHCP message to this board's MAC; null when the time is over.</summary>
    ValueTask<DhcpArrival?> ReceiveDhcpAsync(TimeSpan wait, CancellationToken cancellation);

    /// <summary>A UDP socket of the board's address.</summary>
    /// <param name="port">0 for any.</param>
    IDatagramPort OpenUdp(ushort port = 0);

    /// <summary>
    /// An HTTP client that speaks from the board's address, one connection a request as busybox's wget does.
    /// </summary>
    HttpMessageInvoker OpenHttp();
}

/// <summary>A UDP socket. Disposing it ends a pending receive.</summary>
internal interface IDatagramPort : IDisposable
{
    void Send(ReadOnlySpan<byte> datagram, IPv4Address address, ushort port);

    /// <exception cref="ObjectDisposedException">The socket was closed while waiting.</exception>
    ValueTask<Datagram> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellation);
}

/// <summary>Where a datagram came from, and how many octets of the buffer it takes.</summary>
internal readonly record struct Datagram(int Length, IPv4Address Address, ushort Port);
