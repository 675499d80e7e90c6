using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace Bramble.Boot.Images;

/// <summary>
/// The images that boards are installed from: a directory for each, which appears whole or not at all, as it is made
/// under a temporary name, synced, and renamed. Reading never locks; one image is added at a time.
/// </summary>
public sealed partial class ImageStore : IDisposable
{
    internal const string RawName = "disk.raw";
    private const string RecordName = "image.json";
    private const string ChunksName = "chunks";
    private const string WorkPrefix = ".work-";
    private const long DefaultReserveBytes = 256 << 20;

    private readonly string _directory;
    private readonly TimeProvider _clock;
    private readonly ILogger<ImageStore> _log;
    private readonly HttpClient _http;
    private readonly bool _ownsHttp;
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _adding = new(1, 1);
    private readonly ConcurrentDictionary<string, IBootTree> _trees = new();
    private readonly ConcurrentDictionary<string, ChunkIndex> _chunks = new();
    private volatile IReadOnlyList<BootImage> _images = [];

    /// <summary>Opens or makes the store, sweeps what an interrupted addition left, and reads the records.</summary>
    /// <param name="http">Fetches images; null for a client of its own.</param>
    public ImageStore(string directory, TimeProvider clock, ILogger<ImageStore> log, HttpClient? http = null)
    {
        _directory = Path.GetFullPath(directory);
        (_clock, _log) = (clock, log);
        _ownsHttp = http is null;
        _http = http ?? new HttpClient { Timeout = Timeout.InfiniteTimeSpan };
        Directory.CreateDirectory(_directory);
        Space = new SpaceGuard(_directory, DefaultReserveBytes);
        Packages = new Initramfs.PackageCache(Path.Combine(_directory, ".cache"));
        Sweep();
        Load();
    }

    /// <summary>All images by name: an immutable snapshot.</summary>
    public IReadOnlyList<BootImage> Images => _images;

    /// <summary>Says why an image must stay ("node n1 boots from it"), or null if it may go. Set by the
    /// manager.</summary>
    public Func<BootImage, string?> InUse { get; set; } = _ => null;

    internal SpaceGuard Space { get; set; }

    internal Initramfs.PackageCache Packages { get; }

    /// <summary>An image by its name, or by the start of its digest (6 digits or more) if that is
    /// unambiguous.</summary>
    public BootImage? Find(string nameOrDigestPrefix)
    {
        var images = _images;
        if (images.FirstOrDefault(i => i.Name == nameOrDigestPrefix) is { } named) return named;
        if (nameOrDigestPrefix.Length < 6) return null;
        var matching = images.Where(i => i.Digest.StartsWith(nameOrDigestPrefix, StringComparison.OrdinalIgnoreCase))
            .ToList();
        return matching.Count == 1 ? matching[0] : null;
    }

    /// <summary>Adds an image from a stream: disk image or root tarball, plain or .gz, .xz or .zst.</summary>
    /// <param name="fileNameHint">What the content is called in messages and in the record.</param>
    /// <exception cref="ImageException">With what is wrong, where, and what to do. Nothing is left behind.</exception>
    public Task<BootImage> AddAsync(Stream content, string name, string fileNameHint, ImageAddOptions? options = null,
        IProgress<ImageProgress>? progress = null, CancellationToken cancellation = default) =>
        MakeAsync(name, options ?? new ImageAddOptions(), fileNameHint, progress,
            work => Intake(work).TakeAsync(content, fileNameHint, progress, cancellation), cancellation);

