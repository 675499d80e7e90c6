using System.Security.Cryptography;
using Bramble.Lab.Images;
using Bramble.Processes;

namespace Bramble.Lab.Tests.Images;

public sealed class ImageBuilderTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("bramble-lab-").FullName;

    [Fact]
    public async Task An_image_is_whole_and_the_same_every_time()
    {
        string[] tools = ["/usr/sbin/mkfs.fat", "/usr/bin/mcopy", "/usr/sbin/mke2fs", "/usr/sbin/debugfs"];
        foreach (var tool in tools)
            if (!File.Exists(tool) && !File.Exists(tool.Replace("/usr", "", StringComparison.Ordinal)))
                Assert.Skip($"needs {tool} (packages dosfstools, mtools, e2fsprogs)");
        var cancellation = TestContext.Current.CancellationToken;
        var (one, two) = (Path.Combine(_directory, "one.img"), Path.Combine(_directory, "two.img"));

        await new ImageBuilder(ImageScale.Small, 100_000).BuildAsync(one, cancellation);
        await new ImageBuilder(ImageScale.Small, 100_000).BuildAsync(two, cancellation);

        Assert.Equal(await HashAsync(one), await HashAsync(two));
        var listing = await ChildProcess.RunAsync("mdir", ["-b", "-i", one + "@@4M", "::"], cancellation: cancellation);
        Assert.Contains("::/bcm2711-rpi-4-b.dtb", listing.Output, StringComparison.Ordinal);
        var check = await ChildProcess.RunAsync(
            "e2fsck", ["-fn", one + $"?offset={44 << 20}"], cancellation: cancellation);
        Assert.True(check.Succeeded, check.Complaint);
    }

    [Fact]
    public void A_module_is_an_ELF_file_that_says_what_it_is()
    {
        var module = TinyModule.Build("usbnet", "6.1.0", ["mii"], "arm64");

        Assert.Equal([0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1], module[..7]);
        Assert.True(module.AsSpan().IndexOf("depends=mii\0name=usbnet\0"u8) > 0);
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private static async Task<string> HashAsync(string path)
    {
        await using var file = File.OpenRead(path);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, TestContext.Current.CancellationToken));
    }
}
