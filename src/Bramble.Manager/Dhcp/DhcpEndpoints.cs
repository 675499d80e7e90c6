using Bramble.Boot.Dhcp;
using Bramble.Contracts.Api;
using Bramble.Contracts.Dhcp;
using Bramble.Contracts.Security;
using Bramble.Manager.Api;
using Bramble.Wire.Dhcp;

namespace Bramble.Manager.Dhcp;

/// <summary>The REST door to what the DHCP servers count, and to what they would answer.</summary>
public static class DhcpEndpoints
{
    /// <summary>Packets in one request.</summary>
    private const int MostPackets = 200;

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet(ApiRoutes.Dhcp, Counts).RequireAuthorization(nameof(Role.Viewer));
        routes.MapPost(ApiRoutes.DhcpExplain, Explain).RequireAuthorization(nameof(Role.Viewer));
    }

    private static IResult Counts(DhcpService dhcp) => Json.Of<IReadOnlyList<DhcpCountsView>>(
        [.. dhcp.Snapshots.Select(s => new DhcpCountsView(s.Network, s.Received, s.Sent,
            s.Ignored.ToDictionary(i => i.Key.ToString(), i => i.Value), s.Delayed,
            [.. s.OtherServers.Select(o =>
                new OtherServerView(o.Address.ToString(), o.Mac.ToString(), o.LastHeardAt))]))]);

    private static IResult Explain(DhcpExplainRequest request, DhcpService dhcp)
    {
        if (request.Packets?.Count > MostPackets)
            throw ProblemException.BadRequest($"at most {MostPackets} packets are explained at once");
        return Json.Of<IReadOnlyList<DhcpExplanationView>>([.. dhcp.Explain(request).Select(View)]);
    }

    private static DhcpExplanationView View(DhcpExplanation explained)
    {
        var (outcome, reason, detail) = explained.Decision switch
        {
            DhcpDecision.Reply reply => ("answered", null, reply.Detail),
            DhcpDecision.Noted noted => ("noted", null, noted.Detail),
            DhcpDecision.Ignore ignore => ("ignored", ignore.Reason.ToString(), ignore.Text),
            _ => ("ignored", (string?)null, ""),
        };
        return new DhcpExplanationView(explained.Network.Name,
            explained.Question?.MessageType.Label() ?? "DHCP", explained.Question?.Mac.ToString(),
            explained.Board is { } board ? DhcpMessageLabels.Describe(board) : null, outcome, reason, detail,
            explained.Notes)
        {
            Answer = explained.Decision is DhcpDecision.Reply answer ? View(answer, explained) : null,
        };
    }

    private static DhcpAnswerView View(DhcpDecision.Reply reply, DhcpExplanation explained)
    {
        var packet = reply.Packet;
        return new DhcpAnswerView(
            packet.MessageType.AnswerLabel(), $"{reply.To.Address}:{reply.To.Port}",
            packet.YourAddress.IsAny ? null : packet.YourAddress.ToString(),
            packet.NextServer.IsAny ? null : packet.NextServer.ToString(),
            packet.File.IsEmpty ? null : System.Text.Encoding.Latin1.GetString(packet.File.Span),
            (int)reply.Delay.TotalMilliseconds,
            [.. explained.Options.Select(o => new DhcpOptionView((int)o.Option, DhcpOptionCatalog.NameOf(o.Option),
                DhcpOptionCatalog.Show(o.Option, o.Value.Span), Convert.ToHexStringLower(o.Value.Span), o.Rule,
                o.Sent))],
            Convert.ToHexStringLower(explained.Octets.Span));
    }
}
