using System.Collections.Concurrent;
using System.Diagnostics;
using Bramble.Processes;

namespace Bramble.System.Tests.Rack;

/// <summary>
/// A state directory with an image in it, made once for all tests by the real programs: brambled without a network, and
/// the command line that adds the image. Each rack gets a copy.
/// </summary>
internal sealed class PreparedState
{
    private static readonly Lazy<Task<PreparedState>> s_simulated =
        new(() => MakeAsync("simulated", MakeLabImageAsync));

    private static readonly Lazy<Task<PreparedState>> s_pcs =
        new(() => MakeAsync("pcs", MakePcImagesAsync));

    private static readonly Lazy<Task<PreparedState>> s_debian = new(() => MakeAsync("debian", BuildDebianAsync));

    private PreparedState(string directory, string token) => (Directory, Token) = (directory, token);

    public string Directory { get; }

    /// <summary>The first admin token.</summary>
    public string Token { get; }

    /// <summary>With the lab's small image, named <c>demo</c>.</summary>
    public static Task<PreparedState> SimulatedAsync() => s_simulated.Value;

    /// <summary>The same, with a lab image for amd64 named <c>pc</c>, and the boot loaders of PCs.</summary>
    public static Task<PreparedState> PcsAsync() => s_pcs.Value;

    /// <summary>
    /// With a real Debian for arm64, also named <c>demo</c>, one for amd64 named <c>pc</c>, and the boot loaders.
    /// </summary>
    public static Task<PreparedState> DebianAsync() => s_debian.Value;

    /// <summary>Why a rack cannot be run here; null if it can.</summary>
    public static string? Unavailable =>
        Environment.UserName != "root" ? "needs root for network namespaces"
        : new[] { "ip", "nft", "mkfs.fat", "mcopy", "mke2fs", "fakeroot", "ssh-keygen" }.FirstOrDefault(tool =>
            !new[] { "/usr/bin", "/usr/sbin", "/bin", "/sbin" }.Any(d => File.Exists(Path.Combine(d, tool))))
            is { } missing ? $"needs {missing}" : null;

    public static async Task<PreparedState> MakeAsync(string name, Func<string, string, Task> addImage)
    {
        var directory = global::System.IO.Directory.CreateTempSubdirectory($"bramble-{name}-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => global::System.IO.Directory.Delete(directory, recursive: true);
        var config = Path.Combine(directory, "prepare.yaml");
        var socket = Path.Combine(directory, "api.sock");
        await File.WriteAllTextAsync(config,
            $"state: {directory}/state\napi:\n  listen: [\"unix:{socket}\"]\ninstall:\n  image: demo\n");
        var token = (await Programs.RunAsync("brambled", "first-token", "--config", config)).Trim();
        using var manager = Programs.Start("brambled", "--config", config);
        try
        {
            await Programs.UntilAsync(() => File.Exists(socket), TimeSpan.FromSeconds(60), "brambled's socket");
            await addImage(directory, token);
        }
        finally
        {
            ChildProcess.Kill(manager);
            await manager.WaitForExitAsync();
        }
        return new PreparedState(directory, token);
    }

    /// <summary>Copies the state; images are shared by hard links, since nobody changes one.</summary>
    /// <param name="state">What becomes the state directory; it may lie on a disk of its own.</param>
    /// <param name="images">Where the images go.</param>
    public async Task CopyToAsync(string state, string images)
    {
        var from = Path.Combine(Directory, "state");
        global::System.IO.Directory.CreateDirectory(state);
        foreach (var entry in global::System.IO.Directory.EnumerateFileSystemEntries(from))
            if (Path.GetFileName(entry) != "images") await Programs.RunAsync("/bin/cp", "-a", entry, state);
        await Programs.RunAsync("/bin/cp", "-al", Path.Combine(from, "images"), images);
        var there = Path.Combine(state, "images");
        if (there != images) global::System.IO.Directory.CreateSymbolicLink(there, images);
    }

    private static async Task MakeLabImageAsync(string directory, string token)
    {
        var image = Path.Combine(directory, "demo.img");
        await Programs.RunAsync("bramble-lab", "image", image, "--scale", "small", "--root-fill", "1");
        await BrambleAsync(directory, token, "image", "add", image, "--name", "demo", "--arch", "arm64");
        File.Delete(image);
    }

    private static async Task MakePcImagesAsync(string directory, string token)
    {
        await MakeLabImageAsync(directory, token);
        var image = Path.Combine(directory, "pc.img");
        await Programs.RunAsync(
            "bramble-lab", "image", image, "--scale", "small", "--root-fill", "1", "--arch", "amd64");
        await BrambleAsync(directory, token, "image", "add", image, "--name", "pc", "--arch", "amd64");
        File.Delete(image);
        await FetchLoadersAsync(directory);
    }

    private static async Task BuildDebianAsync(string directory, string token)
    {
        await BrambleAsync(directory, token, "image", "build", "debian", "--arch", "arm64", "--slim", "--name", "demo");
        await BrambleAsync(directory, token, "image", "build", "debian", "--arch", "amd64", "--slim", "--name", "pc");
        await FetchLoadersAsync(directory);
    }

    /// <summary>Out of Debian's packages, to where the state's other packages are.</summary>
    private static Task<string> FetchLoadersAsync(string directory) =>
        Programs.RunAsync("brambled", "fetch-loaders", "--config", Path.Combine(directory, "prepare.yaml"));

    private static Task<string> BrambleAsync(string directory, string token, params string[] arguments) =>
        Programs.RunAsync(new Dictionary<string, string>
        {
            ["BRAMBLE_SERVER"] = $"unix:{directory}/api.sock",
            ["BRAMBLE_TOKEN"] = token,
        }, "bramble", arguments);
}

/// <summary>Runs the programs that were built with the tests.</summary>
internal static class Programs
{
    public static Task<string> RunAsync(string program, params string[] arguments) =>
        RunAsync(new Dictionary<string, string>(), program, arguments);

