using Bramble.Contracts.Nodes;

namespace Bramble.System.Tests.Rack;

/// <summary>
/// PCs of every kind of firmware beside Pis, simulated: each asks as its real firmware and loaders do.
/// </summary>
public sealed class PcTests
{
    private const string Models = "3b,3b+,4,4-old,5,pc-bios,pc-uefi,pc-uefi-arm64,pc-uefi-http";
    private const string Install = "install: {image: demo, images: {amd64: pc}}";

    private static readonly string[] s_lab = ["--models", Models];

    [Fact]
    public async Task PCs_and_Pis_are_installed_by_brambled_alone_over_a_wire_that_loses_packets()
    {
        if (PreparedState.Unavailable is { } why) Assert.Skip(why);
        await using var rack = await VirtualRack.StartAsync(9, [.. s_lab, "--loss", "1"], Install, stallAfter: "40s",
            prepared: await PreparedState.PcsAsync());
        var nodes = await rack.UntilAllRunAsync(9, seconds: 240);
        Assert.All(nodes, node => Assert.StartsWith("10.77.", node.Address, StringComparison.Ordinal));
        await LoadsAsync(rack, nodes, "Bramble Lab PC (BIOS)", "amd64", "undionly.kpxe", "boot.ipxe", "vmlinuz");
        await LoadsAsync(rack, nodes, "Bramble Lab PC (UEFI)", "amd64",
            "shimx64.efi", "grubx64.efi", "grub/grub.cfg", "vmlinuz", "bramble-initramfs.gz");
        await LoadsAsync(rack, nodes, "Bramble Lab Server (arm64)", "arm64",
            "shimaa64.efi", "grubaa64.efi", "grub/grub.cfg", "vmlinuz", "bramble-initramfs.gz");
        await LoadsAsync(rack, nodes, "Bramble Lab PC (HTTP boot)", "amd64", "bramble.efi");
    }

    [Fact]
    public async Task PCs_and_Pis_are_installed_beside_dnsmasq_which_gives_the_addresses()
    {
        if (PreparedState.Unavailable is { } why) Assert.Skip(why);
        if (!File.Exists("/usr/sbin/dnsmasq")) Assert.Skip("needs dnsmasq (package dnsmasq-base)");
        await using var rack = await VirtualRack.StartAsync(9, s_lab, Install, stallAfter: "40s",
            prepared: await PreparedState.PcsAsync(), qemu: true, dhcp: "{mode: proxy}", rival: true);
        var nodes = await rack.UntilAllRunAsync(9, seconds: 120);
        Assert.All(nodes, node => Assert.StartsWith("10.77.200.", node.Address, StringComparison.Ordinal));
        Assert.Empty(await rack.LeasesAsync());
        await LoadsAsync(rack, nodes, "Bramble Lab PC (BIOS)", "amd64", "undionly.kpxe", "boot.ipxe", "vmlinuz");
        foreach (var (model, architecture) in ((string, string)[])[("Bramble Lab PC (UEFI)", "amd64"),
            ("Bramble Lab Server (arm64)", "arm64"), ("Bramble Lab PC (HTTP boot)", "amd64")])
            await LoadsAsync(rack, nodes, model, architecture, "bramble.efi");
    }

    [Fact]
    public async Task PCs_and_newer_Pis_are_installed_on_a_network_behind_a_relay()
    {
        if (PreparedState.Unavailable is { } why) Assert.Skip(why);
        if (!File.Exists("/usr/sbin/dhcrelay")) Assert.Skip("needs dhcrelay (package isc-dhcp-relay)");
        await using var rack = await VirtualRack.StartAsync(
            7, ["--models", "4,4-old,5,pc-bios,pc-uefi,pc-uefi-arm64,pc-uefi-http"], Install, stallAfter: "40s",
            prepared: await PreparedState.PcsAsync(), relay: true);
        var nodes = await rack.UntilAllRunAsync(7, seconds: 120);
        Assert.All(nodes, node => Assert.StartsWith("10.88.1.", node.Address, StringComparison.Ordinal));
        Assert.All(await rack.LeasesAsync(), lease => Assert.Equal("far", lease.Network));
    }

    /// <summary>
    /// The machine's newest boot went through these files. In any order: a transfer is filed at its end, and one whose
    /// last ACK was lost ends when the next file is through.
    /// </summary>
    private static async Task LoadsAsync(
        VirtualRack rack, IReadOnlyList<NodeView> nodes, string model, string architecture, params string[] files)
    {
        var node = Assert.Single(nodes, node => node.Model == model);
        Assert.Equal((architecture, architecture == "amd64" ? "pc" : "demo"),
            (node.Architecture, node.Installed?.Image));
        var boot = await rack.NewestBootAsync(node);
        string[] loaded =
        [
            .. boot.Steps.Where(step => step.Stage is "tftp" or "http" && step.Outcome == "ok")
                .Select(step => step.What).Where(files.Contains).Distinct(),
        ];
        Assert.Equal(files.Order(), loaded.Order());
    }
}
