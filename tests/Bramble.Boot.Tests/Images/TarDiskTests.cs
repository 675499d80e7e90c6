using Bramble.Boot.Images;
using Bramble.Boot.Initramfs;
using Bramble.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bramble.Boot.Tests.Images;

/// <summary>A root tarball becomes a disk that the real tools find clean, and an initramfs that holds its
/// modules.</summary>
public sealed class TarDiskTests : IDisposable
{
    private readonly Scratch _scratch = new();
    private readonly ImageStore _store;

    public TarDiskTests() =>
        _store = new ImageStore(_scratch["store"], new ManualTimeProvider(), NullLogger<ImageStore>.Instance);

    public void Dispose()
    {
        _store.Dispose();
        _scratch.Dispose();
    }

    [Fact]
    public async Task A_root_tarball_becomes_a_clean_disk_with_owners_links_and_capabilities()
    {
        var image = await AddAsync();
        Assert.Equal(("arm64", "Test Linux 7", true), (image.Architecture, image.OsName, image.CanGrow));
        Assert.Equal([FakeRoot.Kernel], image.KernelVersions);
        Assert.Equal(("ext4", "bramble-root"), (image.RootPartition.FileSystem, image.RootPartition.Label));
        Assert.Equal("BOOT", image.BootPartition!.Label);
        Assert.Equal(["chunks", "disk.raw", "image.json"],
            Directory.EnumerateFileSystemEntries(_scratch["store/made"]).Select(Path.GetFileName).Order());
        var device = $"{_store.RawPath(image)}?offset={image.RootPartition.OffsetBytes}";
        var check = await Scratch.TryRunAsync("e2fsck", ["-fn", device]);
        Assert.True(check.Succeeded, check.Output + check.Errors);
        Assert.True((await Scratch.TryRunAsync("sfdisk", ["--verify", _store.RawPath(image)])).Succeeded);

        async Task<string> Debugfs(string command) => await Scratch.RunAsync("debugfs", "-R", command, device);
        var file = await Debugfs("stat \"/home/pi/file with blanks\"");
        Assert.Matches(@"User:\s+1000\s+Group:\s+1000", file);
        Assert.Matches(@"Links: 2\b", file);
        Assert.Contains("Mode:  04755", await Debugfs("stat /usr/bin/su"), StringComparison.Ordinal);
        Assert.Matches(@"(?s)Mode:\s+0640.*Group:\s+42", await Debugfs("stat /etc/shadow"));
        Assert.Contains("\"usr/lib\"", await Debugfs("stat /lib"), StringComparison.Ordinal);
        Assert.Contains("character special", await Debugfs("stat /dev/null"), StringComparison.Ordinal);
        var capability = await Debugfs("ea_get -x /usr/bin/ping security.capability");
        Assert.Contains("01 00 00 02 00 20 00 00", capability, StringComparison.Ordinal);
        await Debugfs($"dump \"/home/pi/file with blanks\" {_scratch["out"]}");
        Assert.Equal(Scratch.Noise(4, 70_000), File.ReadAllBytes(_scratch["out"]));
    }

    [Fact]
    public async Task The_boot_partition_holds_what_a_board_needs_and_nothing_of_this_host()
    {
        var image = await AddAsync();
        var tree = _store.OpenBootTree(image);
        Assert.Equal(Scratch.Noise(5, 200_000), Read(tree, "vmlinuz"));
        Assert.Equal(Scratch.Noise(6, 3000), Read(tree, "bcm2711-rpi-4-b.dtb"));
        Assert.Contains("initramfs initrd.img followkernel", Text(tree, "config.txt"), StringComparison.Ordinal);
        Assert.Contains("arm_64bit=1", Text(tree, "config.txt"), StringComparison.Ordinal);
        Assert.Contains("root=LABEL=bramble-root", Text(tree, "cmdline.txt"), StringComparison.Ordinal);
        // Its /usr/lib/raspi-firmware leads to /etc: the image's own, never this host's.
        Assert.Equal("secret of the image\n", Text(tree, "shadow"));
        Assert.False(tree.TryOpen("passwd", out _));
    }