    public static async Task<string> RunAsync(
        IReadOnlyDictionary<string, string> environment, string program, params string[] arguments)
    {
        var result = await ResultAsync(environment, program, arguments);
        return result.Succeeded ? result.Output
            : throw new InvalidOperationException(
                $"{program} {string.Join(' ', arguments)}: exit code {result.ExitCode}: "
                + result.Output + result.Errors);
    }

    /// <summary>Runs a program to its end, whatever that is.</summary>
    public static Task<ChildResult> ResultAsync(
        IReadOnlyDictionary<string, string> environment, string program, params string[] arguments)
    {
        var (file, all) = Line(program, arguments);
        return ChildProcess.RunAsync(file, all, environment: environment, timeout: TimeSpan.FromMinutes(15));
    }

    public static Process Start(string program, params string[] arguments) =>
        StartSaying(program, null, arguments);

    /// <param name="log">Takes what it says, line by line.</param>
    public static Process StartSaying(string program, ConcurrentQueue<string>? log, params string[] arguments)
    {
        var (file, all) = Line(program, arguments);
        return Drained(ChildProcess.Start(file, all), log);
    }

    /// <param name="log">Takes what it says, line by line.</param>
    public static Process StartIn(string ns, ConcurrentQueue<string>? log, string program, params string[] arguments)
    {
        var (file, all) = Line(program, arguments);
        return Drained(ChildProcess.Start("ip", ["netns", "exec", ns, file, .. all]), log);
    }

    /// <summary>Runs a program in a namespace to its end, whatever that is.</summary>
    public static async Task<ChildResult> ResultInAsync(string ns, string program, params string[] arguments)
    {
        var (file, all) = Line(program, arguments);
        return await ChildProcess.RunAsync(
            "ip", ["netns", "exec", ns, file, .. all], timeout: TimeSpan.FromMinutes(1));
    }

    public static async Task UntilAsync(Func<bool> there, TimeSpan limit, string what)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (!there())
        {
            if (TimeProvider.System.GetElapsedTime(began) > limit)
                throw new TimeoutException($"{what} did not come within {limit.TotalSeconds:0} s");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
    }

    private static (string File, string[] Arguments) Line(string program, string[] arguments)
    {
        if (program[0] == '/') return (program, arguments);
        return ("dotnet", [Path.Combine(AppContext.BaseDirectory, $"{program}.dll"), .. arguments]);
    }

    /// <summary>
    /// Keeps what the program says, so that a full pipe never stops it and a failed test can show it.
    /// </summary>
    private static Process Drained(Process process, ConcurrentQueue<string>? log = null)
    {
        process.OutputDataReceived += (_, line) => Said(line.Data, log);
        process.ErrorDataReceived += (_, line) => Said(line.Data, log);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private static void Said(string? line, ConcurrentQueue<string>? log)
    {
        if (line is not null) log?.Enqueue(line);
        if (line is null || !line.StartsWith("<3>", StringComparison.Ordinal)) return;
        TestContext.Current.SendDiagnosticMessage(line);
    }
}
