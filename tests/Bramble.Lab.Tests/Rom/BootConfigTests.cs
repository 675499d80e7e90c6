using Bramble.Lab.Boards;
using Bramble.Lab.Rom;

namespace Bramble.Lab.Tests.Rom;

public sealed class BootConfigTests
{
    [Theory]
    [InlineData("kernel=a.img\n", "a.img", null)]
    [InlineData("# kernel=a.img\n\n", null, null)]
    [InlineData("kernel=a.img\n[pi5]\nkernel=b.img\n[all]\ninitramfs i followkernel\n", "a.img", "i")]
    [InlineData("[pi4]\nkernel=a.img\ninitramfs  i  0x01000000\n", "a.img", "i")]
    [InlineData("[none]\nkernel=a.img\n", null, null)]
    [InlineData("[pi3]\nkernel=a.img\n[pi4]\r\nkernel=b.img\r\n", "b.img", null)]
    [InlineData("[0x{serial}]\nkernel=a.img\n[0x1]\nkernel=b.img\n", "a.img", null)]
    public void Sections_hold_for_the_boards_that_they_name(string text, string? kernel, string? initramfs)
    {
        var board = BoardSpec.Rack(1, [BoardModel.Pi4], 3)[0];

        var config = BootConfig.Read(text.Replace("{serial}", board.Prefix, StringComparison.Ordinal), board);

        Assert.Equal((kernel, initramfs), (config.Kernel, config.Initramfs));
    }

    [Theory]
    [InlineData("initramfs\n")]
    [InlineData("initramfs \n[\n]\n=\n==\n")]
    [InlineData("\0\0\0")]
    public void Nonsense_is_no_fault(string text) =>
        Assert.Null(BootConfig.Read(text, BoardSpec.Rack(1, [BoardModel.Pi4], 3)[0]).Kernel);
}
