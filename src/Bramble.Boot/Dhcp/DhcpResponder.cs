using System.Text;
using Bramble.Wire;
using Bramble.Wire.Dhcp;

namespace Bramble.Boot.Dhcp;

/// <summary>
/// Decides what a packet gets, without any I/O (RFC 2131 §4.3). What it changes is in the <see cref="LeaseTable"/> it
/// is given: addresses held, never a lease that is not yet durable.
/// </summary>
public static class DhcpResponder
{
    /// <summary>Refuses what is no question to a server, before anybody looks up the board.</summary>
    public static DhcpDecision.Ignore? Screen(DhcpPacket packet, DhcpNetwork network)
    {
        if (packet.Operation != DhcpOperation.Request)
            return Ignore(DhcpIgnoreReason.NotARequest, "a server's answer, not a question");
        if (!packet.IsEthernet || packet.Mac.Bits == 0 || packet.Mac.IsMulticast)
            return Ignore(DhcpIgnoreReason.NoHardwareAddress, "no Ethernet address of a single station in chaddr");
        if (packet.MessageType == DhcpMessageType.None && packet.Options.Contains(DhcpOption.MessageType))
            return Ignore(DhcpIgnoreReason.NoMessageType, "the message type (option 53) is not one octet");
        if (packet.MessageType is not (DhcpMessageType.None or DhcpMessageType.Discover or DhcpMessageType.Request
            or DhcpMessageType.Decline or DhcpMessageType.Release or DhcpMessageType.Inform))
            return Ignore(DhcpIgnoreReason.UnexpectedMessage,
                $"a client does not send message type {packet.MessageType}");
        if (!packet.RelayAddress.IsAny && !network.Subnet.Contains(DhcpNetworks.LinkOf(packet)))
            return Ignore(DhcpIgnoreReason.RelayedFromElsewhere, $"relayed by {packet.RelayAddress} for "
                + $"{DhcpNetworks.LinkOf(packet)}, which is on no network that is configured here");
        return null;
    }

    /// <summary>The whole decision for a packet that passed <see cref="Screen"/>.</summary>
    public static DhcpDecision Decide(
        DhcpPacket packet, DhcpIngress ingress, BoardIdentity board, BoardPlan plan, DhcpNetwork network,
        LeaseTable leases, DateTimeOffset now, DhcpTrace? trace = null)
    {
        if (plan.Admission == Admission.AwaitsAdoption)
            return Ignore(DhcpIgnoreReason.AwaitsAdoption, "unknown board, waiting to be adopted");
        if (plan.Admission == Admission.NotReady)
            return Ignore(DhcpIgnoreReason.LoaderMissing, plan.Missing);
        if (plan.Admission == Admission.TooManyStrangers)
            return Ignore(DhcpIgnoreReason.TooManyStrangers,
                "unknown board, and no more unknown boards are taken down: adopt or forget some");
        if (plan.Admission != Admission.Serve)
            return Ignore(DhcpIgnoreReason.NotAdmitted, "not a board of ours");
        if (board.Family.IsPi() && !plan.NetBoot)
            return Ignore(DhcpIgnoreReason.NetBootOff, "its boot ROM is left to start from its own disk");

        var asked = new DhcpQuestion(packet, ingress, board, plan, network, leases, now, trace);
        if (network.Mode == DhcpMode.Proxy || ingress.ProxyPort) return Proxy(asked);
        return packet.MessageType switch
        {
            DhcpMessageType.Discover => Discover(asked),
            DhcpMessageType.Request => Request(asked),
            DhcpMessageType.Decline => Decline(asked),
            DhcpMessageType.Release => Release(asked),
            DhcpMessageType.Inform => Inform(asked),
            DhcpMessageType.None => Bootp(asked),
            _ => Ignore(DhcpIgnoreReason.UnexpectedMessage, $"message type {packet.MessageType}"),
        };
    }

