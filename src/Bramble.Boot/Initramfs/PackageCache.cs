using Bramble.Boot.Images;

namespace Bramble.Boot.Initramfs;

/// <summary>
/// Packages of any architecture, unpacked and kept. APT runs with a state of its own, so that the host's list of
/// architectures and packages stays untouched; its mirrors, proxies and keys are the host's.
/// </summary>
internal sealed class PackageCache(string directory) : IDisposable
{
    private readonly SemaphoreSlim _one = new(1, 1);

    /// <summary>Where a package is unpacked already; null if it is not.</summary>
    public string? Find(string package, string architecture)
    {
        var unpacked = Unpacked(package, architecture);
        return Directory.Exists(unpacked) ? unpacked : null;
    }

    /// <summary>The directory in which a package of the host's release is unpacked.</summary>
    /// <exception cref="ImageException">It cannot be downloaded or unpacked.</exception>
    public async Task<string> GetAsync(string package, string architecture, CancellationToken cancellation)
    {
        ImageName.CheckArchitecture(architecture);
        var suite = AptSources.HostCodename();
        var home = Path.Combine(directory, $"{suite}-{architecture}");
        var unpacked = Unpacked(package, architecture);
        await _one.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (Directory.Exists(unpacked)) return unpacked;
            var apt = Prepare(home, suite, architecture);
            var work = Path.Combine(home, "download");
            if (Directory.Exists(work)) Directory.Delete(work, recursive: true);
            Directory.CreateDirectory(work);
            var purpose = $"The package {package} for {architecture} cannot be had";
            if (!File.Exists(Path.Combine(home, "updated")))
                await UpdateAsync(home, apt, purpose, cancellation).ConfigureAwait(false);
            var first = await ImageTool.TryRunAsync("apt-get", [.. apt, "-qq", "download", package], work,
                cancellation: cancellation).ConfigureAwait(false);
            if (!first.Succeeded)
            {
                // The lists may be older than the mirror's packages.
                await UpdateAsync(home, apt, purpose, cancellation).ConfigureAwait(false);
                await ImageTool.RunAsync(purpose, "apt-get", [.. apt, "-qq", "download", package], work,
                    cancellation: cancellation).ConfigureAwait(false);
            }
            var deb = Directory.EnumerateFiles(work, "*.deb").FirstOrDefault()
                ?? throw new ImageException($"{purpose}: apt-get download left no package.");
            var tree = Path.Combine(work, "tree");
            await ImageTool.RunAsync(purpose, "dpkg-deb", ["-x", deb, tree], cancellation: cancellation)
                .ConfigureAwait(false);
            var depends = await ImageTool.RunAsync(purpose, "dpkg-deb", ["-f", deb, "Pre-Depends", "Depends"],
                cancellation: cancellation).ConfigureAwait(false);
            Directory.CreateDirectory(Path.GetDirectoryName(unpacked)!);
            await File.WriteAllTextAsync(unpacked + ".depends", depends.Output, cancellation).ConfigureAwait(false);
            Directory.Move(tree, unpacked);
            Directory.Delete(work, recursive: true);
            return unpacked;
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>The names of the packages that an unpacked one depends on; of alternatives the first.</summary>
    public static IReadOnlyList<string> DependenciesOf(string unpacked) =>
    [
        .. File.ReadAllLines(unpacked + ".depends")
            .SelectMany(l => l[(l.IndexOf(':', StringComparison.Ordinal) + 1)..].Split(','))
            .Select(d => d.Split(['|', '('])[0].Trim().Split(':')[0]).Where(d => d.Length > 0).Distinct(),
    ];

    /// <summary>A directory beside the packages for what is made of them.</summary>
    public string Home(string architecture)
    {
        var home = Path.Combine(directory, $"{AptSources.HostCodename()}-{architecture}");
        Directory.CreateDirectory(home);
        return home;
    }

    public void Dispose() => _one.Dispose();

    private string Unpacked(string package, string architecture) =>
        Path.Combine(directory, $"{AptSources.HostCodename()}-{architecture}", "packages", package);

    private static string[] Prepare(string home, string suite, string architecture)
    {
        foreach (var d in new[] { "state/lists/partial", "cache/archives/partial", "parts" })
            Directory.CreateDirectory(Path.Combine(home, d));
        File.WriteAllText(Path.Combine(home, "status"), "");
        File.WriteAllText(Path.Combine(home, "sources.list"), AptSources.Render(AptSources.For(suite, ["main"])));
        string[] options =
        [
            $"APT::Architecture={architecture}", $"APT::Architectures={architecture}", $"Dir::State={home}/state",
            $"Dir::State::status={home}/status", $"Dir::Cache={home}/cache",
            $"Dir::Etc::SourceList={home}/sources.list", $"Dir::Etc::SourceParts={home}/parts",
            "Dir::Etc::Preferences=/dev/null", $"Dir::Etc::PreferencesParts={home}/parts",
            // The unprivileged user that APT downloads as cannot enter this directory.
            "APT::Sandbox::User=root", "Acquire::Languages=none", "Acquire::Retries=3",
        ];
        return [.. options.SelectMany(o => new[] { "-o", o })];
    }

    private static async Task UpdateAsync(string home, string[] apt, string purpose, CancellationToken cancellation)
    {
        var update = await ImageTool.TryRunAsync("apt-get", [.. apt, "-qq", "update"], cancellation: cancellation)
            .ConfigureAwait(false);
        // One index that fails (a mirror in the middle of its own update) need not be the one that is wanted.
        if (!update.Succeeded
            && !Directory.EnumerateFiles(Path.Combine(home, "state/lists"))
                .Any(f => f.Contains("Packages", StringComparison.Ordinal)))
            throw new ImageException($"{purpose}: apt-get update failed: {update.Complaint}");
        if (!update.Succeeded) return;
        await File.WriteAllTextAsync(Path.Combine(home, "updated"), "", cancellation).ConfigureAwait(false);
    }
}
