using System.Text;
using Bramble.Contracts.Installer;
using Bramble.Manager.Provisioning;

namespace Bramble.Manager.Tests.Provisioning;

public sealed class HelloMessageTests
{
    private const string Good = """
        boot-id 2f1c0b9e
        mac b8:27:eb:0a:0b:0c
        serial 10000000f00dcafe
        model Raspberry Pi 3 Model B Rev 1.2
        arch aarch64
        kernel 6.1.0-49-arm64
        memory 917504000
        clock 1763640000
        disk mmcblk0 7948206080 sd 0 0x1234abcd used
        disk sda 1000 usb 1 - blank
        disk vda 5 virtio 0 -
        unknown-key ignored
        """;

    private static bool TryRead(string text, out HelloMessage hello, out string error)
    {
        Assert.True(InstallerMessage.TryRead(Encoding.UTF8.GetBytes(text), out var message, out error), error);
        return HelloMessage.TryRead(message, out hello, out error);
    }

    [Fact]
    public void Everything_that_a_board_says_of_itself_is_read()
    {
        Assert.True(TryRead(Good, out var hello, out var error), error);
        Assert.Equal(("2f1c0b9e", "b8:27:eb:0a:0b:0c", "10000000f00dcafe", "Raspberry Pi 3 Model B Rev 1.2"),
            (hello.KernelId, hello.Mac.ToString(), hello.Serial, hello.Model));
        Assert.Equal(("arm64", "6.1.0-49-arm64", 917_504_000, 1_763_640_000),
            (hello.Architecture, hello.Kernel, hello.MemoryBytes, hello.Clock));
        Assert.Equal(
        [
            new BoardDisk("/dev/mmcblk0", 7_948_206_080, "sd", false, "0x1234abcd", true),
            new BoardDisk("/dev/sda", 1000, "usb", true, "", false),
            // Nothing is said of its content: the safe side.
            new BoardDisk("/dev/vda", 5, "virtio", false, "", true),
        ], hello.Disks);
    }

    [Theory]
    [InlineData("aarch64", "arm64")]
    [InlineData("armv7l", "armhf")]
    [InlineData("armv6l", "armhf")]
    [InlineData("x86_64", "amd64")]
    [InlineData("riscv64", "riscv64")]
    public void An_architecture_is_named_as_images_name_it(string machine, string name)
    {
        Assert.True(TryRead(Good.Replace("aarch64", machine, StringComparison.Ordinal), out var hello, out _));
        Assert.Equal(name, hello.Architecture);
    }

    [Theory]
    [InlineData("boot-id 2f1c0b9e", "", "'boot-id' is missing")]
    [InlineData("boot-id 2f1c0b9e", "boot-id ", "'boot-id' is missing")]
    [InlineData("mac b8:27:eb:0a:0b:0c", "", "'mac' is missing")]
    [InlineData("b8:27:eb:0a:0b:0c", "b8:27:eb", "'mac' is missing or is no MAC address")]
    [InlineData("7948206080", "-5", "'disk mmcblk0 -5 sd 0 0x1234abcd used' is not NAME BYTES BUS READONLY SERIAL")]
    [InlineData("7948206080", "99999999999999999999999", "is not NAME BYTES")]
    [InlineData("disk mmcblk0", "disk ../sda", "is not NAME BYTES")]
    [InlineData(" sd 0 0x1234abcd used", "", "is not NAME BYTES")]
    public void What_makes_no_sense_is_refused_in_words(string old, string replacement, string message)
    {
        Assert.False(TryRead(Good.Replace(old, replacement, StringComparison.Ordinal), out _, out var error));
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [Fact]
    public void Words_of_any_length_are_cut_and_numbers_that_are_none_are_zero()
    {
        Assert.True(TryRead(Good.Replace("Rev 1.2", new string('x', 9000), StringComparison.Ordinal)
            .Replace("917504000", "-1", StringComparison.Ordinal), out var hello, out _));
        Assert.Equal((120, 0), (hello.Model.Length, hello.MemoryBytes));
    }
}