    private static DhcpDecision Discover(in DhcpQuestion q)
    {
        q.Packet.Options.TryGetAddress(DhcpOption.RequestedAddress, out var wish);
        var silent = q.Board.Family.NeverRequests();
        var allocation = Allocate(q, wish, binds: silent, reservedOnly: false);
        switch (allocation.Outcome)
        {
            case AllocationOutcome.NoReservation:
                return Ignore(DhcpIgnoreReason.NoReservation,
                    $"network {q.Network.Name} serves reservations only, and there is none free for {q.Packet.Mac}");
            case AllocationOutcome.Exhausted:
                return Ignore(DhcpIgnoreReason.PoolExhausted,
                    $"no free address on network {q.Network.Name}: enlarge its pools or shorten its lease time");
        }
        var (address, time) = (allocation.Address, q.LeaseTime);
        var reply = DhcpReplies.Binding(DhcpMessageType.Offer, q, address, time);
        DhcpDecision offer = Reply(q, reply, Towards(q, address), $"offered {DhcpReplies.Words(address, time)}") with
        {
            // It uses the address from the OFFER on, so the OFFER promises what an ACK does to others.
            Commit = silent ? LeaseFor(q, address, time) : null,
            Delay = silent ? q.Network.Pi3OfferDelay : TimeSpan.Zero,
            Probe = IsUntried(q, allocation),
        };
        return offer;
    }

    /// <summary>
    /// RFC 1534 §2: an address for ever, from the answer on. Who wants no more than a boot file gets none from here.
    /// </summary>
    private static DhcpDecision Bootp(in DhcpQuestion q)
    {
        var allocation = Allocate(q, q.Packet.ClientAddress, binds: true, reservedOnly: !q.Network.Bootp);
        switch (allocation.Outcome)
        {
            case AllocationOutcome.NoReservation:
                return Ignore(DhcpIgnoreReason.BootpUnreserved, $"a BOOTP client without a reservation on network "
                    + $"{q.Network.Name}, which gives it none of the pool (bootp: true would)");
            case AllocationOutcome.Exhausted:
                return Ignore(DhcpIgnoreReason.PoolExhausted,
                    $"no free address on network {q.Network.Name}: enlarge its pools or shorten its lease time");
        }
        var address = allocation.Address;
        var reply = DhcpReplies.Bootp(q, address);
        var words = $"bound {DhcpReplies.Words(address, q.LeaseTime)}";
        DhcpDecision answer = Reply(q, reply, Towards(q, address), words) with
        {
            Commit = LeaseFor(q, address, q.LeaseTime),
            Probe = IsUntried(q, allocation),
            // RFC 951 §3: 64 octets of vendor information, and not one more.
            MaximumSize = DhcpPacket.MinimumSize,
        };
        return answer;
    }

    private static Allocation Allocate(in DhcpQuestion q, IPv4Address wish, bool binds, bool reservedOnly)
    {
        var allocation = q.Leases.Allocate(new AddressQuestion(q.Network, q.Packet.Mac)
        {
            Reserved = q.Plan.Reserved,
            Wish = wish,
            IsKnown = q.IsKnown,
            Binds = binds,
            ReservedOnly = reservedOnly,
        });
        if (allocation.Outcome == AllocationOutcome.Found)
            q.Trace?.Note($"address {allocation.Address}: {allocation.Words}");
        return allocation;
    }

    /// <summary>
    /// What is reserved is the operator's to keep free, and whoever holds an address would answer to the probe itself.
    /// </summary>
    private static bool IsUntried(in DhcpQuestion q, Allocation allocation) => q.Network.Probe != AddressProbe.None
        && allocation.Source is not (AddressSource.Reservation or AddressSource.Held);

