namespace Bramble.Boot.Tests.Installer;

/// <summary>The main way: a board asks, installs, and hands over.</summary>
public sealed class InstallTests
{
    private const string Boot = "action boot\nroot-device /dev/mmcblk0p2\nroot-fstype ext4\ninit /sbin/init\n";

    [Fact]
    public async Task A_board_says_who_it_is_installs_its_plan_and_hands_over_to_the_installed_system()
    {
        await using var board = await Sandbox.CreateAsync();
        var disk = await board.AddDiskAsync("mmcblk0", RootDisk.DiskSize, rootOffset: RootDisk.RootOffset);
        board.AddSys("firmware/devicetree/base/model", "Raspberry Pi 3 Model B Rev 1.2\0");
        board.AddSys("firmware/devicetree/base/serial-number", "10000000f00dcafe\0");
        var image = await RootDisk.LoadAsync();
        await using var manager = new ScriptedManager(board.ManagerNamespace,
            [image.Plan(RootDisk.DiskSize), Boot]) { Image = image };

        board.Start(ScriptedManager.CommandLine);
        await board.EndAsync();

        var hello = manager.Calls.Single(call => call.Path == "/installer/v1/hello").Message;
        Assert.Equal("02:00:00:77:09:02", hello["mac"]);
        Assert.Equal("Raspberry Pi 3 Model B Rev 1.2", hello["model"]);
        Assert.Equal("10000000f00dcafe", hello["serial"]);
        Assert.Equal(["mmcblk0 67108864 sd 0 0x1234abcd blank"], hello.All("disk"));
        Assert.Equal(1_790_000_000, hello.Number("clock"));
        Assert.True(hello.Number("memory") > 1 << 20);
        Assert.NotNull(hello["boot-id"]);
        Assert.NotNull(hello["arch"]);
        Assert.NotNull(hello["kernel"]);

        Assert.Null(manager.Failure);
        Assert.Equal(["check", "write", "verify", "patch", "overlay", "done", "boot"],
            manager.Steps.Distinct());
        Assert.Equal(image.Content.Length, manager.Progress.Last(m => m["step"] == "done").Number("done"));
        // Down and without an address: the installed system's udev can rename it.
        Assert.DoesNotContain("UP", await board.InterfaceAsync());
        Assert.DoesNotContain("inet ", await board.InterfaceAsync());
        Assert.Equal("process 1 with \n", await RootDisk.ReadAsync(disk, "/handed-over"));
        Assert.Equal("pi-03\n", await RootDisk.ReadAsync(disk, "/etc/hostname"));
        Assert.Equal("inside", await RootDisk.ReadAsync(disk, "/etc/through-a-link"));
        Assert.Equal("regular 0600 0 0", await RootDisk.StatAsync(disk, "/etc/bramble/credential"));
        Assert.Equal("regular 0640 1000 1000", await RootDisk.StatAsync(disk, "/home/operator/note"));
        Assert.Equal("regular 0755 0 0", await RootDisk.StatAsync(disk, "/usr/lib/bramble/busybox"));
    }

    [Fact]
    public async Task The_images_own_resize2fs_grows_the_root_and_what_it_says_is_reported_if_it_cannot()
    {
        await using var board = await Sandbox.CreateAsync();
        var disk = await board.AddDiskAsync("mmcblk0", RootDisk.DiskSize, rootOffset: RootDisk.RootOffset);
        var image = await RootDisk.LoadAsync();
        await using var manager = new ScriptedManager(board.ManagerNamespace,
            [image.Plan(RootDisk.DiskSize, grow: 1), "action reboot\n"]) { Image = image };

        board.Start(ScriptedManager.CommandLine);
        await board.EndAsync();

        Assert.Contains("grow", manager.Steps);
        // The kernel lets a mounted file system grow only under CAP_SYS_RESOURCE, which a container may lack.
        if (await MayGrowAsync())
        {
            Assert.Equal("done", manager.Steps[^1]);
            Assert.Equal((RootDisk.DiskSize - RootDisk.RootOffset) / 1024, await RootDisk.BlocksAsync(disk));
        }
        else
        {
            Assert.Equal("failed", manager.Steps[^1]);
            Assert.StartsWith("resize2fs could not grow /dev/mmcblk0p2: ", manager.Failure);
            Assert.Contains("Permission denied to resize filesystem", manager.Failure);
        }
    }

    private static async Task<bool> MayGrowAsync()
    {
        const int SysResource = 24;
        var status = await File.ReadAllLinesAsync("/proc/self/status", TestContext.Current.CancellationToken);
        var line = status.Single(line => line.StartsWith("CapEff:", StringComparison.Ordinal));
        return (Convert.ToUInt64(line["CapEff:".Length..].Trim(), 16) >> SysResource & 1) == 1;
    }

