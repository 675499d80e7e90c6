using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;

namespace Bramble.Boot;

/// <summary>
/// A boot tree in a plain directory, as people bring it from dnsmasq or tftpd. Links out of the directory, devices,
/// FIFOs and directories count as not there. Descriptors are shared between clients and kept for a while, because a
/// thousand boards ask for the same dozen files.
/// </summary>
public sealed partial class DirectoryBootTree(
    string root, ILogger<DirectoryBootTree> logger, TimeProvider? clock = null) : IBootTree, IDisposable
{
    /// <summary>Open files kept for the next client.</summary>
    public const int CacheLimit = 64;

    /// <summary>
    /// File systems count time in steps: of two changes within one step, the file's times show one. What was changed
    /// just now is therefore read anew for each client.
    /// </summary>
    private const long SettledAfterSeconds = 2;

    private readonly TimeProvider _clock = clock ?? TimeProvider.System;
    private readonly string _root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(root));
    private readonly Lock _lock = new();
    private readonly Dictionary<FileIdentity, LinkedListNode<(FileIdentity Identity, SharedFile File)>> _cached = [];
    private readonly LinkedList<(FileIdentity Identity, SharedFile File)> _byUse = [];
    private bool _disposed;

    /// <exception cref="IOException">The directory or the file is there but cannot be read.</exception>
    public bool TryOpen(string path, [NotNullWhen(true)] out IBootContent? content)
    {
        content = null;
        // Callers hand in what BootPath let through; a second look costs nothing and guards against a caller that errs.
        if (!BootPath.TryNormalize(path, out var normal, out var error))
        {
            LogRefusedPath(error);
            return false;
        }
        var refusal = FileBeneath.Find(_root, normal, out var found);
        using (found)
        {
            if (found is null)
            {
                if (refusal == FileBeneathRefusal.LeavesRoot) LogLeavesRoot(normal, _root);
                if (refusal == FileBeneathRefusal.NotRegular) LogNotRegular(normal, _root);
                return false;
            }
            var age = _clock.GetUtcNow().ToUnixTimeSeconds() - found.Identity.ModifiedSeconds;
            content = new SharedFileContent(Share(found), age > SettledAfterSeconds);
            return true;
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            foreach (var (_, file) in _byUse) file.Release();
            _byUse.Clear();
            _cached.Clear();
        }
    }

    private SharedFile Share(FileBeneath found)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_cached.TryGetValue(found.Identity, out var known) && known.Value.File.TryHold())
            {
                _byUse.Remove(known);
                _byUse.AddFirst(known);
                return known.Value.File;
            }
            var file = new SharedFile(found.OpenContent(), found.Identity);
            file.TryHold(); // one share for the cache, one for the caller
            _cached[found.Identity] = _byUse.AddFirst((found.Identity, file));
            if (_byUse.Count > CacheLimit)
            {
                var oldest = _byUse.Last!;
                _byUse.RemoveLast();
                _cached.Remove(oldest.Value.Identity);
                oldest.Value.File.Release();
            }
            return file;
        }
    }
}
