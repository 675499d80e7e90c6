using Bramble.Wire;
using Bramble.Wire.Dhcp;

namespace Bramble.Boot.Dhcp;

/// <summary>Where a packet came in.</summary>
/// <param name="Source">The sender's address; 0.0.0.0 of a client that has none.</param>
/// <param name="SourcePort">The sender's port.</param>
/// <param name="ProxyPort">On the PXE port 4011 instead of 67.</param>
public readonly record struct DhcpIngress(IPv4Address Source, int SourcePort = 68, bool ProxyPort = false);

/// <summary>What to do about a packet.</summary>
public abstract record DhcpDecision
{
    private DhcpDecision()
    {
    }

    /// <summary>Answer it.</summary>
    public sealed record Reply(DhcpPacket Packet, DhcpDestination To, string Detail) : DhcpDecision
    {
        /// <summary>Must be durable before the answer leaves; null if the answer promises nothing.</summary>
        public Lease? Commit { get; init; }

        /// <summary>Wait so long, without holding up others.</summary>
        public TimeSpan Delay { get; init; }

        /// <summary>Whether the address should be tried before it is promised.</summary>
        public bool Probe { get; init; }

        /// <summary>Octets that the client takes.</summary>
        public int MaximumSize { get; init; } = DhcpPacket.DefaultMaximumSize;
    }

    /// <summary>No answer belongs to it (RELEASE, DECLINE), but it changed something.</summary>
    public sealed record Noted(string Detail, Lease? Commit = null) : DhcpDecision;

    /// <summary>No answer.</summary>
    public sealed record Ignore(DhcpIgnoreReason Reason, string Text) : DhcpDecision;
}

/// <summary>Where an answer goes.</summary>
public readonly record struct DhcpDestination(IPv4Address Address, int Port)
{
    /// <summary>
    /// The client does not answer ARP yet (it has no address) or soon will not (a 3B during TFTP): tell the kernel its
    /// MAC. If that fails, the answer is broadcast.
    /// </summary>
    public (IPv4Address Address, MacAddress Mac)? Neighbour { get; init; }

    /// <summary>The neighbour entry never ages: a 3B stops answering ARP during TFTP.</summary>
    public bool PinNeighbour { get; init; }
}