    /// <summary>
    /// RFC 2131 §4.3.2: the state of the client is told by which of option 54, option 50 and ciaddr it fills.
    /// </summary>
    private static DhcpDecision Request(in DhcpQuestion q)
    {
        var packet = q.Packet;
        var selecting = packet.Options.TryGetAddress(DhcpOption.ServerIdentifier, out var server);
        if (selecting && !q.IsUs(server))
        {
            q.Leases.DropOffer(q.Network.Name, packet.Mac);
            return Ignore(DhcpIgnoreReason.ForAnotherServer, $"the client chose the server {server}");
        }
        var wished = packet.Options.TryGetAddress(DhcpOption.RequestedAddress, out var address);
        var renewal = !selecting && !wished && !packet.ClientAddress.IsAny;
        // Some clients fill ciaddr where RFC 2131 table 5 wants option 50.
        if (!wished) address = packet.ClientAddress;
        if (address.IsAny)
            return Ignore(DhcpIgnoreReason.UnknownLease, "the REQUEST names no address");

        var outcome = q.Leases.Claim(q.Network, packet.Mac, q.Plan.Reserved, address, renewal);
        if (outcome == ClaimOutcome.Granted)
        {
            var time = q.LeaseTime;
            q.Trace?.Note($"address {address}: the client asks for it and may have it");
            var reply = DhcpReplies.Binding(DhcpMessageType.Ack, q, address, time);
            return Reply(q, reply, Towards(q, address), $"bound {DhcpReplies.Words(address, time)}") with
            {
                Commit = LeaseFor(q, address, time),
            };
        }
        var why = outcome switch
        {
            ClaimOutcome.WrongAddress => $"{address} is not to be had on this network",
            ClaimOutcome.HeldByAnother => $"{address} belongs to another client",
            ClaimOutcome.ReservedElsewhere => $"another address than {address} is reserved for this client",
            _ => $"no record of {address}",
        };
        // Who is not authoritative keeps silent about what it never gave (RFC 2131 §4.3.2), except to who chose it.
        var vouches = q.Network.Mode == DhcpMode.Authoritative || selecting
            || outcome is ClaimOutcome.ReservedElsewhere
            || (outcome is ClaimOutcome.WrongAddress && q.Leases.TryFind(q.Network.Name, packet.Mac, out _));
        if (!vouches) return Ignore(DhcpIgnoreReason.UnknownLease, why);
        var to = packet.RelayAddress.IsAny
            ? new DhcpDestination(IPv4Address.Broadcast, q.Network.ClientPort)
            : new DhcpDestination(packet.RelayAddress, q.Network.ServerPort);
        return Reply(q, DhcpReplies.Nak(q, why), to, $"refused: {why}");
    }

    private static DhcpDecision Decline(in DhcpQuestion q)
    {
        if (IsForAnother(q, out var other)) return other;
        q.Packet.Options.TryGetAddress(DhcpOption.RequestedAddress, out var address);
        return q.Leases.Decline(q.Network.Name, q.Packet.Mac, address) is { } declined
            ? new DhcpDecision.Noted($"{address} is in use by a stranger: set aside for "
                + $"{LeaseTable.Quarantine.TotalMinutes:0} minutes", declined)
            : Ignore(DhcpIgnoreReason.NotItsAddress, $"declined {address}, which it was not given");
    }

    private static DhcpDecision Release(in DhcpQuestion q)
    {
        if (IsForAnother(q, out var other)) return other;
        return q.Leases.Release(q.Network.Name, q.Packet.Mac, q.Packet.ClientAddress) is { } lease
            ? new DhcpDecision.Noted($"gave back {lease.Address}", lease)
            : Ignore(DhcpIgnoreReason.NotItsAddress, $"released {q.Packet.ClientAddress}, which it does not hold");
    }

    /// <summary>RFC 2131 §4.3.5: the client has its address from elsewhere.</summary>
    private static DhcpDecision Inform(in DhcpQuestion q)
    {
        var address = !q.Packet.ClientAddress.IsAny ? q.Packet.ClientAddress : q.Ingress.Source;
        if (!q.Network.Subnet.Contains(address))
            return Ignore(DhcpIgnoreReason.UnknownLease, $"INFORM from {address}, which is not on {q.Network.Subnet}");
        return Reply(q, DhcpReplies.Information(q),
            new DhcpDestination(address, q.Network.ClientPort), "informed");
    }

