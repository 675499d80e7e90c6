using Bramble.Wire;
using Bramble.Wire.Dhcp;

namespace Bramble.Boot.Dhcp;

/// <summary>A packet with all that bears on its answer.</summary>
internal readonly record struct DhcpQuestion(
    DhcpPacket Packet, DhcpIngress Ingress, BoardIdentity Board, BoardPlan Plan, DhcpNetwork Network,
    LeaseTable Leases, DateTimeOffset Now, DhcpTrace? Trace)
{
    public bool IsBootp => Packet.MessageType == DhcpMessageType.None;

    /// <summary>A node of ours has a name.</summary>
    public bool IsKnown => Plan.HostName is not null;

    /// <summary>
    /// What the client is to call us (option 54): our address, unless its relay wants to stand between (RFC 5107).
    /// </summary>
    public IPv4Address ServerIdentifier =>
        RelayInformation.TryGetAddress(Packet, RelayInformation.ServerIdentifierOverride, out var relay)
            ? relay : Network.Server.Address;

    /// <summary>Whether a client that names this server means us.</summary>
    public bool IsUs(IPv4Address server) => server == Network.Server.Address || server == ServerIdentifier;

    /// <summary>How long the lease is: what the client asks for (option 51), within the network's bounds.</summary>
    public TimeSpan LeaseTime
    {
        get
        {
            var usual = Network.LeaseTime;
            if (IsBootp) return TimeSpan.MaxValue;
            if (Network is { LeaseMinimum: null, LeaseMaximum: null }
                || !Packet.Options.TryGetUInt32(DhcpOption.LeaseTime, out var seconds))
                return usual;
            var (least, most) = (Network.LeaseMinimum ?? usual, Network.LeaseMaximum ?? usual);
            var asked = TimeSpan.FromSeconds(seconds);
            return asked < least ? least : asked > most ? most : asked;
        }
    }

    public string LeaseRule => Network is { LeaseMinimum: null, LeaseMaximum: null }
        || !Packet.Options.Contains(DhcpOption.LeaseTime)
            ? $"network {Network.Name}: lease" : $"asked for, within the bounds of network {Network.Name}";
}
