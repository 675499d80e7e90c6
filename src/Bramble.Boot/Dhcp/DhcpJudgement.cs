using Bramble.Wire.Dhcp;

namespace Bramble.Boot.Dhcp;

/// <summary>
/// A packet's way from its octets to a decision: read it, find its network, screen it, tell the board, ask for its
/// plan, decide. The server goes it for every packet, an explanation goes it on copies.
/// </summary>
internal readonly record struct DhcpJudgement(
    DhcpDecision Decision, DhcpNetwork Network, DhcpPacket? Packet, BoardIdentity? Board, BoardPlan? Plan)
{
    public static DhcpJudgement Of(
        ReadOnlySpan<byte> octets, in DhcpIngress ingress, DhcpNetworks networks, IBootDirectory directory,
        LeaseTable leases, DateTimeOffset now, DhcpTrace? trace = null)
    {
        if (!DhcpPacket.TryRead(octets, out var packet, out var error))
            return Ignore(networks.Own, null, DhcpIgnoreReason.Malformed, error.ToString());
        var network = networks.Of(packet);
        var directly = network.Relayed is null ? "heard on its interface" : "by the client's own address";
        trace?.Note(packet.RelayAddress.IsAny ? $"network {network.Name}: {directly}"
            : $"network {network.Name}: relayed by {packet.RelayAddress} for {DhcpNetworks.LinkOf(packet)}");
        if (DhcpResponder.Screen(packet, network) is { } refused)
            return new DhcpJudgement(refused, network, packet, null, null);
        if (!BoardClassifier.TryClassify(packet, out var board, out error))
            return Ignore(network, packet, DhcpIgnoreReason.BadMachineIdentifier, error.ToString());
        if (network.Mode == DhcpMode.Proxy && board.Family == BoardFamily.PlainClient)
        {
            // Beside another server, what does not boot from the network is not even looked up: not ours to know.
            return Ignore(network, packet, DhcpIgnoreReason.NotForProxy, "not a network boot");
        }
        trace?.Note($"board: {DhcpMessageLabels.Describe(board)}");
        var plan = directory.Find(new BoardSighting(network.Name, packet.Mac, board)
        {
            IsRehearsal = trace is not null,
        });
        trace?.Note(plan is { Admission: Admission.Serve, HostName: { } name } ? $"node {name}"
            : $"no node of ours: {Words(plan.Admission)}");
        return new DhcpJudgement(
            DhcpResponder.Decide(packet, ingress, board, plan, network, leases, now, trace), network, packet, board,
            plan);
    }

    private static string Words(Admission admission) => admission switch
    {
        Admission.Serve => "served all the same",
        Admission.AwaitsAdoption => "waits to be adopted",
        Admission.TooManyStrangers => "there is no room for another stranger",
        _ => "not served",
    };

    private static DhcpJudgement Ignore(
        DhcpNetwork network, DhcpPacket? packet, DhcpIgnoreReason reason, string text) =>
        new(new DhcpDecision.Ignore(reason, text), network, packet, null, null);
}
