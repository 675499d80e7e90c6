using System.ComponentModel;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Bramble.Processes;
using Microsoft.Win32.SafeHandles;

namespace Bramble.Testing;

/// <summary>How a program that a test ran has ended.</summary>
public sealed record ProgramResult(int ExitCode, string Output, string Errors);

/// <summary>
/// A network namespace of a test's own: a machine as far as the network goes, with its own interfaces, addresses and
/// routes, and no way out. Namespaces are joined by veth pairs. Disposing removes it with all that is in it; what a
/// killed test run left behind is removed by the next one.
/// </summary>
public sealed class NetNamespace : IAsyncDisposable
{
    private const string Prefix = "brmbl-";
    private const int CloneNewNet = 0x40000000;

    private static readonly string[] Places = ["/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip"];
    private static readonly Lazy<Task> Swept = new(SweepAsync);
    private static int s_count;

    private NetNamespace(string name) => Name = name;

    public string Name { get; }

    /// <summary>Why namespaces cannot be made here, for <c>Assert.Skip</c>; null if they can.</summary>
    public static string? Unavailable =>
        !OperatingSystem.IsLinux() ? "needs Linux network namespaces"
        : !Environment.IsPrivilegedProcess ? "needs root, to make network namespaces"
        : !Places.Any(File.Exists) ? "needs ip (iproute2)"
        : null;

    /// <summary>Makes an empty namespace with its loopback up.</summary>
    public static async Task<NetNamespace> CreateAsync()
    {
        await Swept.Value;
        var space = new NetNamespace($"{Prefix}{Environment.ProcessId}-{Interlocked.Increment(ref s_count)}");
        await IpAsync("netns", "add", space.Name);
        await space.InsideAsync("link", "set", "lo", "up");
        return space;
    }

    /// <summary>Lays a cable: an interface here and one there, both up.</summary>
    /// <param name="mac">The Ethernet address of the interface there; null for any.</param>
    public async Task ConnectAsync(string here, NetNamespace other, string there, string? mac = null)
    {
        string[] far = mac is null ? ["peer", "name", there] : ["peer", "name", there, "address", mac];
        await IpAsync(["link", "add", here, "netns", Name, "type", "veth", .. far, "netns", other.Name]);
        await InsideAsync("link", "set", here, "up");
        await other.InsideAsync("link", "set", there, "up");
    }

    /// <summary>Runs <c>ip</c> with these arguments inside, e.g. <c>address add 10.77.0.1/24 dev eth0</c>.</summary>
    public Task<string> InsideAsync(params string[] arguments) => IpAsync(["-n", Name, .. arguments]);

    /// <summary>Runs a program inside to its end.</summary>
    public async Task<ProgramResult> ExecAsync(TimeSpan timeout, string program, params string[] arguments)
    {
        var result = await ChildProcess.RunAsync(
            "ip", ["netns", "exec", Name, program, .. arguments], timeout: timeout);
        return new ProgramResult(result.ExitCode, result.Output, result.Errors);
    }

    /// <summary>
    /// Runs code inside, on a thread that is made for it and ends with it. A socket stays where it was opened: open it
    /// here, then use it from any thread.
    /// </summary>
    public T Run<T>(Func<T> code)
    {
        T result = default!;
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                Enter();
                result = code();
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }
        })
        {
            IsBackground = true,
            Name = Name,
        };
        thread.Start();
        thread.JoinWithin($"work inside the network namespace {Name}");
        failure?.Throw();
        return result;
    }

    public async ValueTask DisposeAsync() => await IpAsync("netns", "delete", Name);

    private void Enter()
    {
        using var file = File.OpenHandle($"/run/netns/{Name}");
        if (setns(file, CloneNewNet) != 0)
            throw new Win32Exception(Marshal.GetLastPInvokeError(), $"cannot enter the network namespace {Name}");
    }

    /// <summary>Removes the namespaces of test runs that are no more.</summary>
    private static async Task SweepAsync()
    {
        if (!Directory.Exists("/run/netns")) return;
        foreach (var path in Directory.EnumerateFiles("/run/netns", Prefix + "*"))
        {
            var name = Path.GetFileName(path);
            if (name.Split('-') is [_, var pid, _] && !Directory.Exists($"/proc/{pid}"))
                await ChildProcess.RunAsync("ip", ["netns", "delete", name], timeout: Patience.Limit);
        }
    }

    private static async Task<string> IpAsync(params string[] arguments)
    {
        var result = await ChildProcess.RunAsync("ip", arguments, timeout: TimeSpan.FromSeconds(10));
        return result.Succeeded ? result.Output
            : throw new InvalidOperationException($"ip {string.Join(' ', arguments)}: {result.Complaint}");
    }

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int setns(SafeFileHandle file, int kind);
}
