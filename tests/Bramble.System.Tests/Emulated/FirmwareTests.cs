using Bramble.Contracts.Nodes;
using Bramble.System.Tests.Rack;

namespace Bramble.System.Tests.Emulated;

/// <summary>
/// The real firmware of PCs and arm64 servers, the real loaders, a real kernel and a real Debian, in QEMU: as the only
/// DHCP server, and beside dnsmasq.
/// </summary>
[Collection(nameof(Emulation))]
public sealed class FirmwareTests
{
    private const int Limit = 600;

    // Neighbours in this order are on different CPUs, and are switched on in pairs.
    private const string Machines = "bios,uefi-arm64,uefi-secure,uefi-http,uefi";

    [Fact]
    public async Task BIOS_Secure_Boot_and_arm64_machines_are_installed_alone_and_start_again_beside_dnsmasq()
    {
        if (PreparedState.Unavailable is { } why) Assert.Skip(why);
        if (Missing() is { } missing) Assert.Skip(missing);
        var prepared = await PreparedState.DebianAsync();
        var directory = Directory.CreateTempSubdirectory("bramble-firmware-").FullName;
        try
        {
            await using var rack = await VirtualRack.StartAsync(
                0, ["--qemu-pc", Machines, "--qemu-dir", directory, "--power-on", "none"],
                "install: {image: demo, images: {amd64: pc}}", "5m", prepared, qemu: true);
            var macs = (await rack.LabAsync("list")).Select(board => board.Mac).ToArray();
            var (bios, arm, secure, http, uefi) = (macs[0], macs[1], macs[2], macs[3], macs[4]);

            await rack.LabAsync("restore", [bios, arm]);
            await RunsAsync(rack, bios);
            await HasLoadedAsync(rack, bios, "boot.ipxe", "vmlinuz", "bramble-initramfs.gz");
            await rack.LabAsync("restore", [secure]);
            await RunsAsync(rack, arm);
            await HasLoadedAsync(rack, arm, "shimaa64.efi", "grubaa64.efi", "grub/grub.cfg", "vmlinuz");
            await rack.LabAsync("restore", [http]);
            await RunsAsync(rack, secure);
            await HasLoadedAsync(rack, secure, "shimx64.efi", "grubx64.efi", "grub/grub.cfg", "vmlinuz");
            Assert.Contains("UEFI Secure Boot is enabled", await ConsoleAsync(directory, "uefi-secure-003"),
                StringComparison.Ordinal);
            await UntilBootAsync(rack, http, boot => boot.Steps.Any(step => step.What == "hello"));
            await HasLoadedAsync(rack, http, "bramble.efi");

            // The same state, and now another server gives the addresses.
            await rack.KillManagerAsync();
            await rack.LabAsync("cut", [bios, arm, secure, http]);
            await rack.SetDhcpAsync("{mode: proxy}");
            await rack.StartRivalAsync();
            await rack.StartManagerAsync();
            await rack.LabAsync("restore", [bios, arm]);
            await RunsAsync(rack, bios, "10.77.200.");
            await rack.LabAsync("restore", [uefi]);
            await RunsAsync(rack, arm, "10.77.200.");
            await HasLoadedAsync(rack, arm, "bramble.efi");
            await RunsAsync(rack, uefi, "10.77.200.");
            await HasLoadedAsync(rack, uefi, "bramble.efi");
            foreach (var mac in (string[])[bios, arm])
                Assert.Equal(1, (await NodeAsync(rack, mac))?.Installed?.Generation);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static string? Missing() => new[]
    {
        ("/usr/bin/qemu-system-x86_64", "qemu-system-x86"), ("/usr/bin/qemu-system-aarch64", "qemu-system-arm"),
        ("/usr/share/OVMF/OVMF_CODE_4M.secboot.fd", "ovmf"),
        ("/usr/share/AAVMF/AAVMF_CODE.fd", "qemu-efi-aarch64"), ("/usr/sbin/dnsmasq", "dnsmasq-base"),
    }.Where(need => !File.Exists(need.Item1)).Select(need => $"needs {need.Item1} (package {need.Item2})")
        .FirstOrDefault();

    private static async Task<NodeView?> NodeAsync(VirtualRack rack, string mac) =>
        (await rack.NodesAsync()).FirstOrDefault(node => node.Mac == mac);

    private static async Task RunsAsync(VirtualRack rack, string mac, string address = "10.77.1.")
    {
        await rack.UntilAsync(nodes => nodes.FirstOrDefault(node => node.Mac == mac) is
            { Phase: NodePhase.Running } node && node.Address?.StartsWith(address, StringComparison.Ordinal) == true,
            $"{mac} running with an address of {address}", Limit);
        TestContext.Current.SendDiagnosticMessage($"{mac} runs at {address}");
    }

    private static async Task UntilBootAsync(VirtualRack rack, string mac, Func<BootView, bool> wanted)
    {
        BootView? boot = null;
        for (var began = TimeProvider.System.GetTimestamp();
            TimeProvider.System.GetElapsedTime(began).TotalSeconds < Limit;
            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System,
                TestContext.Current.CancellationToken))
        {
            if (await NodeAsync(rack, mac) is { } node) boot = await rack.TryNewestBootAsync(node);
            if (boot is not null && wanted(boot)) return;
        }
        Assert.Fail($"{mac} did not come so far:\n" + string.Join('\n', boot?.Steps ?? []));
    }

    /// <summary>The newest boot went through these files, in this order.</summary>
    private static async Task HasLoadedAsync(VirtualRack rack, string mac, params string[] files)
    {
        var boot = await rack.NewestBootAsync((await NodeAsync(rack, mac))!);
        Assert.Equal(files, boot.Steps.Where(step => step.Stage is "tftp" or "http" && step.Outcome == "ok")
            .Select(step => step.What).Where(files.Contains).Distinct());
    }

    private static Task<string> ConsoleAsync(string directory, string machine) => File.ReadAllTextAsync(
        Path.Combine(directory, machine, "console.log"), TestContext.Current.CancellationToken);
}
