using Bramble.Manager.Provisioning;

namespace Bramble.Manager.Tests.Provisioning;

public sealed class KernelCommandLineTests
{
    [Theory]
    [InlineData("console=serial0,115200 console=tty1 root=PARTUUID=1234-02 rootfstype=ext4 fsck.repair=yes "
        + "rootwait quiet\n",
        "console=serial0,115200 console=tty1 ")]
    [InlineData("dwc_otg.lpm_enable=0 init=/usr/lib/raspi-config/init_resize.sh splash ds=nocloud "
        + "systemd.run=/boot/first",
        "dwc_otg.lpm_enable=0 ")]
    [InlineData("bramble.token=stale bramble.url=http://elsewhere ip=dhcp nfsroot=x", "")]
    [InlineData("", "")]
    [InlineData(" a\tb\r\n c ", "a b c ")]
    public void What_mounts_a_root_goes_and_what_the_board_needs_stays(string original, string kept) => Assert.Equal(
        kept + "rdinit=/init bramble.url=http://10.77.0.1:8067 bramble.token=TOKEN bramble.mac=b8:27:eb:00:00:01 "
            + "extra=1 x",
        KernelCommandLine.ForInstaller(
            original, "http://10.77.0.1:8067", "TOKEN", "b8:27:eb:00:00:01", " extra=1\nx "));

    [Theory]
    [InlineData("amd64", "", "console=ttyS0,115200 console=tty0")]
    [InlineData("amd64", "console=ttyS1,115200 quiet\n", "quiet console=ttyS0,115200 console=tty0")]
    [InlineData("arm64", "console=ttyS1,115200 console=tty0 root=LABEL=x rw\n", "root=LABEL=x rw")]
    public void A_Pis_consoles_are_not_those_of_other_machines(string architecture, string original, string expected) =>
        Assert.Equal(expected, KernelCommandLine.ForOtherMachine(original, architecture));

    [Fact]
    public void Our_initramfs_takes_the_place_of_whatever_the_image_loads()
    {
        var text = KernelCommandLine.ConfigTxt("arm_64bit=1\r\nauto_initramfs=1\ninitramfs initrd.img followkernel\n"
            + "  ramfsfile=x\ncmdline=other.txt\n[pi4]\nmax_framebuffers=2\n\n\n");
        Assert.Equal("arm_64bit=1\n# replaced by Bramble: auto_initramfs=1\n"
            + "# replaced by Bramble: initramfs initrd.img followkernel\n# replaced by Bramble:   ramfsfile=x\n"
            + "# replaced by Bramble: cmdline=other.txt\n[pi4]\nmax_framebuffers=2\n\n[all]\nauto_initramfs=0\n"
            + "initramfs bramble-initramfs.gz followkernel\n", text);
    }

    [Fact]
    public void An_image_without_a_config_gets_one() => Assert.Equal(
        "\n\n[all]\nauto_initramfs=0\ninitramfs bramble-initramfs.gz followkernel\n", KernelCommandLine.ConfigTxt(""));
}
