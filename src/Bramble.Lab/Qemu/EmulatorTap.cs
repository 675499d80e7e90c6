using Bramble.Processes;

namespace Bramble.Lab.Qemu;

/// <summary>
/// A tap device in the manager's namespace, on its bridge: the emulated board's frames reach the manager with their own
/// MAC, and nothing of the simulated boards' addressing stands between.
/// </summary>
internal sealed class EmulatorTap(string @namespace, string name) : IDisposable
{
    private const string Bridge = "br0";

    private bool _up;

    public string Namespace => @namespace;

    public string Name => name;

    /// <exception cref="IOException">No bridge there: the network was not made for emulated boards.</exception>
    public async Task UpAsync(CancellationToken cancellation)
    {
        if (_up) return;
        // One that an earlier lab left behind, in whatever state, goes first.
        await ChildProcess.RunAsync("ip", ["-n", @namespace, "link", "del", name], cancellation: cancellation);
        await IpAsync(["-n", @namespace, "tuntap", "add", "dev", name, "mode", "tap"], cancellation);
        await IpAsync(["-n", @namespace, "link", "set", "dev", name, "master", Bridge, "up"], cancellation);
        _up = true;
    }

    public void Dispose()
    {
        if (!_up) return;
        _up = false;
        using var ip = ChildProcess.Start("ip", ["-n", @namespace, "link", "del", name]);
        ip.WaitForExit(TimeSpan.FromSeconds(5));
    }

    private static async Task IpAsync(string[] arguments, CancellationToken cancellation)
    {
        var result = await ChildProcess.RunAsync("ip", arguments, timeout: TimeSpan.FromSeconds(20),
            cancellation: cancellation);
        if (!result.Succeeded)
            throw new IOException($"ip {string.Join(' ', arguments)}: {result.Complaint} (was the network made with "
                + "'bramble-lab net up --qemu'?)");
    }
}
