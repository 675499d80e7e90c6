using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Bramble.Boot.Images;
using Microsoft.Extensions.Logging;

namespace Bramble.Boot.Loaders;

/// <summary>How one loader stands.</summary>
/// <param name="Path">Where it is; null if it is not here.</param>
/// <param name="Trouble">Why the last attempt to fetch it failed; empty if none did.</param>
public sealed record LoaderState(string Name, string Package, string? Path, string Trouble);

/// <summary>
/// The boot loaders of other machines than Pis, out of Debian's packages: the host's own if they are installed, else
/// downloaded when the first machine asks that needs them. None is ours, and none is changed: that keeps their
/// signatures.
/// </summary>
public sealed partial class LoaderFiles(ImageStore store, TimeProvider clock, ILogger<LoaderFiles> logger) : IDisposable
{
    public const string IpxeBios = "undionly.kpxe";
    /// <summary>It drives the card through the firmware that loaded it, and so needs no driver of its own.</summary>
    public const string IpxeX64 = "snponly.efi";
    public const string ShimX64 = "shimx64.efi";
    public const string ShimArm64 = "shimaa64.efi";
    public const string StubX64 = "linuxx64.efi.stub";
    public const string StubArm64 = "linuxaa64.efi.stub";

    /// <summary>Between two attempts to download what could not be had.</summary>
    private static readonly TimeSpan s_retry = TimeSpan.FromMinutes(1);

    private sealed record Source(string Package, string Architecture, string Path);

    /// <summary>shim starts the GRUB beside it under the name that its architecture has in the UEFI
    /// specification.</summary>
    private static readonly Dictionary<string, Source> s_sources = new()
    {
        [IpxeBios] = new("ipxe", "amd64", "usr/lib/ipxe/undionly.kpxe"),
        [IpxeX64] = new("ipxe", "amd64", "usr/lib/ipxe/snponly.efi"),
        [ShimX64] = new("shim-signed", "amd64", "usr/lib/shim/shimx64.efi.signed"),
        ["grubx64.efi"] = new(
            "grub-efi-amd64-signed", "amd64", "usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed"),
        [StubX64] = new("systemd-boot-efi", "amd64", "usr/lib/systemd/boot/efi/linuxx64.efi.stub"),
        [StubArm64] = new("systemd-boot-efi", "arm64", "usr/lib/systemd/boot/efi/linuxaa64.efi.stub"),
        [ShimArm64] = new("shim-signed", "arm64", "usr/lib/shim/shimaa64.efi.signed"),
        ["grubaa64.efi"] = new(
            "grub-efi-arm64-signed", "arm64", "usr/lib/grub/arm64-efi-signed/grubnetaa64.efi.signed"),
    };

    /// <summary>Where packages come from: a package and its architecture to the directory that it is in.</summary>
    internal Func<string, string, CancellationToken, Task<string>> Fetch { get; init; } = store.Packages.GetAsync;

    /// <summary>The root of the host's own packages.</summary>
    internal string HostRoot { get; init; } = "/";

    private readonly ConcurrentDictionary<string, string> _paths = new();
    private readonly ConcurrentDictionary<string, string> _trouble = new();
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _ending = new();
    private Task _fetching = Task.CompletedTask;
    private long _failedAt = long.MinValue;

    /// <summary>The names under which they are served.</summary>
    public static IReadOnlyCollection<string> Names => s_sources.Keys;

    /// <summary>Where a loader is on this machine, if it is.</summary>
    public bool TryFind(string name, [NotNullWhen(true)] out string? path)
    {
        if (_paths.TryGetValue(name, out path)) return true;
        if (!s_sources.TryGetValue(name, out var source)) return false;
        path = Path.Combine(HostRoot, source.Path);
        if (!File.Exists(path))
        {
            var unpacked = store.Packages.Find(source.Package, source.Architecture);
            path = unpacked is null ? null : Path.Combine(unpacked, source.Path);
            if (path is null || !File.Exists(path)) return false;
        }
        _paths[name] = path;
        return true;
    }

    /// <summary>
    /// Whether a machine that begins with this loader gets to its end; if not, fetching begins and the answer says what
    /// is missing. Never blocks.
    /// </summary>
    public bool IsReady(string name, out string missing)
    {
        var absent = Chain(name).FirstOrDefault(file => !TryFind(file, out _));
        missing = "";
        if (absent is null) return true;
        var package = s_sources[absent].Package;
        lock (_lock)
        {
            var rests = _failedAt != long.MinValue && clock.GetElapsedTime(_failedAt) < s_retry;
            if (_fetching.IsCompleted && !rests) _fetching = Task.Run(() => FetchQuietlyAsync(name, _ending.Token));
        }
        missing = _trouble.TryGetValue(absent, out var why)
            ? $"the boot loader {absent} cannot be had: {why}; 'brambled fetch-loaders' tries at once"
            : $"the boot loader {absent} is being fetched (package {package}); the machine asks again";
        return false;
    }

    /// <summary>Fetches the loaders that are not here.</summary>
    /// <exception cref="ImageException">The package cannot be had, or holds no such file.</exception>
    public async Task FetchAsync(IEnumerable<string> names, CancellationToken cancellation)
    {
        foreach (var name in names)
        {
            if (TryFind(name, out _)) continue;
            var source = s_sources[name];
            try
            {
                await Fetch(source.Package, source.Architecture, cancellation).ConfigureAwait(false);
                if (!TryFind(name, out _))
                    throw new ImageException($"The package {source.Package} holds no {source.Path}.");
                _trouble.TryRemove(name, out _);
                LogFetched(name, source.Package);
            }
            catch (ImageException e)
            {
                _trouble[name] = e.Message;
                throw;
            }
        }
    }

    /// <summary>All of them, in the order of their names.</summary>
    public IReadOnlyList<LoaderState> States =>
    [
        .. s_sources.OrderBy(s => s.Key, StringComparer.Ordinal).Select(s => new LoaderState(s.Key, s.Value.Package,
            TryFind(s.Key, out var path) ? path : null, _trouble.GetValueOrDefault(s.Key, ""))),
    ];

    public void Dispose()
    {
        _ending.Cancel();
        _ending.Dispose();
    }

    /// <summary>A loader with those that it starts.</summary>
    private static string[] Chain(string name) => name switch
    {
        ShimX64 => [ShimX64, "grubx64.efi"],
        ShimArm64 => [ShimArm64, "grubaa64.efi"],
        _ when s_sources.ContainsKey(name) => [name],
        _ => [],
    };

    private async Task FetchQuietlyAsync(string name, CancellationToken cancellation)
    {
        try
        {
            await FetchAsync(Chain(name), cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            lock (_lock) _failedAt = clock.GetTimestamp();
            LogFailed(e, name);
        }
    }

    [LoggerMessage(5060, LogLevel.Information, "The boot loader {Name} is here (package {Package})")]
    private partial void LogFetched(string name, string package);

    [LoggerMessage(5061, LogLevel.Warning, "The boot loader {Name} cannot be had: machines that need it cannot boot")]
    private partial void LogFailed(Exception exception, string name);
}
