using System.Globalization;
using System.Net;
using System.Text;
using Bramble.Boot;
using Bramble.Boot.Images;
using Bramble.Boot.Initramfs;
using Bramble.Contracts.Installer;
using Bramble.Manager.Images;
using Bramble.Manager.Security;
using Bramble.Wire;

namespace Bramble.Manager.Provisioning;

/// <summary>What the boot network's HTTP door serves: the installer protocol and the boot tree.</summary>
public static class BootHttpEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/installer/v1/hello", HelloAsync);
        routes.MapGet("/installer/v1/plan", PlanAsync);
        routes.MapPost("/installer/v1/progress", ProgressAsync);
        routes.MapGet("/installer/v1/chunks/{job}", ChunksAsync);
        routes.MapGet("/installer/v1/chunks/{job}/{index:int}", ChunkAsync);
        routes.MapGet("/installer/v1/chunks/{job}/{index:int}.gz", GzippedChunkAsync);
        routes.MapGet("/installer/v1/patches/{job}/{index:int}", PatchAsync);
        routes.MapGet("/installer/v1/overlay/{job}", OverlayAsync);
        routes.MapGet("/installer/v1/time", (TimeProvider clock) =>
            Text(new InstallerMessage().Add("clock", clock.GetUtcNow().ToUnixTimeSeconds())));
        routes.MapGet("/installer/v1/rescue/{architecture}", RescueAsync);
        routes.MapPost("/node/v1/report", ReportAsync);
        routes.MapMethods("/boot/{**path}", ["GET", "HEAD"], BootFile);
    }

    private static async Task<IResult> HelloAsync(HttpContext context, InstallerService installer)
    {
        var message = await ReadAsync(context).ConfigureAwait(false);
        var plan = await installer.HelloAsync(Bearer(context), message, Client(context), context.RequestAborted)
            .ConfigureAwait(false);
        return Text(plan);
    }

    private static async Task<IResult> PlanAsync(HttpContext context, InstallerService installer) =>
        Text(await installer.PlanAsync(installer.Authenticate(Bearer(context)), null, context.RequestAborted)
            .ConfigureAwait(false));

    private static async Task<IResult> ProgressAsync(HttpContext context, InstallerService installer)
    {
        var node = installer.Authenticate(Bearer(context));
        return Text(await installer.ProgressAsync(node, await ReadAsync(context).ConfigureAwait(false))
            .ConfigureAwait(false));
    }

    private static async Task<IResult> ChunksAsync(HttpContext context, string job, InstallerService installer)
    {
        var files = await FilesAsync(context, job, installer).ConfigureAwait(false);
        var text = new StringBuilder();
        for (var i = 0; i < files.Chunks.Count; i++)
        {
            var sum = files.Chunks.IsZero(i) ? "zero" : Convert.ToHexStringLower(files.Chunks.Sha256(i).Span);
            text.Append(CultureInfo.InvariantCulture, $"{i} {files.Chunks.Length(i)} {sum}\n");
        }
        return Results.Text(text.ToString(), "text/plain", Encoding.UTF8);
    }

    private static async Task<IResult> ChunkAsync(
        HttpContext context, string job, int index, InstallerService installer, ImageStore images)
    {
        var files = await FilesAsync(context, job, installer).ConfigureAwait(false);
        if (index < 0 || index >= files.Chunks.Count) return Results.NotFound();
        context.Response.ContentType = "application/octet-stream";
        context.Response.ContentLength = files.Chunks.Length(index);
        await context.Response.SendFileAsync(images.RawPath(files.Image), (long)index * files.Chunks.ChunkBytes,
            files.Chunks.Length(index), context.RequestAborted).ConfigureAwait(false);
        return Results.Empty;
    }

    private static async Task<IResult> GzippedChunkAsync(
        HttpContext context, string job, int index, InstallerService installer, GzippedChunks gzipped)
    {
        var files = await FilesAsync(context, job, installer).ConfigureAwait(false);
        if (index < 0 || index >= files.Chunks.Count) return Results.NotFound();
        return Results.File(await gzipped.GetAsync(files.Image, files.Chunks, index).ConfigureAwait(false),
            "application/octet-stream");
    }

    private static async Task<IResult> PatchAsync(
        HttpContext context, string job, int index, InstallerService installer)
    {
        var files = await FilesAsync(context, job, installer).ConfigureAwait(false);
        if (index < 0 || index >= files.Patches.Count) return Results.NotFound();
        return Results.Bytes(files.Patches[index].Bytes);
    }

    private static async Task<IResult> OverlayAsync(HttpContext context, string job, InstallerService installer) =>
        Results.Bytes((await FilesAsync(context, job, installer).ConfigureAwait(false)).Overlay, "application/x-tar");

    private static async Task<IResult> RescueAsync(
        HttpContext context, string architecture, InstallerService installer, RescueBundle rescue)
    {
        installer.Authenticate(Bearer(context));
        if (architecture is not ("arm64" or "armhf" or "amd64")) return Results.NotFound();
        return Results.File(await rescue.GetAsync(architecture, context.RequestAborted).ConfigureAwait(false),
            "application/gzip");
    }

    private static async Task<IResult> ReportAsync(HttpContext context, NodeReports reports)
    {
        var message = await ReadAsync(context).ConfigureAwait(false);
        return Text(await reports.TakeAsync(Bearer(context), message, Client(context)).ConfigureAwait(false));
    }

    private static IResult BootFile(HttpContext context, string? path, IBootDirectory directory, TimeProvider clock)
    {
        var client = Client(context);
        if (!BootPath.TryNormalize(path ?? "", out var normalized, out var error))
            return Results.Text(error.ToString(), statusCode: StatusCodes.Status400BadRequest);
        var answer = directory.Open(new BootFileRequest(client, normalized, BootDoor.Http));
        directory.Record(new BootStep(clock.GetUtcNow(), BootStage.Http, normalized,
            answer.Content is not null ? StepOutcome.Ok
                : answer.Refusal == BootRefusal.Failed ? StepOutcome.Failed : StepOutcome.Probe,
            answer.Content is { } c ? $"{c.Length:N0} bytes" : answer.Reason) { Address = client });
        return answer.Refusal switch
        {
            BootRefusal.None => Results.Stream(new BootContentStream(answer.Content!), "application/octet-stream",
                entityTag: new Microsoft.Net.Http.Headers.EntityTagHeaderValue($"\"{answer.Content!.Tag}\""),
                enableRangeProcessing: true),
            BootRefusal.NotFound => Results.Text(answer.Reason, statusCode: StatusCodes.Status404NotFound),
            BootRefusal.Denied => Results.Text(answer.Reason, statusCode: StatusCodes.Status403Forbidden),
            _ => Results.Text(answer.Reason, statusCode: StatusCodes.Status503ServiceUnavailable),
        };
    }

    private static Task<JobFiles> FilesAsync(HttpContext context, string job, InstallerService installer) =>
        installer.FilesAsync(installer.Authenticate(Bearer(context)), job, context.RequestAborted);

    private static string Bearer(HttpContext context) => BearerAuthentication.TryBearer(context.Request, out var token)
        ? token : throw new CredentialException("the request carries no 'Authorization: Bearer'");

    private static IPv4Address Client(HttpContext context) =>
        IPv4Address.From(context.Connection.RemoteIpAddress ?? IPAddress.Any);

    private static async Task<InstallerMessage> ReadAsync(HttpContext context)
    {
        var body = new byte[InstallerMessage.MaxLength + 1];
        var n = await context.Request.Body.ReadAtLeastAsync(
            body, body.Length, throwOnEndOfStream: false, context.RequestAborted).ConfigureAwait(false);
        return InstallerMessage.TryRead(body.AsSpan(0, n), out var message, out var error) ? message
            : throw new BadHttpRequestException(error);
    }

    private static IResult Text(InstallerMessage message) =>
        Results.Text(message.ToString(), "text/plain", Encoding.UTF8);
}
