using Bramble.Contracts.Nodes;
using Bramble.Manager.Nodes.Timeline;

namespace Bramble.Manager.Tests.Nodes.Timeline;

/// <summary>
/// Where a boot stopped and why. Steps are written "stage what outcome detail", a count before them as "5x".
/// </summary>
public sealed class BootVerdictTests
{
    private static string Explain(string family, params string[] steps) =>
        BootVerdict.Explain([.. steps.Select(Step)], family, TimeSpan.FromSeconds(180));

    private static TimelineStep Step(string text)
    {
        var count = 1;
        var words = text.Split(' ', 5);
        if (words[0].EndsWith('x') && int.TryParse(words[0][..^1], out var n))
        {
            count = n;
            words = words[1..];
        }
        else
        {
            words = text.Split(' ', 4);
        }
        return new TimelineStep(Sample.Start, words[0], words[1], words[2], words.Length > 3 ? words[3] : "", count);
    }

    [Theory]
    [InlineData("Pi3B", "5x dhcp DISCOVER ok",
        "DISCOVER five times, then silence for 180 s: a Pi 3 gives up until power-cycled")]
    [InlineData("Pi3BPlus", "7x dhcp DISCOVER ok",
        "DISCOVER 7 times, then silence for 180 s: a Pi 3 gives up until power-cycled")]
    [InlineData("Pi3B", "2x dhcp DISCOVER ok", "DISCOVER 2 times, then silence for 180 s")]
    [InlineData("Pi4", "5x dhcp DISCOVER ok", "DISCOVER five times, then silence for 180 s")]
    [InlineData("Pi4", "dhcp DISCOVER ok", "DISCOVER once, then silence for 180 s")]
    [InlineData("", "", "no DISCOVER, then silence for 180 s")]
    public void A_board_that_asks_for_an_address_and_falls_silent(string family, string step, string verdict) =>
        Assert.Equal(verdict, step.Length == 0 ? Explain(family) : Explain(family, step));

    [Fact]
    public void A_board_that_was_not_answered_is_told_why() => Assert.Equal(
        "DISCOVER five times, not answered because the pool is exhausted, then silence for 180 s: a Pi 3 gives up "
        + "until power-cycled", Explain("Pi3B", "5x dhcp DISCOVER ignored the pool is exhausted"));

    [Fact]
    public void A_board_that_was_offered_an_address_and_asked_for_no_file() => Assert.Equal(
        "DISCOVER once and offered an address, but it never asked for a file: then silence for 180 s; is a switch port "
        + "still blocked by spanning tree, or does another DHCP server answer first?",
        Explain("Pi4", "dhcp DISCOVER ok", "dhcp OFFER ok 10.77.0.100"));

    [Theory]
    [InlineData("start4.elf", "tftp config.txt ok", "tftp 5b154510/start4.elf probe", "tftp start4.elf probe")]
    [InlineData("start4.elf", "dhcp OFFER ok", "tftp start4.elf probe", "tftp pieeprom.sig probe",
        "tftp recovery.elf probe")]
    [InlineData("kernel8.img and kernel7l.img", "tftp start4.elf ok", "tftp kernel8.img probe",
        "tftp kernel7l.img probe")]
    [InlineData("bootcode.bin", "dhcp OFFER ok", "tftp bootcode.bin probe")]
    [InlineData("START4.ELF", "http START4.ELF probe START4.ELF is not in image debian")]
    public void A_file_that_a_board_cannot_do_without(string missing, params string[] steps) =>
        Assert.Equal($"asked for {missing}, which this image lacks, then silence for 180 s", Explain("Pi4", steps));

    [Theory]
    [InlineData("tftp 00f00d01/start.elf probe", "tftp start.elf ok", "fetched start.elf last, then silence for 180 s")]
    [InlineData("tftp kernel8.img probe", "tftp config.txt ok", "fetched config.txt last, then silence for 180 s")]
    public void A_probe_after_which_the_board_went_on_is_not_to_blame(string probe, string served, string verdict) =>
        Assert.Equal(verdict, Explain("Pi3B", probe, served));

    [Fact]
    public void A_file_that_was_only_looked_at_is_not_called_missing() => Assert.Equal(
        "fetched start4.elf last, then silence for 180 s",
        Explain("Pi4", "tftp config.txt ok", "tftp 5b154510/start4.elf probe client only looked: Early terminate"));

    [Fact]
    public void A_node_without_an_image_is_told_so() => Assert.Equal(
        "asked for start4.elf, but node-01 has no image and its network no boot_tree, then silence for 180 s",
        Explain("Pi4", "tftp start4.elf probe node-01 has no image and its network no boot_tree"));

    [Fact]
    public void A_kernel_that_was_fetched_and_never_heard_of() => Assert.Equal(
        "fetched its kernel and started it, and no installer came up: then silence for 180 s; the kernel may not fit "
        + "the board, or the initramfs lacks its network driver",
        Explain("Pi4", "tftp start4.elf ok", "tftp kernel8.img ok", "tftp armstub8-gic.bin probe"));

    [Fact]
    public void A_transfer_that_broke_is_named_with_its_cause() => Assert.Equal(
        "start4.elf: no acknowledgement of block 17, then silence for 180 s",
        Explain("Pi4", "tftp config.txt ok", "tftp 5b154510/start4.elf failed no acknowledgement of block 17"));

    [Fact]
    public void A_board_that_stopped_in_the_middle_of_its_files() => Assert.Equal(
        "fetched config.txt last, then silence for 180 s", Explain("Pi4", "tftp start4.elf ok", "tftp config.txt ok"));

    [Theory]
    [InlineData("installer hello ok arm64", "the installer stopped at 'hello' (arm64), then silence for 180 s")]
    [InlineData("installer write ok 40 %", "the installer stopped at 'write' (40 %), then silence for 180 s")]
    [InlineData("installer failed failed the disk is gone", "installer: the disk is gone")]
    [InlineData("installer boot ok from /dev/sda",
        "the installer started the installed system, which has not reported in: "
        + "then silence for 180 s; look at its console, or bring it up in rescue")]
    [InlineData("system running ok node-01",
        "the installed system reported 'running' and went silent, then silence for 180 s")]
    public void The_last_that_an_installer_or_a_system_said(string step, string verdict) =>
        Assert.Equal(verdict, Explain("Pi4", "dhcp DISCOVER ok", "tftp kernel8.img ok", step));

    [Fact]
    public void A_port_that_cannot_be_switched_comes_first_while_it_is_the_last_thing_known()
    {
        Assert.Equal("power: sw1 does not answer",
            Explain("Pi4", "dhcp DISCOVER ok", "power on failed sw1 does not answer"));
        Assert.Equal("DISCOVER once, then silence for 180 s",
            Explain("Pi4", "power on failed sw1 does not answer", "power on ok", "dhcp DISCOVER ok"));
    }
}
