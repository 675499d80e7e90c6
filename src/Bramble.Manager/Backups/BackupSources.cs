using Bramble.Boot.Images;
using Bramble.Manager.Configuration;

namespace Bramble.Manager.Backups;

/// <summary>Which files of the machine a backup holds, and as what.</summary>
internal static class BackupSources
{
    /// <summary>All but the database, whose copy is made for the backup.</summary>
    /// <exception cref="BackupException">A file of the configuration cannot be read.</exception>
    public static IEnumerable<(string Path, string Source)> Of(BrambleOptions options, IReadOnlyList<BootImage> images,
        Func<BootImage, string> rawPath)
    {
        var secret = Path.Combine(options.StateDirectory, BackupPaths.Secret);
        if (!File.Exists(secret))
            throw new BackupException($"{secret} is gone: put it back, no node can report after a restart without it");
        yield return (BackupPaths.Secret, secret);
        var hostKeys = Path.Combine(options.StateDirectory, BackupPaths.HostKeys);
        if (Directory.Exists(hostKeys))
        {
            foreach (var key in Directory.EnumerateFiles(hostKeys).Order(StringComparer.Ordinal))
            {
                if (BackupPaths.IsHostKey(Path.GetFileName(key)))
                    yield return ($"{BackupPaths.HostKeys}/{Path.GetFileName(key)}", key);
            }
        }
        foreach (var source in Configuration(options)) yield return (ConfigurationPath(source), source);
        foreach (var image in images)
        {
            foreach (var file in Directory.EnumerateFiles(Path.GetDirectoryName(rawPath(image))!))
            {
                if (BackupPaths.IsImageFile(Path.GetFileName(file)))
                    yield return ($"{BackupPaths.Images}/{image.Name}/{Path.GetFileName(file)}", file);
            }
        }
    }

    /// <summary>
    /// Where a file of the configuration lies in the archive: <c>config/etc/bramble/bramble.yaml</c>.
    /// </summary>
    public static string ConfigurationPath(string source) => BackupPaths.Configuration + Path.GetFullPath(source);

    /// <summary>The configuration, and every file that it names: secrets, certificate, overlay, templates.</summary>
    private static IEnumerable<string> Configuration(BrambleOptions options)
    {
        IEnumerable<string?> named =
        [
            options.File, options.Api.CertificateFile, options.Api.KeyFile,
            .. options.PowerDevices.SelectMany(device => new[]
            {
                device.CommunityFile, device.FindCommunityFile, device.AuthPasswordFile, device.PrivPasswordFile,
            }),
            .. Beneath(options.Install.OverlayDirectory), .. Beneath(options.Install.BootTemplates),
        ];
        foreach (var file in named.OfType<string>().Distinct(StringComparer.Ordinal))
        {
            try
            {
                using var _ = File.OpenHandle(file);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new BackupException($"{file}, which belongs to the configuration, cannot be read: {e.Message}. "
                    + "Let brambled read it, or take it out of the configuration", e);
            }
            yield return file;
        }
    }

    private static IEnumerable<string> Beneath(string? directory) => directory is null ? []
        : Directory.EnumerateFiles(directory, "*", new EnumerationOptions
        {
            RecurseSubdirectories = true,
            AttributesToSkip = FileAttributes.ReparsePoint,
            IgnoreInaccessible = false,
        }).Order(StringComparer.Ordinal);
}
