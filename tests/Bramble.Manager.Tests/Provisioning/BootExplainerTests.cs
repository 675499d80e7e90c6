using Bramble.Boot;
using Bramble.Boot.Loaders;
using Bramble.Contracts.Nodes;
using Bramble.Manager.Nodes;
using Bramble.Manager.Provisioning;

namespace Bramble.Manager.Tests.Provisioning;

/// <summary>What a node would boot from, told before it boots.</summary>
public sealed class BootExplainerTests(TestImages images) : IAsyncLifetime
{
    private BoardRig _board = null!;

    private Rig Rig => _board.Rig;

    public async ValueTask InitializeAsync() => _board = await BoardRig.StartAsync(images);

    public ValueTask DisposeAsync() => _board.DisposeAsync();

    [Fact]
    public async Task A_Pis_files_come_with_their_source_and_what_is_missing_is_named()
    {
        await NodeAsync(BoardFamily.Pi4);
        var explained = Explain();
        Assert.Equal("debian", explained.Image);
        Assert.Equal(["start4.elf", "fixup4.dat", "config.txt", "cmdline.txt", "bcm2711-rpi-4-b.dtb", "kernel8.img",
            "bramble-initramfs.gz"], explained.Files.Select(f => f.Path));
        Assert.Equal((TestImages.Start4.Length, "image debian"), (explained.Files[0].Bytes, explained.Files[0].Source));
        var missing = explained.Files[5];
        Assert.Equal((null, "kernel8.img is not in image debian"), (missing.Bytes, missing.Source));
        Assert.Equal("made for this node from that of image debian", explained.Files[3].Source);
    }

    [Fact]
    public async Task A_text_is_shown_as_the_node_would_get_it_and_its_token_to_nobody()
    {
        await NodeAsync(BoardFamily.Pi4);
        var text = Explain("cmdline.txt").Text;
        Assert.Contains("bramble.url=", text, StringComparison.Ordinal);
        Assert.Contains("bramble.token=(left out)", text, StringComparison.Ordinal);
        Assert.DoesNotContain(_board.Token(), text, StringComparison.Ordinal);
        Assert.Null(Explain("start4.elf").Text);
        Assert.Null(Explain("../etc/passwd").Text);
        Assert.DoesNotContain(_board.Token(), Explain("boot.ipxe").Text, StringComparison.Ordinal);
        Assert.DoesNotContain(_board.Token(), Explain("grub/grub.cfg").Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bios", "undionly.kpxe/tftp boot.ipxe/http vmlinuz/http bramble-initramfs.gz/http")]
    [InlineData("uefi-x64", "shimx64.efi/tftp grubx64.efi/tftp grub/grub.cfg/tftp vmlinuz/tftp "
        + "bramble-initramfs.gz/tftp")]
    [InlineData("http-arm64", "bramble.efi/http")]
    [InlineData("uboot-arm64", "pxelinux.cfg/01-b8-27-eb-00-00-01/tftp vmlinuz/tftp bramble-initramfs.gz/tftp")]
    [InlineData("uefi-ia32", "")]
    public void Each_firmware_has_its_own_way_to_the_kernel(string firmware, string files)
    {
        var status = new NodeStatus { Family = nameof(BoardFamily.Pxe), Firmware = firmware };
        var sequence = BootSequence.Of(
            status, new LoaderRules { BootUrl = "http://10.0.0.1:8067" }, "b8:27:eb:00:00:01", "");
        Assert.Equal(files, string.Join(' ', sequence.Select(f => $"{f.Path}/{f.Door.ToString().ToLowerInvariant()}")));
    }

    [Theory]
    [InlineData("kernel=vmlinuz\nupstream_kernel=1\n", "bcm2837-rpi-3-b.dtb", "vmlinuz")]
    [InlineData("", "bcm2710-rpi-3-b.dtb", "kernel8.img")]
    public void A_Pis_configuration_names_its_kernel(string config, string tree, string kernel)
    {
        var sequence = BootSequence.Of(
            new NodeStatus { Family = nameof(BoardFamily.Pi3B) }, new LoaderRules(), "b8:27:eb:00:00:01", config);
        Assert.Equal([tree, kernel], sequence.Skip(5).Take(2).Select(f => f.Path));
    }

    [Fact]
    public async Task What_the_installer_would_be_told_is_told_too()
    {
        await NodeAsync(BoardFamily.Pi4);
        Assert.StartsWith("waits: ", Explain().Then, StringComparison.Ordinal);
        await Rig.SetAsync(1, s => s with
        {
            Architecture = "arm64", Disks = [new BoardDisk("/dev/mmcblk0", 32L << 30, "sd", false, "0x1", Used: false)],
        });
        Assert.Equal("installs debian on /dev/mmcblk0", Explain().Then);
        await Rig.SetAsync(1, s => s with { Network = "gone" });
        Assert.Equal("its network gone is not configured any more", Explain().Then);
    }

    private async Task NodeAsync(BoardFamily family)
    {
        await _board.AddNodeAsync();
        await Rig.SetAsync(1, s => s with { Family = family.ToString(), Network = "rack", Model = "a board" });
    }

    private BootExplanationView Explain(string? show = null) =>
        _board.Explainer.Explain(Rig.Node(1), show, Rig.Clock.GetUtcNow());
}