    [Fact]
    public async Task The_initramfs_holds_the_modules_that_the_image_has_in_loading_order()
    {
        var image = await AddAsync();
        using var builder = new InitramfsBuilder(_store, NullLogger<InitramfsBuilder>.Instance);
        var extra = new InitramfsFile("etc/bramble/key", 0x180, "k"u8.ToArray());
        var with = await builder.EnsureAsync(image, "#!/bin/sh\n"u8.ToArray(), [extra], Scratch.Cancellation);
        var built = with.Initramfs["arm64"];
        var path = _store.InitramfsPath(with, "arm64");
        Assert.Equal(built.Size, new FileInfo(path).Length);
        Assert.True(builder.IsCurrent(with, "#!/bin/sh\n"u8.ToArray(), [extra]));
        Assert.False(builder.IsCurrent(with, "#!/bin/sh\nother\n"u8.ToArray(), [extra]));
        Assert.Same(with, await builder.EnsureAsync(image, "#!/bin/sh\n"u8.ToArray(), [extra], Scratch.Cancellation));

        var tree = _scratch["unpacked"];
        Directory.CreateDirectory(tree);
        await Scratch.RunAsync("sh", "-c", $"cd {tree} && gzip -dc {path} | cpio -idm --quiet");
        var modules = Path.Combine(tree, "lib/modules", FakeRoot.Kernel);
        var order = File.ReadAllLines(Path.Combine(modules, "modules.order"));
        foreach (var module in order) Assert.Equal(FakeRoot.Plain(module),
            File.ReadAllBytes(Path.Combine(modules, module)));
        Assert.DoesNotContain("kernel/sound/noise.ko", order);
        int At(string name) => Array.FindIndex(order, o => o.EndsWith($"/{name}.ko", StringComparison.Ordinal));
        Assert.True(At("jbd2") < At("ext4") && At("crc16") < At("ext4") && At("crc32c_generic") < At("ext4"));
        Assert.True(At("mii") < At("lan78xx") && At("mii") >= 0);
        var dep = File.ReadAllText(Path.Combine(modules, "modules.dep"));
        Assert.Contains("kernel/fs/ext4/ext4.ko: ", dep, StringComparison.Ordinal);
        Assert.DoesNotContain(".xz", dep, StringComparison.Ordinal);
        Assert.Equal("alias usb:v0424p7800d*dc*dsc*dp*ic*isc*ip*in* lan78xx\n",
            File.ReadAllText(Path.Combine(modules, "modules.alias")));
        Assert.Equal("k", File.ReadAllText(Path.Combine(tree, "etc/bramble/key")));
        Assert.Equal("busybox", new FileInfo(Path.Combine(tree, "bin/sh")).LinkTarget);
    }

    [Fact]
    public async Task A_tar_cut_short_is_refused_and_leaves_nothing()
    {
        var tar = await FakeRoot.MakeAsync(_scratch, payload: 200_000);
        var e = await Assert.ThrowsAsync<ImageException>(() => _store.AddAsync(
            new MemoryStream(tar[..(tar.Length / 2)]), "t", "root.tar", cancellation: Scratch.Cancellation));
        Assert.Contains("cannot be unpacked", e.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateDirectories(_scratch["store"], ".work*"));
    }

    private async Task<BootImage> AddAsync()
    {
        var tar = _scratch.Write("root.tar", await FakeRoot.MakeAsync(_scratch));
        await Scratch.RunAsync("zstd", "-qf", tar);
        return await _store.AddFileAsync(tar + ".zst", "made", cancellation: Scratch.Cancellation);
    }

    private static byte[] Read(IBootTree tree, string path)
    {
        Assert.True(tree.TryOpen(path, out var content), path);
        var bytes = new byte[content.Length];
        Assert.Equal(bytes.Length, content.Read(0, bytes));
        return bytes;
    }

    private static string Text(IBootTree tree, string path) => System.Text.Encoding.UTF8.GetString(Read(tree, path));
}
