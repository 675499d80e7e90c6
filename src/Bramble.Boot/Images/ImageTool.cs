using System.ComponentModel;
using System.Diagnostics;
using Bramble.Processes;

namespace Bramble.Boot.Images;

/// <summary>The distribution's programs that make and read images. A missing one is named with its package.</summary>
internal static class ImageTool
{
    /// <summary>
    /// No tool works longer on one image; one that does (debugfs on a file system made to lead it in circles) would
    /// hold up every other image.
    /// </summary>
    private static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    private static readonly Dictionary<string, string> Packages = new()
    {
        ["xz"] = "xz-utils",
        ["zstd"] = "zstd",
        ["gzip"] = "gzip",
        ["tar"] = "tar",
        ["sync"] = "coreutils",
        ["fakeroot"] = "fakeroot",
        ["mke2fs"] = "e2fsprogs",
        ["debugfs"] = "e2fsprogs",
        ["mkfs.fat"] = "dosfstools",
        ["mcopy"] = "mtools",
        ["mmdebstrap"] = "mmdebstrap",
        ["apt-get"] = "apt",
        ["apt-config"] = "apt",
        ["dpkg-deb"] = "dpkg",
    };

    private static readonly Dictionary<string, string> Plain = new()
    {
        // Messages are matched, and names are bytes.
        ["LC_ALL"] = "C.UTF-8",
        // mtools refuses odd geometries that firmware and Linux accept.
        ["MTOOLS_SKIP_CHECK"] = "1",
    };

    /// <summary>Finds a program on the PATH or where administrators' programs live, which a service's PATH may
    /// lack.</summary>
    /// <exception cref="ImageException">It is not installed.</exception>
    public static string Find(string program)
    {
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "") + ":/usr/sbin:/sbin:/usr/bin:/bin";
        foreach (var directory in path.Split(':', StringSplitOptions.RemoveEmptyEntries))
        {
            var file = Path.Combine(directory, program);
            if (File.Exists(file)) return file;
        }
        var package = Packages.GetValueOrDefault(program, program);
        throw new ImageException($"The program {program} is missing. Install it: apt-get install {package}");
    }

    public static async Task<ChildResult> TryRunAsync(
        string program, IEnumerable<string> arguments, string? workingDirectory = null,
        IEnumerable<KeyValuePair<string, string>>? environment = null, CancellationToken cancellation = default)
    {
        try
        {
            return await ChildProcess.RunAsync(Find(program), arguments, workingDirectory: workingDirectory,
                environment: Merge(environment), timeout: Longest, cancellation: cancellation).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw new ImageException($"{program} was killed: it did not end within {Longest.TotalMinutes:0} min", e);
        }
        catch (Win32Exception e)
        {
            throw new ImageException($"{program} cannot be started: {e.Message}", e);
        }
    }

    /// <summary>Runs a program that must succeed.</summary>
    /// <param name="purpose">What was being done, as the start of the message if it fails.</param>
    public static async Task<ChildResult> RunAsync(
        string purpose, string program, IEnumerable<string> arguments, string? workingDirectory = null,
        IEnumerable<KeyValuePair<string, string>>? environment = null, CancellationToken cancellation = default)
    {
        var result = await TryRunAsync(program, arguments, workingDirectory, environment, cancellation)
            .ConfigureAwait(false);
        return result.Succeeded ? result : throw new ImageException(
            $"{purpose}: {program} failed with exit code {result.ExitCode}: {ComplaintOf(result)}");
    }

    public static Process Start(string program, IEnumerable<string> arguments, bool redirectInput,
        IEnumerable<KeyValuePair<string, string>>? environment = null)
    {
        try
        {
            return ChildProcess.Start(Find(program), arguments, redirectInput, environment: Merge(environment));
        }
        catch (Win32Exception e)
        {
            throw new ImageException($"{program} cannot be started: {e.Message}", e);
        }
    }

    /// <summary>APT and mmdebstrap name the cause first and lament its effects after; others end with the
    /// cause.</summary>
    private static string ComplaintOf(ChildResult result) =>
        result.Errors.Split('\n').FirstOrDefault(l => l.StartsWith("E: ", StringComparison.Ordinal))
            ?? result.Complaint;

    private static Dictionary<string, string> Merge(IEnumerable<KeyValuePair<string, string>>? more)
    {
        var all = new Dictionary<string, string>(Plain);
        foreach (var (name, value) in more ?? []) all[name] = value;
        return all;
    }
}
