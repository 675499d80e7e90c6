using Bramble.Boot.Images;
using Bramble.Contracts.Nodes;
using Bramble.Manager.Configuration;
using Bramble.Manager.Nodes;
using Bramble.Manager.Provisioning;

namespace Bramble.Manager.Tests.Provisioning;

/// <summary>What a board in the initramfs is to do follows from wish, state, store and time.</summary>
public sealed class InstallPlannerTests
{
    private static readonly DateTimeOffset s_now = Sample.Start.AddDays(1);
    private static readonly BoardDisk s_blank = new("/dev/mmcblk0", 8_000_000_000, "sd", false, "0x1", Used: false);
    private static readonly BoardDisk s_used = s_blank with { Used = true };
    private static readonly InstallOptions s_options = new() { Image = "debian" };

    private static readonly BootImage s_image = new()
    {
        Name = "debian",
        Digest = new string('d', 64),
        SizeBytes = 1_000_000_000,
        ChunkBytes = 4 << 20,
        Architecture = "arm64",
        Scheme = PartitionScheme.Mbr,
        DiskId = "1",
        Partitions = [],
        RootPartition = new ImagePartition(2, "0x83", "", "ext4", "", 0, 0),
    };

    private static readonly InstallAttempt s_attempt = new()
    {
        Generation = 1,
        Image = "debian",
        Digest = s_image.Digest,
        Disk = "/dev/mmcblk0",
        DiskSerial = "0x1",
        DiskBytes = 8_000_000_000,
        StartedAt = Sample.Start,
        Wrote = true,
        Failures = 1,
    };

    private static InstallDecision Decide(
        NodeSpec? spec = null, NodeStatus? status = null, InstallOptions? options = null,
        BootImage? image = null, bool there = true) => InstallPlanner.Decide(
            Sample.Node(3, spec ?? new NodeSpec { Adopted = true }, status ?? With(s_blank)),
            name => there && name == "debian" ? image ?? s_image : null, options ?? s_options, s_now);

    private static NodeStatus With(params BoardDisk[] disks) => new() { Architecture = "arm64", Disks = disks };

    private static string Trouble(InstallDecision decision)
    {
        var wait = Assert.IsType<InstallDecision.Wait>(decision);
        Assert.True(wait.Trouble);
        return wait.Reason;
    }

    private static InstallAttempt Installs(InstallDecision decision) =>
        Assert.IsType<InstallDecision.Install>(decision).Attempt;

    [Fact]
    public void A_blank_disk_is_installed()
    {
        var attempt = Installs(Decide());
        Assert.Equal(new InstallAttempt
        {
            Generation = 1,
            Image = "debian",
            Digest = s_image.Digest,
            Disk = "/dev/mmcblk0",
            DiskSerial = "0x1",
            DiskBytes = 8_000_000_000,
            StartedAt = s_now,
            Step = "start",
            TotalBytes = 1_000_000_000,
        }, attempt);
    }

    [Fact]
    public void A_used_disk_is_not_overwritten_without_a_word()
    {
        Assert.Equal("/dev/mmcblk0 already holds data, and nobody asked for it to be overwritten: "
            + "bramble install node-03 does", Trouble(Decide(status: With(s_used))));
        Installs(Decide(status: With(s_used), options: s_options with { OverwriteUsedDisks = true }));
        Installs(Decide(new NodeSpec { Adopted = true, Generation = 2, OverwriteGeneration = 2 }, With(s_used)));
        Trouble(Decide(new NodeSpec { Adopted = true, Generation = 3, OverwriteGeneration = 2 }, With(s_used)));
    }

    [Fact]
    public void A_disk_that_we_began_to_write_ourselves_is_gone_on_with()
    {
        var attempt = Installs(Decide(status: With(s_used) with { Attempt = s_attempt }));
        Assert.Equal((true, 1, Sample.Start), (attempt.Wrote, attempt.Failures, attempt.StartedAt));
    }

