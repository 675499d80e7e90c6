using System.Formats.Tar;
using System.IO.Compression;
using Bramble.Boot.Images;

namespace Bramble.Boot.Initramfs;

/// <summary>
/// What a board in rescue unpacks over its initramfs to be reached by SSH: dropbear with the libraries that it needs,
/// out of the distribution's packages. Made when first asked for, then kept. Keys and addresses are the plan's matter.
/// </summary>
public sealed class RescueBundle(ImageStore store) : IDisposable
{
    private const int MaxPackages = 40;

    private static readonly string[] Programs = ["usr/sbin/dropbear", "usr/bin/dropbearkey"];

    private readonly SemaphoreSlim _one = new(1, 1);

    /// <summary>The path of the <c>.tar.gz</c> for an architecture.</summary>
    /// <exception cref="ImageException">Its packages cannot be had, or lack a library.</exception>
    public async Task<string> GetAsync(string architecture, CancellationToken cancellation = default)
    {
        ImageName.CheckArchitecture(architecture);
        var home = store.Packages.Home(architecture);
        var path = Path.Combine(home, "rescue.tar.gz");
        await _one.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (File.Exists(path)) return path;
            var (files, packages) = await GatherAsync(architecture, cancellation).ConfigureAwait(false);
            var temporary = path + ".new";
            await using (var file = new FileStream(temporary, FileMode.Create, FileAccess.Write))
            await using (var gzip = new GZipStream(file, CompressionLevel.SmallestSize))
            await using (var tar = new TarWriter(gzip, TarEntryFormat.Ustar))
            {
                foreach (var (name, from) in files.OrderBy(f => f.Key, StringComparer.Ordinal))
                    Add(tar, name, await File.ReadAllBytesAsync(from, cancellation).ConfigureAwait(false),
                        0b111_101_101);
                Add(tar, "etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"u8.ToArray(), 0b110_100_100);
                Add(tar, "etc/bramble/rescue-packages",
                    System.Text.Encoding.ASCII.GetBytes(string.Join('\n', packages) + "\n"), 0b110_100_100);
            }
            File.Move(temporary, path, overwrite: true);
            return path;
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose() => _one.Dispose();

    /// <summary>Unpacks packages, nearest dependencies first, until every needed library is found.</summary>
    private async Task<(Dictionary<string, string> Files, List<string> Packages)> GatherAsync(
        string architecture, CancellationToken cancellation)
    {
        var trees = new List<string>();
        var names = new List<string> { "dropbear-bin" };
        for (var i = 0; i < names.Count && i < MaxPackages; i++)
        {
            var tree = await store.Packages.GetAsync(names[i], architecture, cancellation).ConfigureAwait(false);
            trees.Add(tree);
            names.AddRange(PackageCache.DependenciesOf(tree).Where(d => !names.Contains(d)));
            if (Resolve(trees, out var files, out _)) return (files, names[..(i + 1)]);
        }
        Resolve(trees, out _, out var missing);
        throw new ImageException($"No package that dropbear-bin for {architecture} depends on holds {missing}.");
    }

    private static bool Resolve(List<string> trees, out Dictionary<string, string> files, out string missing)
    {
        files = [];
        missing = "";
        var pending = new Queue<string>();
        foreach (var program in Programs)
        {
            var from = Path.Combine(trees[0], program);
            if (!File.Exists(from)) throw new ImageException($"The package dropbear-bin holds no {program}.");
            files[program] = from;
            pending.Enqueue(from);
            if (ElfFile.InterpreterOf(from) is { } loader)
            {
                // The kernel looks for the loader at just this path, wherever the package keeps it.
                if (FindLibrary(trees, Path.GetFileName(loader)) is not { } found)
                {
                    missing = loader;
                    return false;
                }
                files[loader.TrimStart('/')] = found;
            }
        }
        var seen = new HashSet<string>();
        while (pending.TryDequeue(out var file))
        {
            foreach (var name in ElfFile.NeededBy(file))
            {
                if (!seen.Add(name) || files.Keys.Any(k => Path.GetFileName(k) == name)) continue;
                if (name.Contains('/', StringComparison.Ordinal) || FindLibrary(trees, name) is not { } found)
                {
                    missing = name;
                    return false;
                }
                // /lib is where every loader looks without a cache.
                files[$"lib/{name}"] = found;
                pending.Enqueue(found);
            }
        }
        return true;
    }

    private static string? FindLibrary(List<string> trees, string name)
    {
        foreach (var tree in trees)
        {
            var root = new DirectoryRoot(tree);
            foreach (var directory in new[] { "lib", "usr/lib", "lib64", "usr/lib64" })
            {
                if (root.Resolve(directory) is not { } at || !Directory.Exists(at)) continue;
                // The triplet's directory is one below.
                foreach (var candidate in Directory.EnumerateDirectories(at).Prepend(at))
                {
                    var path = root.Resolve(Path.GetRelativePath(tree, Path.Combine(candidate, name)));
                    if (path is not null && File.Exists(path) && ElfFile.ArchitectureOf(path) is not null) return path;
                }
            }
        }
        return null;
    }

    private static void Add(TarWriter tar, string name, byte[] content, int mode) =>
        tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, name)
        {
            DataStream = new MemoryStream(content),
            Mode = (UnixFileMode)mode,
            ModificationTime = DateTimeOffset.UnixEpoch,
        });
}
