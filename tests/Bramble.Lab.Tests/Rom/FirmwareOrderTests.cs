using System.Text;
using Bramble.Lab.Boards;
using Bramble.Lab.Rom;
using Bramble.Lab.Tests.StandIn;

namespace Bramble.Lab.Tests.Rom;

/// <summary>What each model asks for, in which order, with which options: as traces from the field have it.</summary>
public sealed class FirmwareOrderTests
{
    [Fact]
    public async Task A_3B_plus_asks_in_this_order() => Assert.Equal(Names(" tsize=0",
        "start.elf autoboot.txt config.txt recovery.elf start.elf fixup.dat recovery.elf config.txt config.txt "
        + "dt-blob.bin recovery.elf config.txt config.txt bootcfg.txt bramble.cpio.gz bcm2710-rpi-3-b-plus.dtb "
        + "config.txt config.txt overlays/overlay_map.dtb cmdline.txt kernel8.img armstub8.bin kernel8.img",
        "bootcode.bin", "bootsig.bin"), await AskedAsync(BoardModel.Pi3BPlus));

    [Theory]
    [InlineData("4", " tsize=0 blksize=1468", "config.txt ")]
    [InlineData("4-old", " tsize=0 blksize=1024", "config.txt vl805.sig ")]
    public async Task A_Pi_4_asks_in_this_order(string word, string options, string first)
    {
        Assert.True(BoardTraits.TryParse(word, out var model));
        Assert.Equal(Names(options, "start4.elf start.elf " + first
            + "pieeprom.sig recover4.elf recovery.elf start4.elf fixup4.dat recovery.elf config.txt dt-blob.bin "
            + "recovery.elf config.txt bootcfg.txt bramble.cpio.gz bcm2711-rpi-4-b.dtb overlays/overlay_map.dtb "
            + "cmdline.txt recovery8.img kernel8.img armstub8-gic.bin kernel8.img"), await AskedAsync(model));
    }

    [Fact]
    public async Task A_Pi_5_asks_for_no_start_elf_and_twice_for_its_kernel() => Assert.Equal(
        Names(" tsize=0 blksize=1468", "config.txt config.txt bcm2712-rpi-5-b.dtb overlays/bcm2712d0.dtbo "
            + "cmdline.txt bramble.cpio.gz kernel_2712.img kernel_2712.img kernel_2712.img"),
        await AskedAsync(BoardModel.Pi5));

    [Fact]
    public async Task What_lies_below_the_serial_number_is_asked_for_there_only()
    {
        using var bench = new BoardBench(BoardModel.Pi4);
        foreach (var (name, content) in bench.Manager.Files)
            bench.Manager.Files[$"{bench.Spec.Prefix}/{name}"] = content;
        bench.Manager.Files[$"{bench.Spec.Prefix}/cmdline.txt"] = Encoding.ASCII.GetBytes("console=tty1");

        bench.Board.PowerOn();
        await bench.SaysAsync("the kernel command line has no bramble.url; restarts soon");

        Assert.All(bench.Network.Tftp.Requests,
            r => Assert.StartsWith(bench.Spec.Prefix + "/", r.Request, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_Pi_3_without_its_firmware_stays_where_it_is()
    {
        using var bench = new BoardBench(BoardModel.Pi3BPlus);
        bench.Manager.Files.TryRemove("start.elf", out _);

        bench.Board.PowerOn();
        var state = await bench.ReachesAsync(BoardStage.Stuck);

        Assert.Equal("start.elf is not there", state.Detail);
    }

    [Fact]
    public async Task A_Pi_4_without_its_firmware_starts_over_and_takes_it_when_it_is_there()
    {
        using var bench = new BoardBench(BoardModel.Pi4);
        bench.Manager.Files.TryRemove("start4.elf", out var firmware);

        bench.Board.PowerOn();
        await bench.SaysAsync("start4.elf is not there; the next in BOOT_ORDER");
        bench.Manager.Files["start4.elf"] = firmware!;

        await bench.ReachesAsync(BoardStage.Running);
    }

    [Fact]
    public async Task A_3B_falls_back_to_the_upstream_name_of_its_device_tree()
    {
        using var bench = new BoardBench(BoardModel.Pi3B);
        bench.Manager.Files.TryRemove("bcm2710-rpi-3-b.dtb", out var tree);
        bench.Manager.Files["bcm2837-rpi-3-b.dtb"] = tree!;

        bench.Board.PowerOn();

        await bench.ReachesAsync(BoardStage.Running);
    }

    [Fact]
    public async Task A_3B_locks_up_when_both_answers_come_within_two_seconds()
    {
        using var bench = new BoardBench(BoardModel.Pi3B, window: TimeSpan.FromSeconds(2));

        bench.Board.PowerOn();

        var state = await bench.ReachesAsync(BoardStage.Hung);
        Assert.Contains("within 2 s", state.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("3b", 1.9, 1.95, true)]
    [InlineData("3b", 1.9, 2.05, false)]
    [InlineData("3b", 2.0, 2.05, false)]
    [InlineData("3b+", 0.1, 0.2, false)]
    [InlineData("4", 0.1, 0.2, false)]
    public void Only_a_3B_and_only_two_answers_in_time_lock_up(string word, double offer, double tftp, bool locks)
    {
        Assert.True(BoardTraits.TryParse(word, out var model));
        Assert.Equal(locks, BootRom.LocksUp(
            model, TimeSpan.FromSeconds(offer), TimeSpan.FromSeconds(tftp), TimeSpan.FromSeconds(2)));
    }

    private static async Task<string[]> AskedAsync(BoardModel model)
    {
        using var bench = new BoardBench(model);
        bench.Board.PowerOn();
        await bench.ReachesAsync(BoardStage.Running);
        return [.. bench.Network.Tftp.Requests.Select(
            r => r.Request.Replace(bench.Spec.Prefix + "/", "", StringComparison.Ordinal))];
    }

    private static string[] Names(string options, string names, params string[] before) =>
        [.. before, .. names.Split(' ').Select(name => name + options)];
}
