using Bramble.Contracts.Api;
using Bramble.Contracts.Nodes;
using Bramble.Contracts.Power;
using Bramble.Contracts.Security;
using Bramble.Manager.Api;
using Bramble.Manager.Configuration;
using Bramble.Manager.Nodes;

namespace Bramble.Manager.Power;

/// <summary>The REST door to power: read ports, and wish them on, off or cycled.</summary>
public static class PowerEndpoints
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet(ApiRoutes.Power, ReadAsync).RequireAuthorization(nameof(Role.Viewer));
        routes.MapPost(ApiRoutes.PowerAction, ActAsync).RequireAuthorization(nameof(Role.Operator));
    }

    private static async Task<IResult> ReadAsync(
        string[]? select, NodeRegistry nodes, PowerService power, CancellationToken cancellation)
    {
        var chosen = NodeEndpoints.Select(nodes, select ?? [], all: select is not { Length: > 0 });
        using var parallel = new SemaphoreSlim(16);
        var views = await Task.WhenAll(chosen.Select(async node =>
        {
            await parallel.WaitAsync(cancellation).ConfigureAwait(false);
            try
            {
                return await ViewAsync(node, power, cancellation).ConfigureAwait(false);
            }
            finally
            {
                parallel.Release();
            }
        })).ConfigureAwait(false);
        return Json.Of<IReadOnlyList<PowerView>>(views);
    }

    private static async Task<PowerView> ViewAsync(
        NodeSnapshot node, PowerService power, CancellationToken cancellation)
    {
        var wanted = node.Spec.PowerOn ? "on" : "off";
        if (PowerService.PortOf(node) is not { } port)
            return new PowerView(node.Id, node.Name, "", "", "none", wanted, null, "no power port is known");
        try
        {
            var reading = await power.ReadAsync(port, cancellation).ConfigureAwait(false);
            return new PowerView(node.Id, node.Name, port.Device, port.Port,
                reading.State.ToString().ToLowerInvariant(), wanted, reading.Watts, reading.Detail);
        }
        catch (PowerException e)
        {
            return new PowerView(node.Id, node.Name, port.Device, port.Port, "unknown", wanted, null, e.Message);
        }
    }

    private static async Task<IResult> ActAsync(
        string verb, PowerRequest request, NodeRegistry nodes, PowerService power, PowerReconciler reconciler,
        TimeProvider clock, HttpContext context)
    {
        if (!Words.TryParse<PowerVerb>(verb, out var parsed))
            throw ProblemException.NotFound($"'{verb}' is no power verb; there are on, off, cycle");
        var chosen = NodeEndpoints.Select(nodes, request.Select ?? [], request.All);
        var began = clock.GetUtcNow();
        var outcomes = new List<Task<NodeActionOutcome>>();
        foreach (var node in chosen)
        {
            if (!power.Controls(node))
            {
                outcomes.Add(Task.FromResult(Outcome(node, false, "no power port is known that could be switched: "
                    + "bramble node set NODE --power-device … --power-port …")));
                continue;
            }
            if (request.DryRun)
            {
                var would = $"would be {Past(parsed)} at {PowerService.PortOf(node)}";
                outcomes.Add(Task.FromResult(Outcome(node, true, would)));
                continue;
            }
            outcomes.Add(CarryOutAsync(node));
        }
        return Json.Of(new NodeActionResult(request.DryRun, await Task.WhenAll(outcomes).ConfigureAwait(false)));

        async Task<NodeActionOutcome> CarryOutAsync(NodeSnapshot node)
        {
            await WishAsync(parsed, node, nodes, reconciler, NodeEndpoints.Actor(context)).ConfigureAwait(false);
            return await SettleAsync(parsed, node, nodes, reconciler, began, clock, context.RequestAborted)
                .ConfigureAwait(false);
        }
    }

    private static async Task WishAsync(
        PowerVerb verb, NodeSnapshot node, NodeRegistry nodes, PowerReconciler reconciler, string actor)
    {
        var on = verb != PowerVerb.Off;
        var (_, durable) = nodes.Update(node.Id, n => n with
        {
            Spec = n.Spec with { PowerOn = on },
            // What was last commanded may not be what is (someone pulled a plug): command it once more.
            Status = n.Status with { PowerSet = verb == PowerVerb.Cycle ? n.Status.PowerSet : !on, Watchdog = new() },
        }, actor);
        await durable.ConfigureAwait(false);
        if (verb == PowerVerb.Cycle)
            await reconciler.BeginCycleAsync(node.Id, "power cycle asked for", actor).ConfigureAwait(false);
    }

    private static async Task<NodeActionOutcome> SettleAsync(
        PowerVerb verb, NodeSnapshot node, NodeRegistry nodes, PowerReconciler reconciler, DateTimeOffset began,
        TimeProvider clock, CancellationToken cancellation)
    {
        var deadline = clock.GetUtcNow() + s_patience;
        while (clock.GetUtcNow() < deadline && nodes.Find(node.Id) is { } now)
        {
            if (PowerReconciler.IsSettled(now))
                return Outcome(node, true, $"{Past(verb)} at {PowerService.PortOf(now)}");
            if (reconciler.FailureSince(node.Id, began) is { } failure)
                return Outcome(node, false, $"{failure} (tried again until it works)");
            await Task.Delay(TimeSpan.FromMilliseconds(100), clock, cancellation).ConfigureAwait(false);
        }
        return Outcome(node, true, "under way");
    }

    private static NodeActionOutcome Outcome(NodeSnapshot node, bool accepted, string message) =>
        new(node.Id, node.Number, node.Name, accepted, message);

    private static string Past(PowerVerb verb) => verb switch
    {
        PowerVerb.On => "turned on",
        PowerVerb.Off => "turned off",
        _ => "power-cycled",
    };
}
