namespace Bramble.Contracts.Dhcp;

/// <summary>What the DHCP server of a network has counted since the manager's start.</summary>
/// <param name="Ignored">Packets without an answer, by reason; only reasons that occurred.</param>
/// <param name="Waiting">Answers that wait for their delay now.</param>
/// <param name="OtherServers">DHCP servers heard on the network beside the manager, where it is authoritative.</param>
public sealed record DhcpCountsView(
    string Network, long Received, long Sent, IReadOnlyDictionary<string, long> Ignored, int Waiting,
    IReadOnlyList<OtherServerView> OtherServers);

/// <param name="Mac">Where its answer came from: the server itself, or a router before it.</param>
public sealed record OtherServerView(string Address, string Mac, DateTimeOffset LastHeardAt);
