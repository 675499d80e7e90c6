using System.Globalization;

namespace Bramble.Manager.Backups;

/// <summary>
/// What may lie in an archive, and where. A name that is none of these is not unpacked, wherever it leads.
/// </summary>
public static class BackupPaths
{
    public const string Database = "bramble.db";
    public const string Secret = "secret.key";
    public const string HostKeys = "hostkeys";
    public const string Configuration = "config";
    public const string Images = "images";

    private const int LengthBound = 1024;
    private const int NameBound = 255;

    public static bool IsAllowed(string path)
    {
        if (path.Length is 0 or > LengthBound || path.Contains('\0', StringComparison.Ordinal)) return false;
        var parts = path.Split('/');
        if (parts.Any(part => part is "" or "." or ".." || part.Length > NameBound)) return false;
        return parts switch
        {
            [BackupHead.Name] or [BackupManifest.Name] or [Database] or [Secret] => true,
            [HostKeys, var key] => IsHostKey(key),
            [Configuration, _, ..] => true,
            [Images, var image, var file] => IsImageName(image) && IsImageFile(file),
            _ => false,
        };
    }

    public static bool IsHostKey(string name) => long.TryParse(
        name.EndsWith(".pub", StringComparison.Ordinal) ? name[..^4] : name, NumberStyles.None,
        CultureInfo.InvariantCulture, out _);

    public static bool IsImageFile(string name) => name is "disk.raw" or "image.json" or "chunks"
        || (name.StartsWith("initramfs.", StringComparison.Ordinal)
            && name.EndsWith(".cpio.gz", StringComparison.Ordinal));

    /// <summary>As the image store has them; none begins with a dot.</summary>
    private static bool IsImageName(string name) => name.Length <= 63
        && (char.IsAsciiLetterLower(name[0]) || char.IsAsciiDigit(name[0]))
        && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '.' or '_' or '-');
}
