using System.Globalization;
using System.Net;
using Bramble.Boot;
using Bramble.Boot.Images;
using Bramble.Wire;

namespace Bramble.Manager.Provisioning;

/// <summary>A file as it lies on disk, held until disposed.</summary>
internal sealed class BootFileReply(
    IReadOnlyList<FileExtent> extents, string? tag, IDisposable holder) : IDisposable
{
    public IReadOnlyList<FileExtent> Extents => extents;

    public string? Tag => tag;

    public long Length { get; } = extents.Sum(e => e.Length);

    public void Dispose() => holder.Dispose();
}

/// <summary>
/// Which plain requests are for a file that lies on disk as it is: boot files and chunks of images. What is refused or
/// made for a node is null here, and the web server's to answer.
/// </summary>
internal sealed class PlainFiles(
    IBootDirectory directory, InstallerService installer, ImageStore images, TimeProvider clock)
{
    public async ValueTask<BootFileReply?> FindAsync(
        PlainRequest request, IPAddress client, CancellationToken cancellation)
    {
        if (request.Path.StartsWith(PlainRequest.BootPath, StringComparison.Ordinal))
            return Boot(request.Path[PlainRequest.BootPath.Length..], IPv4Address.From(client));
        try
        {
            return await ChunkAsync(request, cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is CredentialException or ImageException or IOException
            or UnauthorizedAccessException or Store.StoreException)
        {
            return null; // it will say the same to the web server, which has the words for it
        }
    }

    private BootFileReply? Boot(string asked, IPv4Address client)
    {
        if (!BootPath.TryNormalize(asked, out var path, out _)) return null;
        if (directory.Open(new BootFileRequest(client, path, BootDoor.Http)).Content is not { } content) return null;
        try
        {
            if (content.Extents is not { } extents || extents.Sum(e => e.Length) != content.Length)
            {
                content.Dispose();
                return null;
            }
            directory.Record(new BootStep(
                clock.GetUtcNow(), BootStage.Http, path, StepOutcome.Ok, $"{content.Length:N0} bytes")
            {
                Address = client,
            });
            return new BootFileReply(extents, content.Tag, content);
        }
        catch (IOException)
        {
            content.Dispose();
            return null;
        }
    }

    private async Task<BootFileReply?> ChunkAsync(PlainRequest request, CancellationToken cancellation)
    {
        const string scheme = "Bearer ";
        if (request.Path[PlainRequest.ChunksPath.Length..].Split('/') is not [var job, var number]
            || !int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var index)
            || request.Authorization?.StartsWith(scheme, StringComparison.OrdinalIgnoreCase) != true)
            return null;
        var node = installer.Authenticate(request.Authorization[scheme.Length..].Trim());
        var files = await installer.FilesAsync(node, job, cancellation).ConfigureAwait(false);
        if (index >= files.Chunks.Count) return null;
        var handle = images.OpenRaw(files.Image);
        var extent = new FileExtent(handle, (long)index * files.Chunks.ChunkBytes, files.Chunks.Length(index));
        return new BootFileReply([extent], null, handle);
    }
}
