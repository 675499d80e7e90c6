using Bramble.Wire;

namespace Bramble.Boot.Dhcp;

/// <summary>A datagram that came in.</summary>
internal readonly record struct DhcpDatagram(int Length, IPv4Address Source, int SourcePort);

/// <summary>One port on one interface. The seam at which tests put a network of their own.</summary>
internal interface IDhcpChannel : IInterfaceChannel
{
    /// <exception cref="IOException">The channel broke; it must be opened anew.</exception>
    ValueTask<DhcpDatagram> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellation);

    /// <summary>Sends at once or throws; never waits. Thread-safe.</summary>
    /// <exception cref="IOException">The network refused it.</exception>
    void Send(ReadOnlySpan<byte> packet, in DhcpDestination to);
}
