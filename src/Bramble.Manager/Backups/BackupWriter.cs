using System.Formats.Tar;
using System.IO.Compression;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Bramble.Boot.Images;
using Bramble.Manager.Api;
using Bramble.Manager.Configuration;
using Bramble.Manager.Store;
using Dapper;

namespace Bramble.Manager.Backups;

/// <summary>
/// Makes backups of a running daemon. The database is copied by SQLite in one read transaction (<c>VACUUM INTO</c>), so
/// that writers go on and the copy is of one moment; all else changes only by renames, and is read as it goes out.
/// </summary>
public sealed class BackupWriter
{
    private const string WorkPrefix = ".backup-";

    private readonly BrambleOptions _options;
    private readonly Database _database;
    private readonly ImageStore _images;
    private readonly TimeProvider _clock;

    public BackupWriter(BrambleOptions options, Database database, ImageStore images, TimeProvider clock)
    {
        (_options, _database, _images, _clock) = (options, database, images, clock);
        // What a killed daemon left: a copy of the database, with everything that is in it.
        foreach (var left in Directory.EnumerateDirectories(options.StateDirectory, WorkPrefix + "*"))
            Directory.Delete(left, recursive: true);
    }

    /// <summary>
    /// Takes the moment's copy. What is wrong is found here, before the first octet has gone out; dispose it.
    /// </summary>
    /// <exception cref="BackupException">Something cannot be read.</exception>
    /// <exception cref="StoreException">The database cannot be copied.</exception>
    public async Task<PreparedBackup> PrepareAsync(bool withImages, CancellationToken cancellation)
    {
        var work = Path.Combine(_options.StateDirectory, WorkPrefix + Guid.NewGuid().ToString("n"));
        Directory.CreateDirectory(work, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        try
        {
            var copy = Path.Combine(work, BackupPaths.Database);
            await _database.CopyAsync(copy).ConfigureAwait(false);
            cancellation.ThrowIfCancellationRequested();
            var images = _images.Images;
            var files = new List<(string Path, string Source)> { (BackupPaths.Database, copy) };
            files.AddRange(BackupSources.Of(_options, withImages ? images : [], _images.RawPath));
            return new PreparedBackup(work, files, new BackupHead
            {
                Format = BackupHead.NewestFormat,
                Product = ManagerStatus.Version,
                Schema = await _database.ReadAsync(
                    c => c.ExecuteScalarAsync<int>("SELECT MAX(version) FROM schema_version")).ConfigureAwait(false),
                Cluster = _options.Cluster,
                CreatedAt = _clock.GetUtcNow(),
                Images = [.. images.Select(image => new BackupImage(image.Name, image.Digest, withImages))],
            });
        }
        catch (Exception e)
        {
            Directory.Delete(work, recursive: true);
            if (e is IOException or UnauthorizedAccessException)
                throw new BackupException($"a backup cannot be made: {e.Message}", e);
            throw;
        }
    }
}

/// <summary>A backup that is ready to go out: a tar archive, gzipped.</summary>
public sealed class PreparedBackup(
    string work, IReadOnlyList<(string Path, string Source)> files, BackupHead head) : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public BackupHead Head { get; } = head;

    public async Task WriteAsync(Stream output, CancellationToken cancellation)
    {
        var gzip = new GZipStream(output, CompressionLevel.Fastest, leaveOpen: true);
        await using var _ = gzip.ConfigureAwait(false);
        var tar = new TarWriter(gzip, TarEntryFormat.Pax, leaveOpen: true);
        await using var __ = tar.ConfigureAwait(false);
        var written = new List<BackupFile>
        {
            await AddAsync(tar, BackupHead.Name, Json(Head, BackupJson.Default.BackupHead), cancellation)
                .ConfigureAwait(false),
        };
        foreach (var (path, source) in files)
        {
            var file = new FileStream(source, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            await using (file.ConfigureAwait(false))
                written.Add(await AddAsync(tar, path, file, cancellation).ConfigureAwait(false));
        }
        await AddAsync(tar, BackupManifest.Name,
            Json(new BackupManifest { Files = written }, BackupJson.Default.BackupManifest), cancellation)
            .ConfigureAwait(false);
    }

    public void Dispose() => Directory.Delete(work, recursive: true);

    private async Task<BackupFile> AddAsync(
        TarWriter tar, string path, Stream content, CancellationToken cancellation)
    {
        using var hashed = new HashingStream(content);
        await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, path)
        {
            DataStream = hashed,
            Mode = OwnerOnly,
            ModificationTime = Head.CreatedAt,
        }, cancellation).ConfigureAwait(false);
        return new BackupFile(path, hashed.Count, hashed.Sha256());
    }

    private static MemoryStream Json<T>(T value, JsonTypeInfo<T> type) =>
        new(JsonSerializer.SerializeToUtf8Bytes(value, type));
}
