using Bramble.Boot.Initramfs;
using Bramble.Boot.Tests.Images;

namespace Bramble.Boot.Tests.Initramfs;

public sealed class ModuleResolverTests
{
    [Fact]
    public void What_a_module_needs_comes_before_it_and_what_is_missing_is_named()
    {
        var resolver = new ModuleResolver(FakeRoot.ModulesDep, "kernel/fs/overlayfs/overlay.ko\n",
            "# comment\nsoftdep ext4 pre: crc32c_generic post: noise\n");
        var choice = resolver.Choose(["ext4", "lan78xx", "overlay", "nosuch", "crc32c-generic"]);
        Assert.Equal(["nosuch"], choice.Missing);
        Assert.Equal(
        [
            "kernel/crypto/crc32c_generic.ko", "kernel/lib/crc16.ko.zst", "kernel/fs/mbcache.ko",
            "kernel/fs/jbd2/jbd2.ko.xz", "kernel/fs/ext4/ext4.ko.xz", "kernel/drivers/net/mii.ko",
            "kernel/drivers/net/usb/lan78xx.ko",
        ], choice.Paths);
        Assert.Equal("kernel/fs/ext4/ext4.ko: kernel/fs/jbd2/jbd2.ko kernel/fs/mbcache.ko kernel/lib/crc16.ko",
            resolver.DependencyLine("kernel/fs/ext4/ext4.ko.xz"));
        Assert.Equal("kernel/fs/mbcache.ko:", resolver.DependencyLine("kernel/fs/mbcache.ko"));
    }

    [Fact]
    public void Modules_that_need_each_other_do_not_hang()
    {
        var resolver = new ModuleResolver("a.ko: b.ko\nb.ko: a.ko\n");
        Assert.Equal(["b.ko", "a.ko"], resolver.Choose(["a"]).Paths);
        Assert.Equal("a.ko: b.ko", resolver.DependencyLine("a.ko"));
    }

    [Theory]
    [InlineData("../../etc/passwd.ko:")]
    [InlineData("kernel/a b.ko:")]
    [InlineData("kernel/\"quoted\".ko:")]
    [InlineData(":")]
    [InlineData("no colon")]
    public void A_path_that_depmod_would_not_write_is_left_out(string line) =>
        Assert.Empty(new ModuleResolver(line).Choose([ModuleResolver.NameOf(line.TrimEnd(':'))]).Paths);
}
