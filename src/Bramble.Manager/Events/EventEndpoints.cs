using System.Globalization;
using System.Text.Json;
using Bramble.Contracts.Api;
using Bramble.Contracts.Security;
using Bramble.Manager.Api;
using Bramble.Manager.Nodes;

namespace Bramble.Manager.Events;

/// <summary>The REST door to the event log: a page of it, or the live stream (server-sent events).</summary>
public static class EventEndpoints
{
    private static readonly TimeSpan s_heartbeat = TimeSpan.FromSeconds(15);

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet(ApiRoutes.Events, ListAsync).RequireAuthorization(nameof(Role.Viewer));
        routes.MapGet(ApiRoutes.EventStream, StreamAsync).RequireAuthorization(nameof(Role.Viewer));
    }

    private static async Task<IResult> ListAsync(
        long? after, int? limit, string? node, EventLog events, NodeRegistry nodes)
    {
        var most = Math.Clamp(limit ?? 100, 1, 1000);
        var nodeId = node is null ? (long?)null : NodeEndpoints.One(nodes, node).Id;
        return Json.Of(after is { } id
            ? await events.ReadAsync(id, most, nodeId).ConfigureAwait(false)
            : await events.TailAsync(most, nodeId).ConfigureAwait(false));
    }

    private static async Task StreamAsync(
        HttpContext context, long? after, string? node, EventLog events, NodeRegistry nodes, TimeProvider clock)
    {
        var nodeId = node is null ? (long?)null : NodeEndpoints.One(nodes, node).Id;
        var from = long.TryParse(context.Request.Headers["Last-Event-ID"], CultureInfo.InvariantCulture, out var last)
            ? last : after ?? events.LastId;
        // An id that was never given, from before the store was restored, would never be reached.
        from = Math.Clamp(from, 0, events.LastId);
        var cancellation = context.RequestAborted;
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-store";
        await context.Response.WriteAsync("retry: 2000\n\n", cancellation).ConfigureAwait(false);
        await context.Response.Body.FlushAsync(cancellation).ConfigureAwait(false);
        await using var entries = events.FollowAsync(from, cancellation).GetAsyncEnumerator(cancellation);
        var next = entries.MoveNextAsync().AsTask();
        while (!cancellation.IsCancellationRequested)
        {
            using var pause = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            var beat = Task.Delay(s_heartbeat, clock, pause.Token);
            if (await Task.WhenAny(next, beat).ConfigureAwait(false) == beat)
            {
                await context.Response.WriteAsync(": still here\n\n", cancellation).ConfigureAwait(false);
            }
            else
            {
                await pause.CancelAsync().ConfigureAwait(false);
                if (!await next.ConfigureAwait(false)) return;
                var entry = entries.Current;
                if (nodeId is null || entry.NodeId == nodeId)
                {
                    var json = JsonSerializer.Serialize(entry, ContractsJson.Default.EventView);
                    var message = $"id: {entry.Id}\nevent: {entry.Kind}\ndata: {json}\n\n";
                    await context.Response.WriteAsync(message, cancellation).ConfigureAwait(false);
                }
                next = entries.MoveNextAsync().AsTask();
            }
            await context.Response.Body.FlushAsync(cancellation).ConfigureAwait(false);
        }
    }
}
