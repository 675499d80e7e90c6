using Bramble.Boot.Initramfs;
using Bramble.Boot.Tests.Images;

namespace Bramble.Boot.Tests.Initramfs;

/// <summary>Archives that the real cpio unpacks.</summary>
public sealed class CpioWriterTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [InlineData("cpio")]
    [InlineData("busybox")]
    public async Task An_archive_unpacks_with_the_real_tools(string tool)
    {
        _scratch.Write("a.cpio", Make());
        Directory.CreateDirectory(_scratch["t"]);
        var command = tool == "cpio" ? "cpio -idm --quiet" : "busybox cpio -idm";
        await Scratch.RunAsync("sh", "-c", $"cd {_scratch["t"]} && {command} < ../a.cpio");
        Assert.Equal(Scratch.Noise(1, 12345), File.ReadAllBytes(_scratch["t/usr/lib/deep/noise"]));
        Assert.Equal("#!/bin/sh\n", File.ReadAllText(_scratch["t/init"]));
        Assert.Equal((UnixFileMode)0x1ED, File.GetUnixFileMode(_scratch["t/init"]));
        Assert.Equal("busybox", new FileInfo(_scratch["t/bin/sh"]).LinkTarget);
        Assert.Empty(File.ReadAllBytes(_scratch["t/empty"]));
        if (Environment.IsPrivilegedProcess)
            Assert.Equal("5:1 character special file\n",
                await Scratch.RunAsync("stat", "-c", "%t:%T %F", _scratch["t/dev/console"]));
    }

    [Fact]
    public void The_same_input_gives_the_same_bytes() => Assert.Equal(Make(), Make());

    [Fact]
    public void A_name_comes_once()
    {
        var cpio = new CpioWriter(new MemoryStream());
        cpio.File("a", 0x1A4, default);
        Assert.Throws<ArgumentException>(() => cpio.File("a", 0x1A4, default));
    }

    [Fact]
    public void Busybox_tells_its_applets_without_being_run()
    {
        if (!File.Exists("/usr/bin/busybox")) Assert.Skip("needs busybox-static");
        var applets = Busybox.AppletsOf(File.ReadAllBytes("/usr/bin/busybox"));
        Assert.Contains("switch_root", applets);
        Assert.Contains("zcat", applets);
        Assert.True(applets.Count > 200, $"{applets.Count} applets");
        Assert.Contains("udhcpc", Busybox.AppletsOf([1, 2, 3]));
    }

    private static byte[] Make()
    {
        using var stream = new MemoryStream();
        var cpio = new CpioWriter(stream);
        cpio.CharacterDevice("dev/console", 0x180, 5, 1);
        cpio.Link("bin/sh", "busybox");
        cpio.File("init", 0x1ED, "#!/bin/sh\n"u8);
        cpio.File("empty", 0x1A4, default);
        cpio.File("usr/lib/deep/noise", 0x1A4, Scratch.Noise(1, 12345));
        cpio.End();
        Assert.Equal(stream.Length, cpio.Length);
        Assert.Equal(0, stream.Length % 512);
        return stream.ToArray();
    }
}
