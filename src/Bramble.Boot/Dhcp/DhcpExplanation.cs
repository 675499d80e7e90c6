using Bramble.Wire.Dhcp;

namespace Bramble.Boot.Dhcp;

/// <summary>One option of an answer, and the rule that put it there.</summary>
/// <param name="Sent">False for one that is left out because the client takes no answer that long.</param>
public sealed record ExplainedOption(DhcpOption Option, ReadOnlyMemory<byte> Value, string Rule, bool Sent);

/// <summary>What a packet would be answered now, and why.</summary>
/// <param name="Question">The packet; null if it cannot be read.</param>
/// <param name="Decision">The answer itself, or the reason why there is none.</param>
/// <param name="Notes">The steps that led to it, in words.</param>
/// <param name="Octets">The answer as it would be sent; empty if there is none.</param>
public sealed record DhcpExplanation(
    DhcpNetwork Network, DhcpPacket? Question, BoardIdentity? Board, DhcpDecision Decision,
    IReadOnlyList<string> Notes, IReadOnlyList<ExplainedOption> Options, ReadOnlyMemory<byte> Octets)
{
    /// <summary>
    /// Goes the server's own way with a packet, on a copy of the leases: nothing is held, stored, recorded or sent.
    /// </summary>
    /// <param name="network">The network on whose interface the packet came in.</param>
    /// <param name="relayed">The networks whose relays come in there too.</param>
    public static DhcpExplanation Of(
        ReadOnlySpan<byte> packet, in DhcpIngress ingress, DhcpNetwork network, IReadOnlyList<DhcpNetwork> relayed,
        IBootDirectory directory, LeaseTable leases, DateTimeOffset now)
    {
        var trace = new DhcpTrace();
        var networks = new DhcpNetworks(network, relayed);
        // Its leases are those of the one network that the packet belongs to.
        var own = DhcpPacket.TryRead(packet, out var read, out _) ? networks.Of(read) : network;
        var judged = DhcpJudgement.Of(
            packet, ingress, networks, directory, leases.Rehearse(own.Name), now, trace);
        var options = new List<ExplainedOption>();
        var octets = ReadOnlyMemory<byte>.Empty;
        if (judged.Decision is DhcpDecision.Reply reply)
        {
            var wanted = reply.Packet.Options;
            for (var i = 0; i < wanted.Count; i++)
            {
                var option = wanted.OptionAt(i);
                options.Add(new ExplainedOption(option, wanted.ValueAt(i).ToArray(), trace[option], Sent: true));
            }
            var buffer = new byte[reply.MaximumSize];
            octets = buffer.AsMemory(0, DhcpReplies.Write(reply.Packet, buffer));
            // What did not fit, the writer has taken out of the packet.
            for (var i = 0; i < options.Count; i++)
                if (!wanted.Contains(options[i].Option)) options[i] = options[i] with { Sent = false };
            if (reply.Delay > TimeSpan.Zero)
                trace.Note($"it waits {reply.Delay.TotalSeconds:0.#} s: a Pi 3 locks up if it is answered sooner");
            if (reply.Probe) trace.Note($"the address is tried first ({judged.Network.Probe})");
        }
        return new DhcpExplanation(
            judged.Network, judged.Packet, judged.Board, judged.Decision, trace.Notes, options, octets);
    }
}
