using Bramble.Contracts.Api;
using Bramble.Contracts.Security;
using Bramble.Manager.Api;
using Bramble.Manager.Events;
using Bramble.Manager.Nodes;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Bramble.Manager.Backups;

/// <summary>The REST door to backups: an archive as a stream, for admins, since it holds every secret.</summary>
public static class BackupEndpoint
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        // One at a time: each holds a copy of the database on the disk.
        var turn = new SemaphoreSlim(1, 1);
        routes.MapGet(ApiRoutes.Backup, (bool? images, BackupWriter writer, EventLog events, HttpContext context) =>
            SendAsync(images ?? false, writer, events, turn, context)).RequireAuthorization(nameof(Role.Admin));
    }

    private static async Task<IResult> SendAsync(
        bool images, BackupWriter writer, EventLog events, SemaphoreSlim turn, HttpContext context)
    {
        if (!await turn.WaitAsync(0, context.RequestAborted).ConfigureAwait(false))
            throw ProblemException.Conflict("a backup is being made already; try again when that is done");
        try
        {
            using var backup = await writer.PrepareAsync(images, context.RequestAborted).ConfigureAwait(false);
            // It goes as slowly as its receiver's disk.
            if (context.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate) rate.MinDataRate = null;
            context.Response.ContentType = "application/gzip";
            context.Response.Headers.CacheControl = "no-store";
            await backup.WriteAsync(context.Response.Body, context.RequestAborted).ConfigureAwait(false);
            events.Add("backup.made", null, null, NodeEndpoints.Actor(context), images ? "with images" : "");
            return Results.Empty;
        }
        catch (BackupException e)
        {
            throw ProblemException.Conflict(e.Message);
        }
        finally
        {
            turn.Release();
        }
    }
}
