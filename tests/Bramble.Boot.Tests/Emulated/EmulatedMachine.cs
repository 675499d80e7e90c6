using System.Diagnostics;
using Bramble.Boot.Tests.Images;
using Bramble.Boot.Tests.Installer;
using Bramble.Processes;
using Bramble.Testing;

namespace Bramble.Boot.Tests.Emulated;

/// <summary>
/// A 32-bit Arm machine in QEMU: the image's own kernel and our initramfs are given to it as its firmware would.
/// It hangs off the manager's namespace, where a real DHCP server answers.
/// </summary>
internal sealed class EmulatedMachine : IAsyncDisposable
{
    private const string Tap = "tap0";

    private readonly Scratch _scratch;
    private readonly List<Process> _processes = [];
    private readonly List<string> _console = [];

    private EmulatedMachine(Scratch scratch, NetNamespace network) => (_scratch, Network) = (scratch, network);

    public NetNamespace Network { get; }

    public string Disk => _scratch["disk.img"];

    private string Console
    {
        get { lock (_console) return string.Join('\n', _console.TakeLast(40)); }
    }

    public static async Task<EmulatedMachine> CreateAsync(Scratch scratch, long diskSize)
    {
        var machine = new EmulatedMachine(scratch, await NetNamespace.CreateAsync());
        scratch.Sparse("disk.img", diskSize);
        await machine.Network.InsideAsync("tuntap", "add", "dev", Tap, "mode", "tap");
        await machine.Network.InsideAsync("address", "add", Sandbox.ManagerAddress + "/24", "dev", Tap);
        await machine.Network.InsideAsync("link", "set", Tap, "up");
        scratch.Write("leases", []);
        scratch.Write("udhcpd.conf", System.Text.Encoding.ASCII.GetBytes(
            $"""
            start 10.77.9.2
            end 10.77.9.9
            interface {Tap}
            lease_file {scratch["leases"]}
            pidfile {scratch["udhcpd.pid"]}
            option subnet 255.255.255.0

            """));
        machine.Start("/bin/busybox", ["udhcpd", "-f", scratch["udhcpd.conf"]], _ => { });
        return machine;
    }

    /// <summary>Powers it on.</summary>
    public void PowerOn(string kernel, string initramfs, string commandLine)
    {
        var disk = $"file={Disk},if=none,id=disk,format=raw,cache=unsafe";
        var network = $"tap,id=net,ifname={Tap},script=no,downscript=no";
        Start("qemu-system-arm",
        [
            "-M", "virt", "-cpu", "cortex-a15",
            "-device", "virtio-blk-device,drive=disk,serial=0x1234abcd", "-device", "virtio-net-device,netdev=net",
            "-accel", "tcg", "-m", "1024", "-display", "none", "-monitor", "none", "-serial", "stdio",
            "-nic", "none", "-no-reboot", "-drive", disk, "-netdev", network,
            "-kernel", kernel, "-initrd", initramfs, "-append", commandLine,
        ], line =>
        {
            lock (_console) _console.Add(line);
        });
    }

    /// <summary>Waits until a text is on the console.</summary>
    public async Task SeesAsync(string text, TimeSpan limit)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            lock (_console)
                if (_console.Any(line => line.Contains(text, StringComparison.Ordinal))) return;
            if (TimeProvider.System.GetElapsedTime(began) > limit)
                Assert.Fail($"\"{text}\" did not come within {limit.TotalSeconds:0} s. The console ends:\n{Console}");
            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System,
                TestContext.Current.CancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes)
        {
            ChildProcess.Kill(process);
            await process.WaitForExitAsync().WithinAsync("the end of a killed process");
            process.Dispose();
        }
        await Network.DisposeAsync();
    }

    private void Start(string program, string[] arguments, Action<string> line)
    {
        var process = ChildProcess.Start(
            "ip", ["netns", "exec", Network.Name, program, .. arguments], redirectInput: true);
        process.OutputDataReceived += (_, said) => Heard(said.Data);
        process.ErrorDataReceived += (_, said) => Heard(said.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        _processes.Add(process);

        void Heard(string? text)
        {
            if (text is not null) line(text);
        }
    }
}
