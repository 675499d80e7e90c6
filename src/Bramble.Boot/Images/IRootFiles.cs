namespace Bramble.Boot.Images;

/// <summary>Something in a root file system's directory.</summary>
internal readonly record struct RootEntry(string Name, bool IsDirectory, bool IsRegular, long Size);

/// <summary>Read access to a root file system: inside an image, or unpacked in a directory.</summary>
internal interface IRootFiles
{
    /// <summary>The entries of a directory (absolute path); empty if it is not there.</summary>
    Task<IReadOnlyList<RootEntry>> ListAsync(string path, CancellationToken cancellation);

    /// <summary>Copies regular files out; those that are not there are left out.</summary>
    Task CopyOutAsync(IReadOnlyList<(string Path, string To)> files, CancellationToken cancellation);
}

/// <summary>What is commonly asked of a root.</summary>
internal static class RootFiles
{
    private static readonly string[] Shells =
        ["/usr/bin/dash", "/bin/dash", "/usr/bin/bash", "/bin/bash", "/usr/bin/busybox", "/bin/busybox",
            "/usr/bin/env"];

    /// <summary>The text of the first of these files that is there; null if none is.</summary>
    public static async Task<string?> ReadTextAsync(
        this IRootFiles root, string work, CancellationToken cancellation, params string[] candidates)
    {
        var to = Path.Combine(work, "text.tmp");
        foreach (var path in candidates)
        {
            await root.CopyOutAsync([(path, to)], cancellation).ConfigureAwait(false);
            if (!File.Exists(to)) continue;
            var text = await File.ReadAllTextAsync(to, cancellation).ConfigureAwait(false);
            File.Delete(to);
            if (text.Length > 0) return text;
        }
        return null;
    }

    /// <summary>PRETTY_NAME of os-release (freedesktop.org's os-release(5)); empty if there is none.</summary>
    public static async Task<string> OsNameAsync(this IRootFiles root, string work, CancellationToken cancellation)
    {
        // /etc/os-release is mostly a link to the first.
        var text = await root.ReadTextAsync(work, cancellation, "/usr/lib/os-release", "/etc/os-release")
            .ConfigureAwait(false);
        var line = text?.Split('\n').FirstOrDefault(l => l.StartsWith("PRETTY_NAME=", StringComparison.Ordinal));
        var name = line?["PRETTY_NAME=".Length..].Trim().Trim('"', '\'') ?? "";
        return new string([.. name.Where(c => !char.IsControl(c)).Take(200)]);
    }

    /// <summary>What the root's programs were made for; <c>unknown</c> if none of the usual ones is there.</summary>
    public static async Task<string> ArchitectureAsync(this IRootFiles root, string work,
        CancellationToken cancellation)
    {
        var to = Path.Combine(work, "program.tmp");
        foreach (var path in Shells)
        {
            await root.CopyOutAsync([(path, to)], cancellation).ConfigureAwait(false);
            if (!File.Exists(to)) continue;
            var architecture = Initramfs.ElfFile.ArchitectureOf(to);
            File.Delete(to);
            if (architecture is not null) return architecture;
        }
        return "unknown";
    }

    /// <summary>The directory that holds the modules of each kernel, and the versions in it.</summary>
    public static async Task<(string Directory, IReadOnlyList<string> Versions)> KernelsAsync(
        this IRootFiles root, CancellationToken cancellation)
    {
        foreach (var directory in new[] { "/usr/lib/modules", "/lib/modules" })
        {
            var versions = new List<string>();
            foreach (var entry in await root.ListAsync(directory, cancellation).ConfigureAwait(false))
            {
                if (!entry.IsDirectory || !IsSafeName(entry.Name)) continue;
                var files = await root.ListAsync($"{directory}/{entry.Name}", cancellation).ConfigureAwait(false);
                // An empty directory is left behind by a kernel that was removed.
                if (files.Any(f => f.Name == "modules.dep")) versions.Add(entry.Name);
            }
            if (versions.Count > 0) return (directory, [.. versions.Order(StringComparer.Ordinal)]);
        }
        return ("", []);
    }

    /// <summary>Whether a path from an image may stand in a command: no quote, blank, newline or parent
    /// directory.</summary>
    public static bool IsSafePath(string path) =>
        path.Length is > 0 and < 512
            && path.All(c => char.IsAsciiLetterOrDigit(c)
                || c is '/' or '.' or '_' or '-' or '+' or ',' or '@' or '~' or ':')
        && !path.Split('/').Contains("..");

    public static bool IsSafeName(string name) => IsSafePath(name) && !name.Contains('/', StringComparison.Ordinal);
}
