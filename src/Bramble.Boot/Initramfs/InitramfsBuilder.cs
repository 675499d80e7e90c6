using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Bramble.Boot.Images;
using Microsoft.Extensions.Logging;

namespace Bramble.Boot.Initramfs;

/// <summary>What a build put together.</summary>
/// <param name="Modules">Modules by kernel version.</param>
/// <param name="Missing">Wanted modules that a kernel has neither as a file nor built in, by version.</param>
public sealed record InitramfsReport(
    ImageInitramfs File, long UnpackedBytes, IReadOnlyDictionary<string, int> Modules,
    IReadOnlyDictionary<string, IReadOnlyList<string>> Missing);

/// <summary>
/// Builds the initramfs that installs an image, from the image's own kernel modules and a static busybox of its
/// architecture. All kernels of an image are in the one archive: which of them boots is the board's choice.
/// </summary>
public sealed partial class InitramfsBuilder(ImageStore store, ILogger<InitramfsBuilder> log) : IDisposable
{
    /// <summary>Changes when the archive's make-up does, so that old ones are built anew.</summary>
    private const string Layout = "1";

    private readonly SemaphoreSlim _one = new(1, 1);

    /// <summary>Whether an image has the initramfs that these inputs make.</summary>
    public bool IsCurrent(BootImage image, ReadOnlyMemory<byte> init, IReadOnlyList<InitramfsFile> files) =>
        image.Initramfs.GetValueOrDefault(image.Architecture)?.Inputs == InputsOf(image, init, files)
        && System.IO.File.Exists(store.InitramfsPath(image, image.Architecture));

    /// <summary>Builds an image's initramfs unless it is current, and returns the image's record with it.</summary>
    /// <param name="init">Becomes /init: a script for busybox's sh, or a static program.</param>
    /// <exception cref="ImageException">The image's architecture is unknown, its modules cannot be read, …</exception>
    public async Task<BootImage> EnsureAsync(BootImage image, ReadOnlyMemory<byte> init,
        IReadOnlyList<InitramfsFile> files, CancellationToken cancellation = default)
    {
        await _one.WaitAsync(cancellation).ConfigureAwait(false);
        var work = store.MakeWork("initramfs-" + image.Name);
        try
        {
            image = store.Images.FirstOrDefault(i => i.Name == image.Name && i.Digest == image.Digest) ?? image;
            if (IsCurrent(image, init, files)) return image;
            var path = Path.Combine(work, "initramfs");
            var report = await BuildAsync(image, init, files, path, work, cancellation).ConfigureAwait(false);
            Log.Built(log, image.Name, report.File.Size, report.UnpackedBytes, report.Modules.Values.Sum());
            return await store.SetInitramfsAsync(image, image.Architecture, path, report.File, cancellation)
                .ConfigureAwait(false);
        }
        finally
        {
            store.DeleteWork(work);
            _one.Release();
        }
    }

    public void Dispose() => _one.Dispose();

    internal async Task<InitramfsReport> BuildAsync(BootImage image, ReadOnlyMemory<byte> init,
        IReadOnlyList<InitramfsFile> files, string to, string work, CancellationToken cancellation)
    {
        if (image.Architecture == "unknown")
        {
            throw new ImageException(
                $"The architecture of the image {image.Name} is unknown. Add it again and say which (--arch).");
        }
        IRootFiles? root = image.RootPartition.FileSystem.StartsWith("ext", StringComparison.Ordinal)
            ? new Ext4Root(store.RawPath(image), image.RootPartition.OffsetBytes, work) : null;
        var busybox = await Busybox.FindAsync(root, image.Architecture, work, store.Packages, cancellation)
            .ConfigureAwait(false);
        var sets = root is null ? []
            : await ReadModulesAsync(root, WantedModules.All, null, work, cancellation).ConfigureAwait(false);
        long unpacked;
        await using (var file = new FileStream(to, FileMode.Create, FileAccess.Write))
            unpacked = Write(file, busybox, init, files, sets);
        await using var built = System.IO.File.OpenRead(to);
        var sha = Convert.ToHexStringLower(await SHA256.HashDataAsync(built, cancellation).ConfigureAwait(false));
        return new InitramfsReport(new ImageInitramfs(sha, built.Length, InputsOf(image, init, files)), unpacked,
            sets.ToDictionary(s => s.Version, s => s.Modules.Count), sets.ToDictionary(s => s.Version, s => s.Missing));
    }

    /// <summary>Reads the modules of each kernel in a root, or of one.</summary>
    internal static async Task<IReadOnlyList<ModuleSet>> ReadModulesAsync(IRootFiles root, IReadOnlyList<string> wanted,
        string? onlyVersion, string work, CancellationToken cancellation)
    {
        var (directory, versions) = await root.KernelsAsync(cancellation).ConfigureAwait(false);
        var sets = new List<ModuleSet>();
        foreach (var version in versions.Where(v => onlyVersion is null || v == onlyVersion))
            sets.Add(await ModuleSet.ReadAsync(root, directory, version, wanted, work, cancellation)
                .ConfigureAwait(false));
        return sets;
    }

    /// <summary>Writes a compressed archive; the same inputs give the same bytes.</summary>
    /// <returns>Its size when unpacked.</returns>
    internal static long Write(Stream output, byte[] busybox, ReadOnlyMemory<byte> init,
        IReadOnlyList<InitramfsFile> files, IReadOnlyList<ModuleSet> sets)
    {
        // .NET writes a gzip header without name and time.
        using var gzip = new GZipStream(output, CompressionLevel.SmallestSize, leaveOpen: true);
        using var buffered = new BufferedStream(gzip, 1 << 16);
        var cpio = new CpioWriter(buffered);
        string[] directories = ["dev", "etc", "lib", "mnt", "proc", "root", "run", "sys", "tmp", "var"];
        foreach (var directory in directories) cpio.Directory(directory);
        // The kernel opens /dev/console for init before anything can mount a devtmpfs.
        cpio.CharacterDevice("dev/console", 0b110_000_000, 5, 1);
        cpio.CharacterDevice("dev/null", 0b110_110_110, 1, 3);
        Busybox.WriteTo(cpio, busybox);
        cpio.File("init", 0b111_101_101, init.Span);
        foreach (var file in files.OrderBy(f => f.Path, StringComparer.Ordinal))
            cpio.File(file.Path.TrimStart('/'), file.Mode, file.Content.Span);
        foreach (var set in sets) set.WriteTo(cpio);
        cpio.End();
        return cpio.Length;
    }

    private static string InputsOf(BootImage image, ReadOnlyMemory<byte> init, IReadOnlyList<InitramfsFile> files)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"{Layout}\0{image.Digest}\0{string.Join(' ', WantedModules.All)}\0"));
        hash.AppendData(SHA256.HashData(init.Span));
        foreach (var file in files.OrderBy(f => f.Path, StringComparer.Ordinal))
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"{file.Path}\0{file.Mode}\0"));
            hash.AppendData(SHA256.HashData(file.Content.Span));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
    }

    private static partial class Log
    {
        [LoggerMessage(5050, LogLevel.Information,
            "Initramfs of image {Name} built: {Size} bytes, {UnpackedBytes} unpacked, {Modules} modules")]
        public static partial void Built(ILogger logger, string name, long size, long unpackedBytes, int modules);
    }
}