    [Theory]
    [InlineData("disk")]
    [InlineData("serial")]
    [InlineData("digest")]
    [InlineData("generation")]
    public void What_was_begun_for_something_else_gives_no_leave(string other)
    {
        var attempt = other switch
        {
            "disk" => s_attempt with { Disk = "/dev/sda" },
            "serial" => s_attempt with { DiskSerial = "0x9" },
            "digest" => s_attempt with { Digest = "e" },
            _ => s_attempt with { Generation = 9 },
        };
        Assert.Contains("already holds data", Trouble(Decide(status: With(s_used) with { Attempt = attempt })),
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_failed_install_waits_is_tried_again_and_is_given_up_in_the_end()
    {
        var failed = s_attempt with { Failed = true, Message = "the card is bad", RetryAt = s_now.AddSeconds(7) };
        Assert.Equal("the install failed: the card is bad; tried again in 7 s",
            Trouble(Decide(status: With(s_used) with { Attempt = failed })));
        var again = Installs(Decide(status: With(s_used) with { Attempt = failed with { RetryAt = s_now } }));
        Assert.Equal((false, null, 1, "start", 0),
            (again.Failed, again.RetryAt, again.Failures, again.Step, again.DoneBytes));
        Assert.Equal("the install failed 3 times, last: the card is bad; bramble reinstall tries again",
            Trouble(Decide(status: With(s_used) with { Attempt = failed with { RetryAt = null, Failures = 3 } })));
    }

    [Fact]
    public void A_retry_does_not_wait_for_a_clock_that_was_set_back() => Installs(Decide(
        status: With(s_used) with { Attempt = s_attempt with { Failed = true, RetryAt = s_now.AddHours(30) } }));

    [Fact]
    public void A_new_wish_begins_afresh_whatever_was_given_up()
    {
        var givenUp = s_attempt with { Failed = true, Failures = 3 };
        var attempt = Installs(Decide(new NodeSpec { Adopted = true, Generation = 2, OverwriteGeneration = 2 },
            With(s_used) with { Attempt = givenUp }));
        Assert.Equal((2, 0, false), (attempt.Generation, attempt.Failures, attempt.Wrote));
    }

    [Fact]
    public void An_image_that_is_not_chosen_not_there_or_not_for_this_board_is_named()
    {
        Assert.StartsWith("no image is chosen: bramble install", Trouble(Decide(options: new InstallOptions())),
            StringComparison.Ordinal);
        Assert.Equal("there is no image 'debian': bramble image ls shows those that there are",
            Trouble(Decide(there: false)));
        Assert.Equal("there is no image 'other': bramble image ls shows those that there are",
            Trouble(Decide(new NodeSpec { Adopted = true, Image = "other" })));
        Assert.Equal("the image 'debian' is for amd64, the board is arm64",
            Trouble(Decide(image: s_image with { Architecture = "amd64" })));
        Assert.Equal("the image 'debian' is for arm64, the board is armhf",
            Trouble(Decide(status: With(s_blank) with { Architecture = "armhf" })));
    }

    [Theory]
    [InlineData("armhf")]
    [InlineData("unknown")]
    [InlineData("")]
    public void What_may_run_on_a_board_is_installed(string architecture) =>
        Installs(Decide(image: s_image with { Architecture = architecture }));

    [Fact]
    public void A_disk_rule_that_fits_no_disk_is_told()
    {
        Assert.StartsWith("no disk matches the rule 'only >= 4GB'", Trouble(Decide(status: With())),
            StringComparison.Ordinal);
        Assert.StartsWith("no disk matches the rule 'only nvme'",
            Trouble(Decide(new NodeSpec { Adopted = true, Disk = "only nvme" })), StringComparison.Ordinal);
        Assert.Equal("'the big one' is no disk rule",
            Trouble(Decide(new NodeSpec { Adopted = true, Disk = "the big one" })));
        Assert.Contains("is too small", Trouble(Decide(image: s_image with { SizeBytes = 9_000_000_000 })),
            StringComparison.Ordinal);
    }

    [Fact]
    public void An_installed_system_is_booted_if_its_disk_is_there()
    {
        var record = new InstallRecord("debian", "old", "/dev/mmcblk0", 2, "ext4", 1, Sample.Start);
        var boot = Assert.IsType<InstallDecision.Boot>(Decide(status: With(s_used) with { Installed = record }));
        Assert.Equal(record, boot.Installed);
        Assert.Equal("the disk /dev/mmcblk0, on which debian is installed, is not there any more",
            Trouble(Decide(status: With() with { Installed = record })));
    }

    [Fact]
    public void Other_wishes_come_before_an_install()
    {
        Assert.IsType<InstallDecision.Rescue>(Decide(new NodeSpec { Adopted = true, Goal = NodeGoal.Rescue }));
        var wait = Assert.IsType<InstallDecision.Wait>(Decide(new NodeSpec { Adopted = true, Goal = NodeGoal.Wait }));
        Assert.False(wait.Trouble);
        wait = Assert.IsType<InstallDecision.Wait>(Decide(new NodeSpec { Adopted = false, Goal = NodeGoal.Rescue }));
        Assert.Equal(("the node is not adopted: bramble node adopt", false), (wait.Reason, wait.Trouble));
    }

    [Fact]
    public void A_restart_that_was_asked_for_comes_first_and_once()
    {
        var spec = new NodeSpec { Adopted = true, Goal = NodeGoal.Wait, RestartGeneration = 2 };
        Assert.IsType<InstallDecision.Reboot>(Decide(spec, With(s_blank) with { RestartedGeneration = 1 }));
        Assert.IsType<InstallDecision.Wait>(Decide(spec, With(s_blank) with { RestartedGeneration = 2 }));
    }
}