    /// <inheritdoc cref="AddAsync"/>
    public async Task<BootImage> AddFileAsync(string path, string name, ImageAddOptions? options = null,
        IProgress<ImageProgress>? progress = null, CancellationToken cancellation = default)
    {
        FileStream file;
        try
        {
            file = File.OpenRead(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ImageException($"{path} cannot be read: {e.Message}", e);
        }
        await using var _ = file.ConfigureAwait(false);
        return await AddAsync(file, name, Path.GetFileName(path), options, progress, cancellation)
            .ConfigureAwait(false);
    }

    /// <summary>Downloads an image, going on after a broken connection, and adds it.</summary>
    /// <inheritdoc cref="AddAsync"/>
    public Task<BootImage> FetchAsync(Uri uri, string name, ImageAddOptions? options = null,
        IProgress<ImageProgress>? progress = null, CancellationToken cancellation = default)
    {
        options ??= new ImageAddOptions();
        var source = options.Source ?? uri.GetComponents(UriComponents.HttpRequestUrl, UriFormat.UriEscaped);
        var hint = Path.GetFileName(uri.AbsolutePath) is { Length: > 0 } last ? last : uri.Host;
        return MakeAsync(name, options with { Source = source }, hint, progress, async work =>
        {
            var path = Path.Combine(work, "download");
            await new HttpDownload(_http, _clock, Space).GetAsync(uri, path, progress, cancellation)
                .ConfigureAwait(false);
            IntakeResult taken;
            await using (var file = File.OpenRead(path))
                taken = await Intake(work).TakeAsync(file, hint, progress, cancellation).ConfigureAwait(false);
            File.Delete(path);
            return taken;
        }, cancellation);
    }

    /// <summary>Builds a Debian root with its kernel (for ARM, the Pi firmware too) and adds it.</summary>
    /// <inheritdoc cref="AddAsync"/>
    public Task<BootImage> BuildDebianAsync(
        DebianRecipe recipe, IProgress<ImageProgress>? progress = null, CancellationToken cancellation = default)
    {
        var options = new ImageAddOptions(Architecture: recipe.Architecture, Source: recipe.Describe());
        return MakeAsync(recipe.Name, options, recipe.Describe(), progress, async work =>
        {
            var build = await DebianBuild.StartAsync(recipe, work, progress, cancellation).ConfigureAwait(false);
            await using var _ = build.ConfigureAwait(false);
            try
            {
                var taken = await Intake(work).TakeAsync(build.Tar, "the Debian root", progress, cancellation)
                    .ConfigureAwait(false);
                await build.FinishAsync().ConfigureAwait(false);
                return taken;
            }
            catch (ImageException)
            {
                // A build that failed leaves a short tar: its own complaint tells more.
                await build.FinishAsync().ConfigureAwait(false);
                throw;
            }
        }, cancellation);
    }

    /// <summary>Removes an image.</summary>
    /// <exception cref="ImageException">It is not there, or in use.</exception>
    public void Remove(string name)
    {
        BootImage image;
        string gone;
        lock (_lock)
        {
            image = _images.FirstOrDefault(i => i.Name == name)
                ?? throw new ImageException($"There is no image named {name}. See: bramble image ls");
            if (InUse(image) is { } reason)
                throw new ImageException($"The image {name} is in use: {reason}. Give that another image first.");
            gone = Path.Combine(_directory, $"{WorkPrefix}gone-{name}-{Guid.NewGuid():n}");
            Directory.Move(DirectoryOf(image), gone);
            _images = [.. _images.Where(i => i.Name != name)];
        }
        _trees.TryRemove(image.Digest, out _);
        _chunks.TryRemove(image.Digest, out _);
        DeleteWork(gone);
        Log.Removed(_log, name);
    }

    /// <summary>The boot files of an image, from its FAT partition.</summary>
    /// <exception cref="ImageException">There is no such partition, or it is corrupt.</exception>
    public IBootTree OpenBootTree(BootImage image)
    {
        if (_trees.TryGetValue(image.Digest, out var known)) return known;
        if (image.BootPartition is not { } boot)
            throw new ImageException($"The image {image.Name} has no FAT boot partition: a board cannot boot from it.");
        try
        {
            var tree = FatBootTree.Open(OpenRaw(image), boot.OffsetBytes, boot.SizeBytes, image.Digest);
            return _trees.GetOrAdd(image.Digest, tree);
        }
        catch (IOException e)
        {
            throw new ImageException($"The boot partition of the image {image.Name} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>The checksums of an image's chunks.</summary>
    public ChunkIndex OpenChunks(BootImage image) => _chunks.GetOrAdd(image.Digest,
        _ => ChunkIndex.Load(Path.Combine(DirectoryOf(image), ChunksName), image.SizeBytes));

    /// <summary>Opens the raw disk for reading; the caller disposes the handle. It outlives a removal.</summary>
    public SafeFileHandle OpenRaw(BootImage image) =>
        File.OpenHandle(RawPath(image), options: FileOptions.RandomAccess);

    public string RawPath(BootImage image) => Path.Combine(DirectoryOf(image), RawName);

    /// <summary>What to write over the partition table so that the root fills a disk of a size.</summary>
    /// <exception cref="ImageException">The image is larger than the disk.</exception>
    public IReadOnlyList<DiskPatch> PlanGrow(BootImage image, long diskSizeBytes)
    {
        using var handle = OpenRaw(image);
        var table = PartitionTable.Read(handle, image.SizeBytes);
        // A root without the means to grow keeps its partition: a larger one would only hide the free space.
        return GrowPlan.Make(handle, image.SizeBytes, table, image.CanGrow ? image.RootPartition.Number : 0,
            diskSizeBytes);
    }

    /// <summary>Where an image's initramfs is, once built.</summary>
    public string InitramfsPath(BootImage image, string architecture) =>
        Path.Combine(DirectoryOf(image), $"initramfs.{architecture}.cpio.gz");

    /// <summary>Puts a newly built initramfs in its place and on the record; boards that fetch the old one go
    /// on.</summary>
    internal async Task<BootImage> SetInitramfsAsync(
        BootImage image, string architecture, string builtPath, ImageInitramfs built, CancellationToken cancellation)
    {
        var directory = DirectoryOf(image);
        var record = Path.Combine(directory, RecordName + ".new");
        var map = new Dictionary<string, ImageInitramfs>(image.Initramfs) { [architecture] = built };
        var updated = image with { Initramfs = map };
        await File.WriteAllTextAsync(record, JsonSerializer.Serialize(updated, BootImageJson.Default.BootImage),
            cancellation)
            .ConfigureAwait(false);
        await ImageTool.RunAsync("The initramfs cannot be kept", "sync", [builtPath, record],
            cancellation: cancellation)
            .ConfigureAwait(false);
        lock (_lock)
        {
            if (_images.All(i => i.Name != image.Name || i.Digest != image.Digest))
                throw new ImageException($"The image {image.Name} was removed while its initramfs was built.");
            File.Move(builtPath, InitramfsPath(image, architecture), overwrite: true);
            File.Move(record, Path.Combine(directory, RecordName), overwrite: true);
            _images = [.. _images.Select(i => i.Name == image.Name ? updated : i)];
        }
        return updated;
    }

    /// <summary>A directory for work on the store's own disk; whatever is in it goes at the next start.</summary>
    internal string MakeWork(string name)
    {
        var work = Path.Combine(_directory, $"{WorkPrefix}{name}-{Guid.NewGuid():n}");
        // An unpacked root holds set-user-id programs: nobody else may look in.
        Directory.CreateDirectory(work, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return work;
    }

    internal void DeleteWork(string work)
    {
        try
        {
            // A build that was killed may leave mounts, and to delete through one would empty the host's /dev.
            var mounts = File.ReadLines("/proc/self/mountinfo")
                .Where(l => l.Contains($" {work}/", StringComparison.Ordinal));
            if (mounts.Any()) throw new IOException("something is still mounted in it; umount that first");
            TarDisk.RemoveTree(work);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.NotSwept(_log, work, e.Message);
        }
    }

    public void Dispose()
    {
        _adding.Dispose();
        Packages.Dispose();
        if (_ownsHttp) _http.Dispose();
    }

    private ImageIntake Intake(string work) => new(work, Space, new TarDisk(work, Space,
        (root, version, cancellation) => Initramfs.CardInitrd.MakeAsync(root, version, work, Packages, cancellation)));

    private async Task<BootImage> MakeAsync(string name, ImageAddOptions options, string hint,
        IProgress<ImageProgress>? progress, Func<string, Task<IntakeResult>> take, CancellationToken cancellation)
    {
        ImageName.Check(name);
        ImageName.CheckOptions(options);
        await _adding.WaitAsync(cancellation).ConfigureAwait(false);
        string? work = null;
        try
        {
            if (_images.Any(i => i.Name == name) || Directory.Exists(Path.Combine(_directory, name)))
                throw new ImageException(
                    $"There is already an image named {name}. Remove it first, or choose another name.");
            work = MakeWork(name);
            var taken = await take(work).ConfigureAwait(false);
            var image = await FinishAsync(work, name, options, hint, taken, progress, cancellation)
                .ConfigureAwait(false);
            Log.Added(_log, name, image.SizeBytes, image.Architecture, image.OsName, image.Source);
            return image;
        }
        catch (Exception e)
        {
            Log.AddFailed(_log, name, e.Message);
            if (e is IOException or UnauthorizedAccessException)
                throw new ImageException($"The image {name} could not be written to {_directory}: {e.Message}", e);
            throw;
        }
        finally
        {
            if (work is not null) DeleteWork(work);
            _adding.Release();
        }
    }

    private async Task<BootImage> FinishAsync(string work, string name, ImageAddOptions options, string hint,
        IntakeResult taken, IProgress<ImageProgress>? progress, CancellationToken cancellation)
    {
        var raw = Path.Combine(work, RawName);
        var found = await ImageInspector.InspectAsync(raw, work, options.Architecture, cancellation)
            .ConfigureAwait(false);
        string digest;
        using (var handle = File.OpenHandle(raw))
        {
            digest = ChunkIndex.Make(handle, Path.Combine(work, ChunksName), found.ChunkBytes,
                done => progress?.Report(new ImageProgress("checksums", done, found.SizeBytes)), cancellation);
        }
        if (options.Sha256 is { } expected && !expected.Equals(taken.ContentSha256, StringComparison.OrdinalIgnoreCase)
            && !expected.Equals(digest, StringComparison.OrdinalIgnoreCase))
        {
            throw new ImageException(
                $"The checksum of {hint} does not match: {expected} was expected, the file has " +
                $"{taken.ContentSha256} and " +
                $"the disk in it {digest}. Download it again; if it stays so, do not trust it.");
        }
        var image = found with
        {
            Name = name,
            Digest = digest,
            Source = options.Source ?? hint,
            AddedAt = _clock.GetUtcNow(),
            Notes = [.. taken.Notes, .. found.Notes],
        };
        var record = Path.Combine(work, RecordName);
        await File.WriteAllTextAsync(record, JsonSerializer.Serialize(image, BootImageJson.Default.BootImage),
            cancellation)
            .ConfigureAwait(false);
        progress?.Report(new ImageProgress("syncing", 0, null));
        Tidy(work);
        await ImageTool.RunAsync("The image cannot be kept", "sync",
            [raw, Path.Combine(work, ChunksName), record, work], cancellation: cancellation).ConfigureAwait(false);
        lock (_lock)
        {
            Directory.Move(work, Path.Combine(_directory, name));
            _images = [.. _images.Append(image).OrderBy(i => i.Name, StringComparer.Ordinal)];
        }
        // The rename itself: without this the image could be missing after a power cut, though never half there.
        await ImageTool.RunAsync("The image cannot be kept", "sync", [_directory], cancellation: CancellationToken.None)
            .ConfigureAwait(false);
        return image;
    }

    /// <summary>Leaves the image's own files alone in its directory, which is the manager's alone.</summary>
    private static void Tidy(string work)
    {
        foreach (var file in Directory.EnumerateFiles(work))
            if (Path.GetFileName(file) is not (RawName or ChunksName or RecordName)) File.Delete(file);
        foreach (var directory in Directory.EnumerateDirectories(work)) TarDisk.RemoveTree(directory);
        File.SetUnixFileMode(work, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private string DirectoryOf(BootImage image) => Path.Combine(_directory, image.Name);

    private void Sweep()
    {
        foreach (var work in Directory.EnumerateDirectories(_directory, WorkPrefix + "*"))
        {
            DeleteWork(work);
            Log.Swept(_log, work);
        }
    }

    private void Load()
    {
        var images = new List<BootImage>();
        foreach (var directory in Directory.EnumerateDirectories(_directory).Order(StringComparer.Ordinal))
        {
            if (Path.GetFileName(directory).StartsWith('.')) continue;
            try
            {
                var text = File.ReadAllText(Path.Combine(directory, RecordName));
                var image = JsonSerializer.Deserialize(text, BootImageJson.Default.BootImage)
                    ?? throw new ImageException("its record is empty");
                if (image.Name != Path.GetFileName(directory))
                    throw new ImageException("its record is another image's");
                if (new FileInfo(RawPath(image)).Length != image.SizeBytes) throw new ImageException(
                    "its disk was cut or grown");
                OpenChunks(image);
                images.Add(image);
            }
            catch (Exception e) when (
                e is IOException or JsonException or ImageException or UnauthorizedAccessException)
            {
                Log.LeftOut(_log, directory, e.Message);
            }
        }
        _images = images;
    }
}
