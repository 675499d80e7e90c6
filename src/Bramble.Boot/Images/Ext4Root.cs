using System.Globalization;
using System.Text;

namespace Bramble.Boot.Images;

/// <summary>
/// Reads files from an ext2, ext3 or ext4 file system inside an image by debugfs, which needs neither a mount nor
/// root. Its own checks guard against a corrupt file system; paths are checked before they go into a command.
/// </summary>
internal sealed class Ext4Root(string rawPath, long offset, string work) : IRootFiles
{
    private string Device => string.Create(CultureInfo.InvariantCulture, $"{rawPath}?offset={offset}");

    public async Task<IReadOnlyList<RootEntry>> ListAsync(string path, CancellationToken cancellation)
    {
        if (!RootFiles.IsSafePath(path)) return [];
        var result = await ImageTool.TryRunAsync("debugfs", ["-R", $"ls -p {path}", Device], cancellation: cancellation)
            .ConfigureAwait(false);
        var entries = new List<RootEntry>();
        foreach (var line in result.Output.Split('\n'))
        {
            // /inode/mode/uid/gid/name/size/
            var fields = line.Split('/');
            if (fields.Length < 7 || fields[5] is "." or ".." or "") continue;
            var kind = fields[2].Length == 6 ? fields[2][..2] : "";
            _ = long.TryParse(fields[6], NumberStyles.None, CultureInfo.InvariantCulture, out var size);
            entries.Add(new RootEntry(fields[5], kind == "04", kind == "10", size));
        }
        return entries;
    }

    public async Task CopyOutAsync(IReadOnlyList<(string Path, string To)> files, CancellationToken cancellation)
    {
        var commands = new StringBuilder();
        foreach (var (path, to) in files)
        {
            File.Delete(to);
            if (!RootFiles.IsSafePath(path) || to.AsSpan().ContainsAny("\"\n")) continue;
            commands.Append(CultureInfo.InvariantCulture, $"dump {path} \"{to}\"\n");
        }
        if (commands.Length == 0) return;
        var script = Path.Combine(work, "debugfs.tmp");
        await File.WriteAllTextAsync(script, commands.ToString(), cancellation).ConfigureAwait(false);
        await ImageTool.TryRunAsync("debugfs", ["-f", script, Device], cancellation: cancellation)
            .ConfigureAwait(false);
        File.Delete(script);
    }
}

/// <summary>A root file system unpacked in a directory. Links that lead out of it are not followed.</summary>
internal sealed class DirectoryRoot(string directory) : IRootFiles
{
    public Task<IReadOnlyList<RootEntry>> ListAsync(string path, CancellationToken cancellation)
    {
        IReadOnlyList<RootEntry> entries = Resolve(path) is { } real && Directory.Exists(real)
            ? [.. new DirectoryInfo(real).EnumerateFileSystemInfos().Select(Entry)]
            : [];
        return Task.FromResult(entries);
    }

    public Task CopyOutAsync(IReadOnlyList<(string Path, string To)> files, CancellationToken cancellation)
    {
        foreach (var (path, to) in files)
        {
            File.Delete(to);
            if (Resolve(path) is { } real && new FileInfo(real) is { Exists: true, LinkTarget: null })
                File.Copy(real, to);
        }
        return Task.CompletedTask;
    }

    private static RootEntry Entry(FileSystemInfo info) => new(info.Name,
        info is DirectoryInfo && info.LinkTarget is null, info is FileInfo && info.LinkTarget is null,
        info is FileInfo { LinkTarget: null } file ? file.Length : 0);

    /// <summary>Follows a path inside the root by hand: an absolute link is meant from the root, not from the
    /// host.</summary>
    /// <returns>Null for a maze of links; the result need not exist.</returns>
    public string? Resolve(string path)
    {
        var pending = new Stack<string>(path.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse());
        var done = new List<string>();
        for (var steps = 0; pending.TryPop(out var part); steps++)
        {
            if (steps > 100) return null;
            if (part == ".") continue;
            if (part == "..")
            {
                if (done.Count > 0) done.RemoveAt(done.Count - 1);
                continue;
            }
            var here = Path.Combine([directory, .. done, part]);
            if (new FileInfo(here).LinkTarget is { } link)
            {
                if (link.StartsWith('/')) done.Clear();
                foreach (var p in link.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse()) pending.Push(p);
                continue;
            }
            done.Add(part);
        }
        return Path.Combine([directory, .. done]);
    }
}
