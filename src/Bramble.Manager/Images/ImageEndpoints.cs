using Bramble.Boot.Images;
using Bramble.Contracts.Api;
using Bramble.Contracts.Images;
using Bramble.Contracts.Security;
using Bramble.Manager.Api;
using Bramble.Manager.Configuration;
using Bramble.Manager.Events;
using Bramble.Manager.Nodes;
using Microsoft.AspNetCore.Http.Features;

namespace Bramble.Manager.Images;

/// <summary>The REST door to images and the jobs that make them.</summary>
public static class ImageEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet(ApiRoutes.Images, List).RequireAuthorization(nameof(Role.Viewer));
        routes.MapGet(ApiRoutes.Image, Show).RequireAuthorization(nameof(Role.Viewer));
        routes.MapMethods(ApiRoutes.ImageDisk, ["GET", "HEAD"], Disk).RequireAuthorization(nameof(Role.Viewer));
        routes.MapPut(ApiRoutes.Image, AddAsync).RequireAuthorization(nameof(Role.Operator));
        routes.MapDelete(ApiRoutes.Image, Remove).RequireAuthorization(nameof(Role.Operator));
        routes.MapGet(ApiRoutes.ImageJobs, (ImageJobs jobs) => Json.Of(jobs.All))
            .RequireAuthorization(nameof(Role.Viewer));
        routes.MapGet(ApiRoutes.ImageJob, (long id, ImageJobs jobs) => Json.Of(
            jobs.Find(id) ?? throw ProblemException.NotFound($"there is no image job {id}")))
            .RequireAuthorization(nameof(Role.Viewer));
        routes.MapPost(ApiRoutes.ImageJobs, AddJobAsync).RequireAuthorization(nameof(Role.Operator));
    }

    /// <summary>Why an image may not be removed: who wants it or has it; null if nobody.</summary>
    public static string? InUse(BootImage image, NodeRegistry nodes, InstallOptions install)
    {
        var users = UsersOf(image, nodes, install);
        return users.Count == 0 ? null : $"it is in use by {string.Join(", ", users.Take(5))}"
            + (users.Count > 5 ? $" and {users.Count - 5} more" : "");
    }

    private static List<string> UsersOf(BootImage image, NodeRegistry nodes, InstallOptions install) => [.. nodes.All
        .Where(node => node.Spec.Adopted
            && ((node.Spec.Image ?? install.ImageFor(node.Status.Architecture)) == image.Name
            || node.Status.Installed?.Digest == image.Digest || node.Status.Attempt?.Digest == image.Digest))
        .OrderBy(node => node.Number).Select(node => node.Name)];

    private static IResult List(ImageStore images, NodeRegistry nodes, BrambleOptions options) =>
        Json.Of<IReadOnlyList<ImageView>>([.. images.Images.OrderBy(i => i.Name, StringComparer.Ordinal)
            .Select(image => View(image, nodes, options))]);

    private static IResult Show(string name, ImageStore images, NodeRegistry nodes, BrambleOptions options) =>
        Json.Of(View(Find(images, name), nodes, options));

    private static IResult Disk(string name, ImageStore images)
    {
        var image = Find(images, name);
        return Results.File(images.RawPath(image), "application/octet-stream", $"{image.Name}.img",
            entityTag: new Microsoft.Net.Http.Headers.EntityTagHeaderValue($"\"{image.Digest}\""),
            enableRangeProcessing: true);
    }

    private static async Task<IResult> AddAsync(
        string name, string? file, string? sha256, string? architecture, HttpContext context, ImageStore images,
        InstallerImages installers, NodeRegistry nodes, EventLog events, BrambleOptions options)
    {
        // An image is larger than any default bound, and comes as slowly as its sender's disk.
        context.Features.Get<IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = null;
        if (context.Features.Get<Microsoft.AspNetCore.Server.Kestrel.Core.Features.IHttpMinRequestBodyDataRateFeature>()
            is { } rate)
            rate.MinDataRate = null;
        var add = new ImageAddOptions(sha256, architecture);
        var image = await Guard(() => images.AddAsync(
            context.Request.Body, name, file ?? name, add, null, context.RequestAborted)).ConfigureAwait(false);
        image = await Guard(() => installers.EnsureAsync(image, context.RequestAborted)).ConfigureAwait(false);
        events.Add("image.added", null, null, NodeEndpoints.Actor(context), $"{image.Name} ({image.Digest[..12]})");
        return Json.Of(View(image, nodes, options), StatusCodes.Status201Created);
    }

    private static async Task<IResult> AddJobAsync(ImageJobRequest request, ImageJobs jobs, HttpContext context) =>
        Json.Of(await Guard(() => jobs.AddAsync(request, NodeEndpoints.Actor(context))).ConfigureAwait(false),
            StatusCodes.Status202Accepted);

    private static IResult Remove(
        string name, bool? dryRun, ImageStore images, NodeRegistry nodes, EventLog events, BrambleOptions options,
        HttpContext context)
    {
        var image = Find(images, name);
        if (InUse(image, nodes, options.Install) is { } why)
            throw ProblemException.Conflict($"the image '{name}' cannot be removed: {why}");
        if (dryRun == true) return Results.NoContent();
        images.Remove(image.Name);
        events.Add("image.removed", null, null, NodeEndpoints.Actor(context), image.Name);
        return Results.NoContent();
    }

    private static async Task<T> Guard<T>(Func<Task<T>> work)
    {
        try
        {
            return await work().ConfigureAwait(false);
        }
        catch (ImageException e)
        {
            throw ProblemException.BadRequest(e.Message);
        }
    }

    private static BootImage Find(ImageStore images, string name) => images.Find(name)
        ?? throw ProblemException.NotFound($"there is no image '{name}'; bramble image ls shows those that there are");

    private static ImageView View(BootImage image, NodeRegistry nodes, BrambleOptions options) => new()
    {
        Name = image.Name,
        Digest = image.Digest,
        SizeBytes = image.SizeBytes,
        Architecture = image.Architecture,
        OsName = image.OsName,
        Source = image.Source,
        AddedAt = image.AddedAt,
        Partitions = [.. image.Partitions.Select(p => new PartitionView(
            p.Number, p.Type, p.FileSystem, p.Label, p.OffsetBytes, p.SizeBytes))],
        KernelVersions = image.KernelVersions,
        CanGrow = image.CanGrow,
        UsedBy = UsersOf(image, nodes, options.Install),
    };
}
