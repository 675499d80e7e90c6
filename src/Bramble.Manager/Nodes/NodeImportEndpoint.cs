using Bramble.Contracts.Api;
using Bramble.Contracts.Nodes;
using Bramble.Contracts.Security;
using Bramble.Manager.Api;
using Bramble.Manager.Configuration;
using Bramble.Manager.Events;

namespace Bramble.Manager.Nodes;

/// <summary>The REST door for many nodes at once.</summary>
public static class NodeImportEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost(ApiRoutes.NodeImport, ImportAsync).RequireAuthorization(nameof(Role.Operator));

    private static async Task<IResult> ImportAsync(
        NodeImportRequest request, NodeRegistry nodes, EventLog events, BrambleOptions options, HttpContext context)
    {
        if (request.Nodes.Count > NodeImport.Bound)
        {
            throw ProblemException.BadRequest($"an import of {request.Nodes.Count} nodes is too large; "
                + $"{NodeImport.Bound} are allowed at once");
        }
        var actor = NodeEndpoints.Actor(context);
        IReadOnlyList<NodeImportOutcome> outcomes = [];
        var done = false;
        var (_, durable) = nodes.ChangeMany(now =>
        {
            (outcomes, var wanted) = NodeImport.Plan(request, now, options);
            done = !request.DryRun && (request.SkipBad || !outcomes.Any(NodeImport.IsRefused));
            return done ? wanted : [];
        }, actor);
        await durable.ConfigureAwait(false);
        var added = outcomes.Count(o => o.Verdict == NodeImportVerdict.Added);
        var changed = outcomes.Count(o => o.Verdict == NodeImportVerdict.Changed);
        if (done && added + changed > 0)
            events.Add("nodes.imported", null, null, actor, $"{request.Source}: {added} added, {changed} changed");
        return Json.Of(new NodeImportResult(request.DryRun, done, outcomes));
    }
}
