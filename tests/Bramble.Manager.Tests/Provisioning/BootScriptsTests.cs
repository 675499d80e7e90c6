using Bramble.Manager.Provisioning;

namespace Bramble.Manager.Tests.Provisioning;

public sealed class BootScriptsTests
{
    private static readonly BootEntry s_entry = new("node-07", "http://10.77.0.1:8067", "vmlinuz",
        "bramble-initramfs.gz", "rdinit=/init bramble.token=a$b;c'd");

    [Fact]
    public void IPXE_tells_an_EFI_kernel_the_name_of_its_initrd_and_tries_again_for_ever()
    {
        var script = BootScripts.Ipxe(s_entry);
        Assert.StartsWith("#!ipxe\n", script, StringComparison.Ordinal);
        Assert.Contains("kernel http://10.77.0.1:8067/boot/vmlinuz initrd=bramble-initramfs.gz rdinit=/init ", script,
            StringComparison.Ordinal);
        Assert.Contains("initrd --name bramble-initramfs.gz http://10.77.0.1:8067/boot/bramble-initramfs.gz", script,
            StringComparison.Ordinal);
        Assert.EndsWith("sleep 10\ngoto try\n", script, StringComparison.Ordinal);
    }

    [Fact]
    public void GRUB_is_not_led_astray_by_what_its_shell_takes_for_its_own() =>
        Assert.Contains(
            "linux (tftp,10.77.0.1)/vmlinuz 'rdinit=/init' 'bramble.token=a$b;c'\\''d'; then",
            BootScripts.Grub(s_entry), StringComparison.Ordinal);

    [Fact]
    public void Pxelinux_names_files_from_the_root() =>
        Assert.Contains("KERNEL /vmlinuz\n  INITRD /bramble-initramfs.gz\n", BootScripts.Pxelinux(s_entry),
            StringComparison.Ordinal);
}
