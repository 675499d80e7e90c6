using System.Reflection;
using System.Runtime.InteropServices;
using Bramble.Boot.Initramfs;

namespace Bramble.Boot.Images;

/// <summary>A running mmdebstrap, whose output is the root as a tar.</summary>
internal sealed class DebianBuild : IAsyncDisposable
{
    private static readonly string[] Components = ["main", "non-free-firmware"];

    /// <summary>Settings of this host's APT that the build needs to reach the mirror; they are not left in the
    /// image.</summary>
    private static readonly string[] Inherited =
    [
        "Acquire::http::Proxy", "Acquire::https::Proxy", "Acquire::Check-Valid-Until", "Acquire::Check-Date",
    ];

    private const string MergedUsr = "/usr/share/mmdebstrap/hooks/maybe-merged-usr";

    private readonly StreamFilter _program;

    private DebianBuild(StreamFilter program) => _program = program;

    public Stream Tar => _program.Output;

    /// <exception cref="ImageException">The recipe is wrong, or this host cannot run programs of that
    /// architecture.</exception>
    public static async Task<DebianBuild> StartAsync(
        DebianRecipe recipe, string work, IProgress<ImageProgress>? progress, CancellationToken cancellation)
    {
        Check(recipe);
        CheckEmulation(recipe.Architecture);
        progress?.Report(new ImageProgress("building", 0, null));
        var sources = AptSources.For(recipe.Suite, recipe.Suite is "bullseye" or "buster" ? ["main", "non-free"]
            : Components);
        if (recipe.Mirror is { } mirror)
            sources = [.. sources.Select(s => s.Suite == recipe.Suite
                || s.Suite.EndsWith("-updates", StringComparison.Ordinal) ? s with { Uri = mirror } : s)];
        var list = Path.Combine(work, "sources.list");
        await File.WriteAllTextAsync(list, AptSources.Render(sources), cancellation).ConfigureAwait(false);
        // The build runs on the store's disk, so that what a kill leaves is swept; its users must be able to pass.
        const UnixFileMode passable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
            | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        File.SetUnixFileMode(work, passable);
        var temporary = Path.Combine(work, "debian");
        Directory.CreateDirectory(temporary, passable | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        var arguments = new List<string>
        {
            $"--arch={recipe.Architecture}", "--variant=minbase", "--format=tar", "--quiet",
            $"--include={string.Join(',', recipe.Packages())}",
            $"--essential-hook={Text("debian-essential.sh")}",
        };
        // Else bookworm installs the program that merges /usr, and for its sake the whole of Perl.
        if (Directory.Exists(MergedUsr)) arguments.Add($"--hook-dir={MergedUsr}");
        if (recipe.Slim)
        {
            var slim = Path.Combine(work, "slim.cfg");
            await File.WriteAllTextAsync(slim, Text("debian-slim.cfg"), cancellation).ConfigureAwait(false);
            File.SetUnixFileMode(slim, UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
            arguments.Add($"--dpkgopt={slim}");
            arguments.Add($"--customize-hook={Text("debian-slim.sh")}");
        }
        arguments.Add($"--customize-hook={Text("debian-customize.sh")}");
        foreach (var option in new[] { "man/*", "locale/*", "info/*", "doc/*" })
            arguments.Add($"--dpkgopt=path-exclude=/usr/share/{option}");
        arguments.Add("--dpkgopt=path-include=/usr/share/doc/*/copyright");
        arguments.Add("--aptopt=Acquire::Retries \"3\"");
        arguments.Add("--aptopt=Acquire::Languages \"none\"");
        foreach (var setting in await HostSettingsAsync(cancellation).ConfigureAwait(false))
            arguments.Add($"--aptopt={setting}");
        arguments.AddRange([recipe.Suite, "-", list]);
        return new DebianBuild(StreamFilter.Start("mmdebstrap", arguments, null, null,
            [new("TMPDIR", temporary)], cancellation));
    }

    /// <exception cref="ImageException">The build failed; with its last words.</exception>
    public async Task FinishAsync()
    {
        await Tar.CopyToAsync(Stream.Null).ConfigureAwait(false);
        await _program.FinishAsync("The Debian root could not be built").ConfigureAwait(false);
    }

    public ValueTask DisposeAsync() => _program.DisposeAsync();

    private static void Check(DebianRecipe recipe)
    {
        ImageName.CheckArchitecture(recipe.Architecture);
        foreach (var word in recipe.ExtraPackages.Append(recipe.Suite))
        {
            if (word.Length is 0 or > 100
                || !word.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '.' or '+' or '-' or ':'))
                throw new ImageException($"\"{word}\" is no name of a Debian package or release.");
        }
        if (recipe.Mirror is { } m
            && (!Uri.TryCreate(m, UriKind.Absolute, out var uri) || m.Any(char.IsWhiteSpace)
                || uri.Scheme is not ("http" or "https")))
            throw new ImageException($"\"{m}\" is no http or https address of a mirror.");
    }

    private static void CheckEmulation(string architecture)
    {
        var host = RuntimeInformation.OSArchitecture switch
        {
            Architecture.Arm64 => "arm64",
            Architecture.X64 => "amd64",
            Architecture.Arm => "armhf",
            _ => "",
        };
        if (architecture == host) return;
        var machine = architecture switch { "arm64" => "aarch64", "armhf" => "arm", _ => "x86_64" };
        var entry = $"/proc/sys/fs/binfmt_misc/qemu-{machine}";
        if (File.Exists(entry) && File.ReadAllText(entry).StartsWith("enabled", StringComparison.Ordinal)) return;
        throw new ImageException(
            $"Building for {architecture} on this machine runs programs of {architecture}, and the kernel does not " +
            "know how. As root: apt-get install qemu-user-static binfmt-support arch-test; " +
            "mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc; " +
            $"update-binfmts --enable qemu-{machine}");
    }

    private static async Task<IReadOnlyList<string>> HostSettingsAsync(CancellationToken cancellation)
    {
        var dump = await ImageTool.TryRunAsync("apt-config", ["dump"], cancellation: cancellation)
            .ConfigureAwait(false);
        return [.. dump.Output.Split('\n').Where(line => Inherited.Any(i =>
            line.StartsWith(i + " \"", StringComparison.OrdinalIgnoreCase)
                && !line.EndsWith(" \"\";", StringComparison.Ordinal)))
            .Select(l => l.TrimEnd(';'))];
    }

    private static string Text(string name)
    {
        using var resource = Assembly.GetExecutingAssembly().GetManifestResourceStream($"Bramble.Boot.Images.{name}")!;
        using var reader = new StreamReader(resource);
        return reader.ReadToEnd();
    }
}
