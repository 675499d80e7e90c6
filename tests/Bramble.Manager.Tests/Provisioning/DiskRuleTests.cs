using Bramble.Manager.Provisioning;

namespace Bramble.Manager.Tests.Provisioning;

/// <summary>Exactly one disk is written to, the one that was meant, or none.</summary>
public sealed class DiskRuleTests
{
    private static readonly BoardDisk s_card = new("/dev/mmcblk0", 8_000_000_000, "sd", false, "0x1", false);
    private static readonly BoardDisk s_small = new("/dev/mmcblk1", 2_000_000_000, "sd", false, "0x2", false);
    private static readonly BoardDisk s_stick = new("/dev/sda", 32_000_000_000, "usb", false, "", true);
    private static readonly BoardDisk s_nvme = new("/dev/nvme0n1", 500_000_000_000, "nvme", true, "S1", true);

    [Theory]
    [InlineData("/dev/mmcblk0", "/dev/mmcblk0")]
    [InlineData("/dev/sda", "/dev/sda")]
    [InlineData("only", "only")]
    [InlineData("only sd", "only sd")]
    [InlineData("only >= 4GB", "only >= 4GB")]
    [InlineData("only >=4GB usb", "only usb >= 4GB")]
    [InlineData("  nvme   >= 1TB ", "only nvme >= 1000GB")]
    [InlineData(">= 1500MB", "only >= 1500MB")]
    public void A_rule_is_read_and_shown(string text, string shown)
    {
        Assert.True(DiskRule.TryParse(text, out var rule));
        Assert.Equal(shown, rule.ToString());
        Assert.True(DiskRule.TryParse(shown, out var again));
        Assert.Equal(rule, again);
    }

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("/dev/")]
    [InlineData("/dev/sda /dev/sdb")]
    [InlineData("/dev/../etc/passwd")]
    [InlineData("/etc/passwd")]
    [InlineData("sda")]
    [InlineData("only the big one")]
    [InlineData("only sd usb")]
    [InlineData("only >=")]
    [InlineData("only >= 4")]
    [InlineData("only >= GB")]
    [InlineData("only >= -4GB")]
    [InlineData("only >= 4.5GB")]
    [InlineData("only >= 99999999999999999999GB")]
    [InlineData("only <= 4GB")]
    public void What_is_no_rule_is_refused(string text) => Assert.False(DiskRule.TryParse(text, out _));

    [Fact]
    public void The_default_rule_is_the_one_disk_of_a_useful_size()
    {
        Assert.Equal("only >= 4GB", DiskRule.Default.ToString());
        Assert.Equal(s_card, Choose("only >= 4GB", 1000, s_small, s_card));
    }

    [Fact]
    public void The_one_disk_that_matches_is_chosen()
    {
        Assert.Equal(s_stick, Choose("only usb", 1000, s_card, s_stick, s_nvme));
        Assert.Equal(s_card, Choose("/dev/mmcblk0", 1000, s_card, s_stick, s_nvme));
        Assert.Equal(s_card, Choose("only", 8_000_000_000, s_card));
    }

    [Fact]
    public void More_than_one_is_never_guessed_at() => Assert.Equal(
        "2 disks match the rule 'only >= 4GB', and it must be exactly one: the board reports "
        + "/dev/mmcblk0 (sd, 8.0 GB), /dev/sda (usb, 32.0 GB)", Refused("only >= 4GB", 1000, s_card, s_stick));

    [Fact]
    public void Even_two_disks_that_claim_one_path_are_ambiguous() =>
        Assert.StartsWith("2 disks match", Refused("/dev/mmcblk0", 1, s_card, s_card with { Serial = "0x9" }),
            StringComparison.Ordinal);

    [Fact]
    public void None_that_matches_is_told_with_what_there_is()
    {
        Assert.Equal("no disk matches the rule 'only nvme': the board reports /dev/mmcblk0 (sd, 8.0 GB)",
            Refused("only nvme", 1, s_card));
        Assert.Equal("no disk matches the rule '/dev/sda': the board reports no disk at all", Refused("/dev/sda", 1));
    }

    [Fact]
    public void A_write_protected_disk_is_refused_in_words() => Assert.Equal(
        "/dev/nvme0n1 (nvme, 500.0 GB) is write-protected; move the card's lock switch or choose another disk",
        Refused("only nvme", 1, s_nvme));

    [Fact]
    public void A_disk_that_is_too_small_for_the_image_is_refused_in_words() => Assert.Equal(
        "/dev/mmcblk1 (sd, 2.0 GB) is too small: the image has 2,000,000,001 bytes, the disk 2,000,000,000",
        Refused("/dev/mmcblk1", 2_000_000_001, s_small));

    private static BoardDisk Choose(string rule, long imageBytes, params BoardDisk[] disks)
    {
        Assert.True(DiskRule.TryParse(rule, out var parsed));
        Assert.True(parsed.TryChoose(disks, imageBytes, out var disk, out var reason), reason);
        return disk;
    }

    private static string Refused(string rule, long imageBytes, params BoardDisk[] disks)
    {
        Assert.True(DiskRule.TryParse(rule, out var parsed));
        Assert.False(parsed.TryChoose(disks, imageBytes, out _, out var reason));
        return reason;
    }
}