    /// <summary>Boot options beside the server that gives the address (PXE 2.1 §2.2).</summary>
    private static DhcpDecision Proxy(in DhcpQuestion q)
    {
        var pi = q.Board.Family.IsPi();
        var hasFile = q.Plan.NetBoot && DhcpReplies.HasBootFile(q.Board, q.Network);
        if (!pi && !hasFile)
            return Ignore(DhcpIgnoreReason.NotForProxy, "neither a Pi nor a PXE client with a boot file here");
        switch (q.Packet.MessageType)
        {
            case DhcpMessageType.Discover when !q.Ingress.ProxyPort:
                return Reply(q, DhcpReplies.Proxy(DhcpMessageType.Offer, q),
                    Relayed(q) ?? new DhcpDestination(IPv4Address.Broadcast, q.Network.ClientPort),
                    "offered boot options beside the network's own server") with
                {
                    Delay = q.Board.Family.NeverRequests() ? q.Network.Pi3OfferDelay : TimeSpan.Zero,
                };
            case DhcpMessageType.Request or DhcpMessageType.Inform when q.Ingress.ProxyPort:
                var client = !q.Packet.ClientAddress.IsAny ? q.Packet.ClientAddress : q.Ingress.Source;
                // PXE 2.1 §2.2.3: back to the port that the question came from.
                return client.IsAny
                    ? Ignore(DhcpIgnoreReason.UnknownLease, "a boot question from no address")
                    : Reply(q, DhcpReplies.Proxy(DhcpMessageType.Ack, q),
                        new DhcpDestination(client, q.Ingress.SourcePort), "boot options");
            case DhcpMessageType.Request:
                return Ignore(DhcpIgnoreReason.ForAnotherServer, "the REQUEST is for the server that gives addresses");
            default:
                return Ignore(DhcpIgnoreReason.NotForProxy, $"a proxy has no part in {q.Packet.MessageType}");
        }
    }

    private static bool IsForAnother(in DhcpQuestion q, out DhcpDecision decision)
    {
        // RFC 2131 table 5: DECLINE and RELEASE must name the server. Be lax about one that is missing.
        var other = q.Packet.Options.TryGetAddress(DhcpOption.ServerIdentifier, out var server)
            && !q.IsUs(server);
        decision = Ignore(DhcpIgnoreReason.ForAnotherServer, $"meant for the server {server}");
        return other;
    }

    /// <summary>RFC 2131 §4.1: relay, the client's own address, broadcast, or the new address by its MAC.</summary>
    private static DhcpDestination Towards(in DhcpQuestion q, IPv4Address address)
    {
        if (Relayed(q) is { } relay) return relay;
        var port = q.Network.ClientPort;
        var neighbour = (address, q.Packet.Mac);
        if (!q.Packet.ClientAddress.IsAny) return new DhcpDestination(q.Packet.ClientAddress, port);
        if (q.Board.Family.IsPi() || q.Packet.WantsBroadcast)
        {
            // Pis leave the flag at 0 and yet want a broadcast. The neighbour entry is for the TFTP that follows, and
            // replaces one that was pinned for a board which had the address before.
            return new DhcpDestination(IPv4Address.Broadcast, port)
            {
                Neighbour = neighbour,
                PinNeighbour = q.Board.Family.NeverRequests(),
            };
        }
        return new DhcpDestination(address, port) { Neighbour = neighbour };
    }

    private static DhcpDestination? Relayed(in DhcpQuestion q) =>
        q.Packet.RelayAddress.IsAny ? null : new DhcpDestination(q.Packet.RelayAddress, q.Network.ServerPort);

    private static Lease LeaseFor(in DhcpQuestion q, IPv4Address address, TimeSpan time) =>
        new(q.Network.Name, q.Packet.Mac, address)
        {
            BoundAt = q.Now,
            ExpiresAt = time < DateTimeOffset.MaxValue - q.Now ? q.Now + time : DateTimeOffset.MaxValue,
            Family = q.Board.Family,
            ClientId = q.Packet.Options.TryGet(DhcpOption.ClientIdentifier, out var id)
                ? Convert.ToHexStringLower(id[..Math.Min(id.Length, 64)]) : "",
            ClientHostName = q.Packet.Options.TryGetText(DhcpOption.HostName, out var name) ? Printable(name) : "",
        };

    private static string Printable(string name)
    {
        var kept = new StringBuilder();
        foreach (var c in name)
            if (c is > ' ' and < '\x7f' && kept.Length < 64) kept.Append(c);
        return kept.ToString();
    }

    private static DhcpDecision.Reply Reply(in DhcpQuestion q, DhcpPacket reply, DhcpDestination to, string detail) =>
        new(reply, to, detail) { MaximumSize = q.Packet.MaximumReplySize };

    private static DhcpDecision.Ignore Ignore(DhcpIgnoreReason reason, string text) => new(reason, text);
}
