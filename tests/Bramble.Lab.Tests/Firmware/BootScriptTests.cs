using Bramble.Lab.Firmware;
using Bramble.Lab.Rom;

namespace Bramble.Lab.Tests.Firmware;

/// <summary>Simulated boot loaders take what real ones take, and stop where those would stop.</summary>
public sealed class BootScriptTests
{
    private const string Ipxe = """
        #!ipxe
        echo Bramble: starting node-01
        :try
        imgfree
        kernel http://10.77.0.1:8067/boot/vmlinuz initrd=i.gz console=ttyS0 a;b || goto again
        initrd --name i.gz http://10.77.0.1:8067/boot/i.gz || goto again
        boot || goto again
        :again
        sleep 10
        goto try

        """;

    private const string Grub = """
        set timeout=0
        echo "Bramble: starting node-01"
        while true; do
          if linux (tftp,10.77.0.1)/vmlinuz 'console=ttyS0' 'a;b' 'it'\''s'; then
            if initrd (tftp,10.77.0.1)/i.gz; then
              boot
            fi
          fi
          sleep 10
        done

        """;

    [Fact]
    public void An_iPXE_script_is_read() => Assert.Equal(
        new BootScript("http://10.77.0.1:8067/boot/vmlinuz", "http://10.77.0.1:8067/boot/i.gz", "i.gz",
            "initrd=i.gz console=ttyS0 a;b", Retry: true), IpxeScript.Read(Ipxe));

    [Fact]
    public void A_GRUB_configuration_is_read() => Assert.Equal(
        new BootScript("(tftp,10.77.0.1)/vmlinuz", "(tftp,10.77.0.1)/i.gz", "", "console=ttyS0 a;b it's", Retry: true),
        GrubScript.Read(Grub));

    [Theory]
    [InlineData("#!ipxe", "#!gpxe", "does not begin with #!ipxe")]
    [InlineData("goto try", "goto retry", "line 10: there is no label :retry")]
    [InlineData("imgfree", "imgfetch", "line 4: no command")]
    [InlineData("boot || goto again", "", "nothing is booted")]
    [InlineData("boot || goto again", "boot || shell", "line 7: what follows || is not known")]
    [InlineData("console=ttyS0", "console=${tty}", "line 5: a setting")]
    [InlineData("sleep 10", "sleep ten", "line 9: no command")]
    [InlineData("kernel http", "initrd http", "line 5: no command, or not in its place")]
    public void A_script_that_iPXE_would_not_take_ends_the_boot(string part, string instead, string why) =>
        Assert.Contains(why, Assert.Throws<BootStoppedException>(
            () => IpxeScript.Read(Ipxe.Replace(part, instead, StringComparison.Ordinal))).Message,
            StringComparison.Ordinal);

    [Theory]
    [InlineData("'a;b'", "a;b", "line 4: can't find command 'b'")]
    [InlineData("'a;b'", "a&b", "line 4: an unquoted &")]
    [InlineData("node-01\"", "node-01", "line 2: a quote is not closed")]
    [InlineData("done", "", "'while' is not closed")]
    [InlineData("    fi\n", "", "line 9: syntax error at 'done'")]
    [InlineData("linux (", "linuxx (", "line 4: can't find command 'linuxx'")]
    [InlineData("      boot\n", "", "nothing is booted")]
    [InlineData("node-01\"", "$node\"", "line 2: a variable")]
    public void A_configuration_that_GRUB_would_not_take_ends_the_boot(string part, string instead, string why) =>
        Assert.Contains(why, Assert.Throws<BootStoppedException>(
            () => GrubScript.Read(Grub.Replace(part, instead, StringComparison.Ordinal))).Message,
            StringComparison.Ordinal);

    [Fact]
    public void A_kernel_for_another_machine_is_not_started()
    {
        var arm = new byte[4096];
        "ARM\x64"u8.CopyTo(arm.AsSpan(56));
        var pc = new byte[4096];
        (pc[0x1fe], pc[0x1ff]) = (0x55, 0xaa);
        "HdrS"u8.CopyTo(pc.AsSpan(0x202));

        KernelCheck.Kernel("vmlinuz", arm, "aarch64");
        KernelCheck.Kernel("vmlinuz", pc, "x86_64");
        Assert.Throws<BootStoppedException>(() => KernelCheck.Kernel("vmlinuz", arm, "x86_64"));
        Assert.Throws<BootStoppedException>(() => KernelCheck.Kernel("vmlinuz", pc, "aarch64"));
        Assert.Throws<BootStoppedException>(() => KernelCheck.Initramfs("i.gz", pc));
    }

    [Fact]
    public void An_EFI_program_for_another_machine_or_cut_short_is_not_started()
    {
        // MZ, the PE header at 0x40, one section .linux of four octets at 0x200.
        var image = new byte[0x204];
        "MZ"u8.CopyTo(image);
        image[0x3c] = 0x40;
        "PE\0\0"u8.CopyTo(image.AsSpan(0x40));
        (image[0x44], image[0x45]) = (0x64, 0x86);
        image[0x46] = 1;
        ".linux"u8.CopyTo(image.AsSpan(0x58));
        (image[0x60], image[0x68], image[0x6d]) = (4, 4, 2);
        image[0x200] = 7;

        var efi = new EfiProgram("bramble.efi", image, "x86_64");

        Assert.True(efi.IsUnifiedKernel);
        Assert.Equal([7, 0, 0, 0], efi.Section(".linux").ToArray());
        Assert.Throws<BootStoppedException>(() => new EfiProgram("bramble.efi", image, "aarch64"));
        for (var length = 0; length < image.Length; length++)
            Assert.Throws<BootStoppedException>(() => new EfiProgram("bramble.efi", image[..length], "x86_64"));
    }
}
