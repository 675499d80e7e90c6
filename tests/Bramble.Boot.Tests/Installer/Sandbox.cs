using System.Diagnostics;
using System.Globalization;
using System.Text;
using Bramble.Boot.Initramfs;
using Bramble.Processes;
using Bramble.Testing;

namespace Bramble.Boot.Tests.Installer;

/// <summary>
/// A board without hardware: the real scripts on the real busybox as process 1, in namespaces of its own (mount, PID,
/// network), with loop devices as its disks, a cable (veth) to the manager's namespace, and a real DHCP server there.
/// </summary>
internal sealed class Sandbox : IAsyncDisposable
{
    /// <summary>The manager's address on the cable.</summary>
    public const string ManagerAddress = "10.77.9.1";

    private const string BoardMac = "02:00:00:77:09:02";
    private static int s_count;

    private readonly string _work = Directory.CreateTempSubdirectory("bramble-installer-").FullName;
    private readonly string _name = $"bri{Environment.ProcessId}-{Interlocked.Increment(ref s_count)}";
    private readonly List<string> _loops = [];
    private readonly StringBuilder _console = new();
    private readonly List<(string Text, TaskCompletionSource Seen)> _awaited = [];
    private Process? _dhcp;
    private Process? _board;
    private Task _reading = Task.CompletedTask;

    private Sandbox()
    {
    }

    public string ManagerNamespace => _name + "m";

    private string BoardNamespace => _name + "b";

    /// <summary>All that the board printed so far.</summary>
    public string Console
    {
        get { lock (_console) return _console.ToString(); }
    }

