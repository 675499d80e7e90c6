using Bramble.Contracts.Api;
using Bramble.Contracts.Nodes;
using Bramble.Contracts.Security;
using Bramble.Manager.Api;
using Bramble.Manager.Configuration;
using Bramble.Manager.Nodes.Timeline;
using Bramble.Manager.Provisioning;
using Bramble.Wire;

namespace Bramble.Manager.Nodes;

/// <summary>The REST door to nodes: list, show, change, act, and their timelines.</summary>
public static class NodeEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet(ApiRoutes.Nodes, List).RequireAuthorization(nameof(Role.Viewer));
        routes.MapPost(ApiRoutes.Nodes, CreateAsync).RequireAuthorization(nameof(Role.Operator));
        routes.MapGet(ApiRoutes.Node, Show).RequireAuthorization(nameof(Role.Viewer));
        routes.MapPatch(ApiRoutes.Node, PatchAsync).RequireAuthorization(nameof(Role.Operator));
        routes.MapGet(ApiRoutes.Timeline, TimelineAsync).RequireAuthorization(nameof(Role.Viewer));
        // Boot files may carry what an operator put into a template: not for everybody who may look.
        routes.MapGet(ApiRoutes.BootExplain, (string node, string? show, NodeRegistry nodes, BootExplainer explainer,
            TimeProvider clock) => Json.Of(explainer.Explain(One(nodes, node), show, clock.GetUtcNow())))
            .RequireAuthorization(nameof(Role.Operator));
        routes.MapPost(ApiRoutes.NodeAction, ActAsync).RequireAuthorization(nameof(Role.Operator));
    }

    /// <summary>The one node that a path names: by id-like number, name, MAC address or serial.</summary>
    public static NodeSnapshot One(NodeRegistry nodes, string selector)
    {
        var found = Select(nodes, [selector], all: false);
        return found.Count == 1 ? found[0]
            : throw ProblemException.BadRequest($"'{selector}' is {found.Count} nodes; one is needed here");
    }

    public static IReadOnlyList<NodeSnapshot> Select(NodeRegistry nodes, IReadOnlyList<string> words, bool all)
    {
        try
        {
            return NodeSelector.Select(nodes.All, words, all);
        }
        catch (SelectionException e)
        {
            throw words.Count == 0 ? ProblemException.BadRequest(e.Message) : ProblemException.NotFound(e.Message);
        }
    }

    private static IResult List(NodeRegistry nodes, BrambleOptions options, string[]? select)
    {
        var chosen = Select(nodes, select ?? [], all: select is not { Length: > 0 });
        return Json.Of<IReadOnlyList<NodeView>>([.. chosen.Select(node => NodeViews.Of(node, options.Install))]);
    }

    private static IResult Show(string node, NodeRegistry nodes, BrambleOptions options) =>
        Json.Of(NodeViews.Of(One(nodes, node), options.Install));

    private static async Task<IResult> CreateAsync(
        NodeCreate create, NodeRegistry nodes, BrambleOptions options, HttpContext context)
    {
        if (!MacAddress.TryParse(create.Mac, out var mac) || mac.IsMulticast)
            throw ProblemException.BadRequest($"'{create.Mac}' is not a board's MAC address such as b8:27:eb:0a:0b:0c");
        if (nodes.Find(mac) is { } known)
            throw ProblemException.Conflict($"{mac} is node {known.Number} ('{known.Name}') already");
        var spec = NodeChanges.Apply(
            new NodeSpec { Adopted = true }, new NodePatch { ReservedAddress = create.Address }, options);
        var name = create.Name is null ? null : NodeChanges.CheckName(create.Name);
        var (node, durable) = nodes.Add(mac, () => spec, () => new NodeStatus
        {
            Phase = NodePhase.Adopted,
            Network = spec.ReservedAddress is { } address
                ? options.Networks.First(n => n.Prefix.Contains(address)).Name : "",
        }, name, number: null, Actor(context));
        await durable.ConfigureAwait(false);
        return Json.Of(NodeViews.Of(node, options.Install), StatusCodes.Status201Created);
    }

    private static async Task<IResult> PatchAsync(
        string node, NodePatch patch, NodeRegistry nodes, BrambleOptions options, HttpContext context)
    {
        var before = One(nodes, node);
        var (after, durable) = nodes.Update(before.Id, n => n with
        {
            Name = patch.Name is null ? n.Name : NodeChanges.CheckName(patch.Name),
            Number = patch.Number is { } number ? NodeChanges.CheckNumber(number) : n.Number,
            Spec = NodeChanges.Apply(n.Spec, patch, options),
        }, Actor(context));
        await durable.ConfigureAwait(false);
        return Json.Of(NodeViews.Of(after!, options.Install));
    }

    private static async Task<IResult> TimelineAsync(
        string node, int? boots, NodeRegistry nodes, BootTimeline timeline)
    {
        var found = One(nodes, node);
        return Json.Of(new TimelineView(found.Id, found.Name,
            await timeline.ReadAsync(found.Id, Math.Clamp(boots ?? 1, 1, 20)).ConfigureAwait(false)));
    }

    private static async Task<IResult> ActAsync(
        string verb, NodeActionRequest request, NodeActions actions, HttpContext context)
    {
        if (!Words.TryParse<NodeVerb>(verb, out var parsed))
        {
            var verbs = string.Join(", ", Enum.GetNames<NodeVerb>().Select(n => n.ToLowerInvariant()));
            throw ProblemException.NotFound($"'{verb}' is no action; there are {verbs}");
        }
        return Json.Of(await actions.ActAsync(parsed, request, Actor(context)).ConfigureAwait(false));
    }

    public static string Actor(HttpContext context) => $"token:{context.User.Identity?.Name}";
}