    [Fact]
    public async Task What_is_on_the_disk_is_the_image_with_its_patches_octet_for_octet_and_nothing_beyond()
    {
        await using var board = await Sandbox.CreateAsync();
        var disk = await board.AddDiskAsync("mmcblk0", 8 << 20, rootOffset: 1 << 20);
        var before = Octets(8 << 20, seed: 2);
        await File.WriteAllBytesAsync(disk, before, TestContext.Current.CancellationToken);
        // 41 chunks, the last one short, some of them zeros; the patches are not aligned to anything.
        var content = Octets((40 * 65536) + 1536, seed: 1);
        content.AsSpan(3 * 65536, 4 * 65536).Clear();
        var image = new TestImage(content, 65536);
        image.Patches.Add((0, Octets(512, seed: 3)));
        image.Patches.Add(((8 << 20) - 1000, Octets(777, seed: 4)));
        await using var manager = new ScriptedManager(board.ManagerNamespace,
            [image.Plan(8 << 20), "action reboot\n"]) { Image = image };

        board.Start(ScriptedManager.CommandLine);
        await board.EndAsync();

        var expected = before;
        content.CopyTo(expected, 0);
        foreach (var (offset, patch) in image.Patches) patch.CopyTo(expected, offset);
        var after = await File.ReadAllBytesAsync(disk, TestContext.Current.CancellationToken);
        Assert.True(expected.AsSpan().SequenceEqual(after));
        Assert.StartsWith("mounting /dev/mmcblk0p2 as ext4 failed", manager.Failure);
        Assert.DoesNotContain(3, manager.FetchedChunks);
    }

    [Fact]
    public async Task A_resumed_installation_fetches_only_what_the_disk_does_not_hold()
    {
        await using var board = await Sandbox.CreateAsync();
        var disk = await board.AddDiskAsync("mmcblk0", 4 << 20, rootOffset: 1 << 20);
        var content = Octets(32 * 65536, seed: 1);
        content.AsSpan(8 * 65536, 65536).Clear();
        var onDisk = (byte[])content.Clone();
        onDisk[5 * 65536] ^= 1;
        onDisk[(9 * 65536) - 1] ^= 1;
        onDisk[^1] ^= 1;
        await File.WriteAllBytesAsync(disk, [.. onDisk, .. new byte[2 << 20]], TestContext.Current.CancellationToken);
        var image = new TestImage(content, 65536);
        await using var manager = new ScriptedManager(board.ManagerNamespace,
            [image.Plan(4 << 20, resume: 1), "action reboot\n"]) { Image = image };

        board.Start(ScriptedManager.CommandLine);
        await board.EndAsync();

        Assert.Equal([5, 31], manager.FetchedChunks);
        var after = await File.ReadAllBytesAsync(disk, TestContext.Current.CancellationToken);
        Assert.True(content.AsSpan().SequenceEqual(after.AsSpan(0, content.Length)));
    }

    [Fact]
    public async Task Progress_comes_at_the_start_of_each_step_every_five_percent_and_at_its_end()
    {
        await using var board = await Sandbox.CreateAsync();
        await board.AddDiskAsync("mmcblk0", 4 << 20, rootOffset: 1 << 20);
        var image = new TestImage(Octets(100 * 16384, seed: 1), 16384);
        await using var manager = new ScriptedManager(board.ManagerNamespace,
            [image.Plan(4 << 20), "action reboot\n"]) { Image = image };

        board.Start(ScriptedManager.CommandLine);
        await board.EndAsync();

        foreach (var step in (string[])["write", "verify"])
        {
            var done = manager.Progress.Where(m => m["step"] == step).Select(m => m.Number("done")!.Value).ToList();
            Assert.Equal(0, done[0]);
            Assert.Equal(image.Content.Length, done[^1]);
            Assert.InRange(done.Count, 21, 22);
            Assert.All(done.Zip(done.Skip(1)), pair => Assert.InRange(pair.Second - pair.First, 1, 5 * 16384));
        }
        Assert.All(manager.Progress, m => Assert.Equal("17-2", m["job"]));
    }

    [Fact]
    public async Task A_board_that_must_wait_shows_why_asks_again_and_then_does_as_it_is_told()
    {
        await using var board = await Sandbox.CreateAsync();
        await board.AddDiskAsync("mmcblk0", 4 << 20);
        await using var manager = new ScriptedManager(board.ManagerNamespace,
            ["action wait\nretry 1\nreason not adopted yet: ask the operator\n", "action reboot\n"]);

        board.Start(ScriptedManager.CommandLine);
        await board.EndAsync();

        Assert.Contains("waiting: not adopted yet: ask the operator", board.Console);
        Assert.Contains("restarting the board", board.Console);
        Assert.Empty(manager.Progress);
    }

    internal static byte[] Octets(int length, int seed)
    {
        var octets = new byte[length];
        new Random(seed).NextBytes(octets);
        return octets;
    }
}
