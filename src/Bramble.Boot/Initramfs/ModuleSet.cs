using System.Text;
using Bramble.Boot.Images;

namespace Bramble.Boot.Initramfs;

/// <summary>The modules of one kernel, copied out of a root, decompressed, with the tables that modprobe
/// reads.</summary>
internal sealed record ModuleSet(
    string Version, IReadOnlyList<(string Path, byte[] Content)> Modules, IReadOnlyList<string> Missing,
    IReadOnlyList<(string Name, string Text)> Tables)
{
    /// <summary>Reads the wanted modules of a kernel version out of a root.</summary>
    /// <exception cref="ImageException">A module is named in modules.dep and is not there or cannot be
    /// decompressed.</exception>
    public static async Task<ModuleSet> ReadAsync(IRootFiles root, string directory, string version,
        IReadOnlyList<string> wanted, string work, CancellationToken cancellation)
    {
        var from = $"{directory}/{version}";
        async Task<string> Text(string name) =>
            await root.ReadTextAsync(work, cancellation, $"{from}/{name}").ConfigureAwait(false) ?? "";
        var dep = await Text("modules.dep").ConfigureAwait(false);
        var builtIn = await Text("modules.builtin").ConfigureAwait(false);
        var softDep = await Text("modules.softdep").ConfigureAwait(false);
        var alias = await Text("modules.alias").ConfigureAwait(false);
        var resolver = new ModuleResolver(dep, builtIn, softDep);
        var choice = resolver.Choose(wanted);
        var modules = await CopyAsync(root, from, choice.Paths, work, cancellation).ConfigureAwait(false);
        var names = choice.Paths.Select(ModuleResolver.NameOf).ToHashSet();
        var plain = choice.Paths.Select(ModuleResolver.Plain).ToList();
        return new ModuleSet(version, modules, choice.Missing,
        [
            ("modules.dep", Join(choice.Paths.Select(resolver.DependencyLine))),
            ("modules.order", Join(plain)),
            ("modules.builtin", builtIn),
            ("modules.softdep", Join(Kept(softDep, 1, names))),
            // Only the aliases of what is here: with them `modprobe $(cat modalias)` finds the driver of a device.
            ("modules.alias", Join(Kept(alias, 2, names))),
        ]);
    }

    public void WriteTo(CpioWriter cpio)
    {
        var directory = $"lib/modules/{Version}";
        foreach (var (name, text) in Tables)
            cpio.File($"{directory}/{name}", 0b110_100_100, Encoding.UTF8.GetBytes(text));
        foreach (var (path, content) in Modules) cpio.File($"{directory}/{path}", 0b110_100_100, content);
    }

    private static async Task<IReadOnlyList<(string Path, byte[] Content)>> CopyAsync(
        IRootFiles root, string from, IReadOnlyList<string> paths, string work, CancellationToken cancellation)
    {
        var scratch = Path.Combine(work, "modules");
        Directory.CreateDirectory(scratch);
        try
        {
            // Names of our own: what the image calls its files never becomes a path here.
            var copies = paths.Select((p, i) => (Path: $"{from}/{p}", To: Path.Combine(scratch, $"{i}.ko" + Suffix(p))))
                .ToList();
            await root.CopyOutAsync(copies, cancellation).ConfigureAwait(false);
            foreach (var missing in copies.Where(c => !File.Exists(c.To)))
                throw new ImageException($"{missing.Path} is named in modules.dep, but is not in the image.");
            foreach (var (suffix, program) in new[] { (".xz", "xz"), (".zst", "zstd"), (".gz", "gzip") })
            {
                var packed = copies.Where(c => c.To.EndsWith(suffix, StringComparison.Ordinal)).Select(c => c.To)
                    .ToList();
                if (packed.Count == 0) continue;
                await ImageTool.RunAsync("A kernel module cannot be decompressed", program,
                    ["-d", "-q", "-f", .. packed],
                    cancellation: cancellation).ConfigureAwait(false);
            }
            return [.. paths.Select((p, i) =>
                (ModuleResolver.Plain(p), File.ReadAllBytes(Path.Combine(scratch, $"{i}.ko"))))];
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    private static string Suffix(string path) => Path.GetExtension(path) is ".xz" or ".zst" or ".gz"
        ? Path.GetExtension(path) : "";

    private static IEnumerable<string> Kept(string table, int word, HashSet<string> names) =>
        table.Split('\n').Where(line =>
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            return words.Length > word && names.Contains(words[word].Replace('-', '_'));
        });

    private static string Join(IEnumerable<string> lines) => string.Concat(lines.Select(l => l + "\n"));
}