    /// <summary>Why no sandbox can be made on this machine; null if it can.</summary>
    public static string? Obstacle()
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess) return "needs root";
        foreach (var tool in (string[])["/bin/busybox", "/sbin/losetup", "/usr/bin/unshare", "/usr/bin/setpriv",
            "/sbin/ip", "/sbin/mkfs.ext4", "/sbin/resize2fs", "/sbin/debugfs", "/sbin/sfdisk"])
            if (!File.Exists(tool)) return $"needs {tool}";
        return File.Exists("/dev/loop-control") ? null : "needs loop devices";
    }

    public static async Task<Sandbox> CreateAsync()
    {
        if (Obstacle() is { } obstacle) Assert.Skip(obstacle);
        var sandbox = new Sandbox();
        try
        {
            await sandbox.PrepareAsync();
            return sandbox;
        }
        catch
        {
            await sandbox.DisposeAsync();
            throw;
        }
    }

    /// <summary>Gives the board a disk. The file behind it is returned.</summary>
    /// <param name="name">Kernel name, e.g. <c>mmcblk0</c>.</param>
    /// <param name="rootOffset">Where partition 2 will start, if the test lets it be mounted.</param>
    public async Task<string> AddDiskAsync(
        string name, long size, bool readOnly = false, long? rootOffset = null, string serial = "0x1234abcd",
        long? claimedSize = null)
    {
        var file = Path.Combine(_work, name + ".img");
        if (!File.Exists(file))
            await using (var disk = File.Create(file)) disk.SetLength(size);
        var sys = Directory.CreateDirectory(Path.Combine(_work, "sys/block", name)).FullName;
        Directory.CreateDirectory(Path.Combine(sys, "device"));
        await File.WriteAllTextAsync(Path.Combine(sys, "size"), $"{(claimedSize ?? size) / 512}\n");
        await File.WriteAllTextAsync(Path.Combine(sys, "ro"), readOnly ? "1\n" : "0\n");
        await File.WriteAllTextAsync(Path.Combine(sys, "device/type"), "SD\n");
        await File.WriteAllTextAsync(Path.Combine(sys, "device/serial"), serial + "\n");
        await AddLoopAsync(name, readOnly ? ["-r", "-P", file] : ["-P", file]);
        // This kernel may not read partition tables of loop devices, so the partition is a device of its own.
        if (rootOffset is { } offset)
            await AddLoopAsync(name + "p2", ["-o", offset.ToString(CultureInfo.InvariantCulture), file]);
        return file;
    }

    private async Task AddLoopAsync(string name, string[] arguments)
    {
        var device = (await Tool("losetup", ["--find", "--show", .. arguments])).Trim();
        _loops.Add(device);
        await File.AppendAllTextAsync(Path.Combine(_work, "devices"), $"{name} 7 {device["/dev/loop".Length..]}\n");
    }

    /// <summary>Powers the board on.</summary>
    public void Start(string commandLine)
    {
        File.WriteAllText(Path.Combine(_work, "cmdline"), commandLine + "\n");
        _board = ChildProcess.Start("ip",
        [
            "netns", "exec", BoardNamespace, "setpriv", "--bounding-set", "-sys_time", "unshare", "--mount", "--pid",
            "--fork", "--kill-child", "sh", Path.Combine(AppContext.BaseDirectory, "Installer", "sandbox.sh"), _work,
        ]);
        _reading = Task.WhenAll(ReadAsync(_board.StandardOutput), ReadAsync(_board.StandardError));
    }

    /// <summary>Waits until the board has restarted itself or handed over to a program that ended.</summary>
    public async Task EndAsync(double seconds = 40)
    {
        try
        {
            await _board!.WaitForExitAsync(TestContext.Current.CancellationToken)
                .WithinAsync("the board's end", TimeSpan.FromSeconds(seconds));
            await _reading.WithinAsync("the end of the board's console");
        }
        catch (TimeoutException e)
        {
            Assert.Fail($"{e.Message}. The console:\n{Console}");
        }
    }

    /// <summary>Waits until a text is on the console.</summary>
    public async Task SeesAsync(string text, double seconds = 30)
    {
        var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_console)
        {
            if (_console.ToString().Contains(text, StringComparison.Ordinal)) return;
            _awaited.Add((text, seen));
        }
        try
        {
            await seen.Task.WithinAsync($"\"{text}\"", TimeSpan.FromSeconds(seconds));
        }
        catch (TimeoutException e)
        {
            Assert.Fail($"{e.Message}. The console:\n{Console}");
        }
    }

    /// <summary>Pulls or plugs the cable at the switch's end.</summary>
    public Task CableAsync(bool plugged) =>
        Tool("ip", ["-n", ManagerNamespace, "link", "set", "dev", "cable", plugged ? "up" : "down"]);

    /// <summary>What <c>ip</c> says of the board's interface.</summary>
    public Task<string> InterfaceAsync() => Tool("ip", ["-n", BoardNamespace, "address", "show", "dev", "eth0"]);

    /// <summary>Puts a file into the board's fake /sys.</summary>
    public void AddSys(string path, string content)
    {
        var file = Path.Combine(_work, "sys", path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, content);
    }

    /// <summary>Puts a file into the board's initramfs.</summary>
    public void AddFile(string path, string content)
    {
        var file = Path.Combine(_work, "initramfs", path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, content);
    }

    /// <summary>Whether something on the board made this file in <c>/kept</c>.</summary>
    public bool Kept(string name) => File.Exists(Path.Combine(_work, "kept", name));

    public static async Task<string> Tool(string program, IEnumerable<string> arguments)
    {
        var result = await ChildProcess.RunAsync(program, arguments, timeout: TimeSpan.FromSeconds(30),
            cancellation: TestContext.Current.CancellationToken);
        Assert.True(result.Succeeded, $"{program} {string.Join(' ', arguments)}: {result.Complaint}");
        return result.Output;
    }

    private async Task PrepareAsync()
    {
        foreach (var script in InstallerScripts.All)
        {
            var file = Path.Combine(_work, "initramfs", script.Path);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            await File.WriteAllBytesAsync(file, script.Content.ToArray());
        }
        Directory.CreateDirectory(Path.Combine(_work, "sys/block"));
        File.Copy("/bin/busybox", Path.Combine(_work, "busybox"));
        await File.WriteAllTextAsync(Path.Combine(_work, "devices"), "");

        await Tool("ip", ["netns", "add", ManagerNamespace]);
        await Tool("ip", ["netns", "add", BoardNamespace]);
        await Tool("ip", ["link", "add", "cable", "netns", ManagerNamespace, "type", "veth",
            "peer", "name", "eth0", "netns", BoardNamespace]);
        await Tool("ip", ["-n", BoardNamespace, "link", "set", "dev", "eth0", "address", BoardMac]);
        await Tool("ip", ["-n", ManagerNamespace, "address", "add", ManagerAddress + "/24", "dev", "cable"]);
        await Tool("ip", ["-n", ManagerNamespace, "link", "set", "dev", "cable", "up"]);
        var conf = Path.Combine(_work, "udhcpd.conf");
        await File.WriteAllTextAsync(conf,
            $"""
            start 10.77.9.2
            end 10.77.9.9
            interface cable
            lease_file {_work}/leases
            pidfile {_work}/udhcpd.pid
            option subnet 255.255.255.0
            option lease 3600
            static_lease {BoardMac} 10.77.9.2

            """);
        await File.WriteAllTextAsync(Path.Combine(_work, "leases"), "");
        _dhcp = ChildProcess.Start("ip", ["netns", "exec", ManagerNamespace, "/bin/busybox", "udhcpd", "-f", conf]);
        _ = ReadAsync(_dhcp.StandardOutput, false);
        _ = ReadAsync(_dhcp.StandardError, false);
    }

    private async Task ReadAsync(StreamReader reader, bool keep = true)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            if (!keep) continue;
            lock (_console)
            {
                _console.Append(line).Append('\n');
                var all = _console.ToString();
                _awaited.RemoveAll(
                    wait => all.Contains(wait.Text, StringComparison.Ordinal) && wait.Seen.TrySetResult());
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in (Process?[])[_board, _dhcp])
        {
            if (process is null) continue;
            ChildProcess.Kill(process);
            await process.WaitForExitAsync().WithinAsync("the end of a board or its DHCP server that was killed");
            process.Dispose();
        }
        foreach (var loop in _loops) await ChildProcess.RunAsync("losetup", ["-d", loop], timeout: Patience.Limit);
        foreach (var space in (string[])[ManagerNamespace, BoardNamespace])
            await ChildProcess.RunAsync("ip", ["netns", "del", space], timeout: Patience.Limit);
        Directory.Delete(_work, recursive: true);
    }
}
