using System.Formats.Tar;
using System.IO.Compression;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Bramble.Manager.Api;
using Bramble.Manager.Store;

namespace Bramble.Manager.Backups;

/// <summary>
/// Unpacks an archive into a directory of its own and checks everything of it: versions first, each name and kind of
/// entry as it comes, then every digest, then the database. Whatever is wrong, nothing else was touched.
/// </summary>
public static class BackupReader
{
    /// <summary>Octets of the two entries that are read into memory.</summary>
    private const int JsonBound = 64 << 20;

    private const string ImagesPrefix = BackupPaths.Images + "/";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnerDirectory = OwnerOnly | UnixFileMode.UserExecute;
    private const UnixFileMode WorldReadable = OwnerOnly | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    private const UnixFileMode WorldDirectory =
        OwnerDirectory | WorldReadable | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <param name="archive">The file.</param>
    /// <param name="into">A directory that is there and empty, and nobody else's.</param>
    /// <param name="images">Where the images go; null: they are checked and not written.</param>
    /// <exception cref="BackupException">What is wrong with it.</exception>
    public static async Task<BackupHead> UnpackAsync(
        string archive, string into, string? images, CancellationToken cancellation)
    {
        try
        {
            var file = File.OpenRead(archive);
            await using var _ = file.ConfigureAwait(false);
            var gzip = new GZipStream(file, CompressionMode.Decompress);
            await using var __ = gzip.ConfigureAwait(false);
            var tar = new TarReader(gzip);
            await using var ___ = tar.ConfigureAwait(false);
            var head = await ReadAsync(tar, into, images, cancellation).ConfigureAwait(false);
            if (await tar.GetNextEntryAsync(copyData: false, cancellation).ConfigureAwait(false) is { } more)
                throw new BackupException($"it goes on after its manifest, with '{more.Name}': it was tampered with");
            // To the end, where gzip's own checksum is.
            await gzip.CopyToAsync(Stream.Null, cancellation).ConfigureAwait(false);
            await DatabaseCheck.RunAsync(Path.Combine(into, BackupPaths.Database), head.Schema).ConfigureAwait(false);
            return head;
        }
        // A tar that makes no sense is told in one of several ways, by its place.
        catch (Exception e) when (
            e is IOException or UnauthorizedAccessException or InvalidDataException or FormatException
                or ArgumentException or JsonException or NotSupportedException)
        {
            throw new BackupException($"{archive} cannot be read as a backup: {e.Message}", e);
        }
    }

    private static async Task<BackupHead> ReadAsync(
        TarReader tar, string into, string? images, CancellationToken cancellation)
    {
        BackupHead? head = null;
        var found = new Dictionary<string, BackupFile>(StringComparer.Ordinal);
        while (await tar.GetNextEntryAsync(copyData: false, cancellation).ConfigureAwait(false) is { } entry)
        {
            Check(entry, found);
            using var content = new HashingStream(entry.DataStream ?? Stream.Null);
            if (entry.Name == BackupManifest.Name)
            {
                var manifest = await JsonAsync(content, BackupJson.Default.BackupManifest).ConfigureAwait(false);
                Compare(manifest, found);
                return head ?? throw new BackupException($"it does not begin with {BackupHead.Name}: it is no backup "
                    + "of Bramble");
            }
            if (head is null)
            {
                if (entry.Name != BackupHead.Name)
                    throw new BackupException($"it does not begin with {BackupHead.Name}: it is no backup of Bramble");
                head = await JsonAsync(content, BackupJson.Default.BackupHead).ConfigureAwait(false);
                CheckVersions(head);
            }
            else
            {
                await KeepAsync(entry.Name, content, into, images, cancellation).ConfigureAwait(false);
            }
            found[entry.Name] = new BackupFile(entry.Name, content.Count, content.Sha256());
        }
        throw new BackupException("it ends before its manifest: it was cut short. Copy it again, or take an older one");
    }

    private static void Check(TarEntry entry, Dictionary<string, BackupFile> found)
    {
        if (!BackupPaths.IsAllowed(entry.Name))
            throw new BackupException($"it holds '{entry.Name}', which is no part of a backup: it was tampered with");
        if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile))
            throw new BackupException(
                $"its '{entry.Name}' is no plain file but a {entry.EntryType}: it was tampered with");
        if (found.ContainsKey(entry.Name))
            throw new BackupException($"it holds '{entry.Name}' twice: it was tampered with");
    }

    private static void CheckVersions(BackupHead head)
    {
        if (head.Format > BackupHead.NewestFormat
            || !Version.TryParse(head.Product, out var product) || product > Version.Parse(ManagerStatus.Version))
        {
            throw new BackupException($"it was written by brambled {head.Product} (form {head.Format}), and this is "
                + $"{ManagerStatus.Version} (form {BackupHead.NewestFormat}): install that version first");
        }
        if (head.Schema > Migrations.Newest)
        {
            throw new BackupException($"its database has schema {head.Schema}, this brambled knows "
                + $"{Migrations.Newest}: install brambled {head.Product} first");
        }
    }

    private static async Task KeepAsync(
        string name, Stream content, string into, string? images, CancellationToken cancellation)
    {
        var isImage = name.StartsWith(ImagesPrefix, StringComparison.Ordinal);
        if (isImage && images is null)
        {
            await content.CopyToAsync(Stream.Null, cancellation).ConfigureAwait(false);
            return;
        }
        var path = isImage ? Path.Combine(images!, name[ImagesPrefix.Length..]) : Path.Combine(into, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!, isImage ? WorldDirectory : OwnerDirectory);
        var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = isImage ? WorldReadable : OwnerOnly,
        });
        await using (file.ConfigureAwait(false))
            await content.CopyToAsync(file, cancellation).ConfigureAwait(false);
    }

    private static void Compare(BackupManifest manifest, Dictionary<string, BackupFile> found)
    {
        foreach (var file in manifest.Files)
        {
            if (!found.Remove(file.Path, out var there))
                throw new BackupException($"its '{file.Path}' is missing: it is damaged, or was tampered with");
            if (there != file)
                throw new BackupException($"its '{file.Path}' is not what its manifest says (SHA-256): it is damaged, "
                    + "or was tampered with. Copy it again, or take an older one");
        }
        if (found.Keys.FirstOrDefault() is { } more)
            throw new BackupException($"it holds '{more}', which its manifest does not list: it was tampered with");
        foreach (var needed in new[] { BackupPaths.Database, BackupPaths.Secret })
        {
            if (manifest.Files.All(file => file.Path != needed))
                throw new BackupException($"it holds no {needed}: it is no whole backup");
        }
    }

    private static async Task<T> JsonAsync<T>(Stream content, JsonTypeInfo<T> type)
    {
        var bytes = new MemoryStream();
        await using var _ = bytes.ConfigureAwait(false);
        var buffer = new byte[81_920];
        int read;
        while ((read = await content.ReadAsync(buffer).ConfigureAwait(false)) > 0)
        {
            if (bytes.Length + read > JsonBound) throw new BackupException("its manifest is too large to be one");
            bytes.Write(buffer, 0, read);
        }
        return JsonSerializer.Deserialize(bytes.GetBuffer().AsSpan(0, (int)bytes.Length), type)
            ?? throw new BackupException("its manifest is empty");
    }
}
