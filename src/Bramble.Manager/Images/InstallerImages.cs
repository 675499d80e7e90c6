using Bramble.Boot.Images;
using Bramble.Boot.Initramfs;

namespace Bramble.Manager.Images;

/// <summary>
/// Gives each image the initramfs that carries our installer: when it is added, and for all images after a start, since
/// a newer Bramble brings a newer installer.
/// </summary>
public sealed partial class InstallerImages(
    ImageStore images, InitramfsBuilder builder, TimeProvider clock, ILogger<InstallerImages> logger)
{
    private static readonly InitramfsFile[] s_files =
        [.. InstallerScripts.Library.Select(file => new InitramfsFile(file.Path, file.Mode, file.Content))];

    /// <exception cref="ImageException">What the image lacks for it.</exception>
    public Task<BootImage> EnsureAsync(BootImage image, CancellationToken cancellation) =>
        image.Architecture is "arm64" or "armhf" or "amd64"
            ? builder.EnsureAsync(image, InstallerScripts.Init.Content, s_files, cancellation) : Task.FromResult(image);

    /// <summary>Brings what is in the store up to date, then rests.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        foreach (var image in images.Images)
        {
            try
            {
                await EnsureAsync(image, cancellation).ConfigureAwait(false);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                LogFailed(e, image.Name);
            }
        }
        await Task.Delay(Timeout.InfiniteTimeSpan, clock, cancellation).ConfigureAwait(false);
    }

    [LoggerMessage(2501, LogLevel.Error, "No initramfs could be made for the image {Image}: boards cannot install it")]
    private partial void LogFailed(Exception exception, string image);
}
