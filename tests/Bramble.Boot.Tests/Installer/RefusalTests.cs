namespace Bramble.Boot.Tests.Installer;

/// <summary>What a board must never do, whatever its plan says: write to a disk that is not the one meant.</summary>
public sealed class RefusalTests
{
    private const int DiskSize = 4 << 20;

    /// <summary>What is wrong with the plan, its disk, size and serial, and what the board must say.</summary>
    private static readonly (string Disk, long Size, string Serial, string Reason)[] s_wrongDisks =
    [
        ("/dev/mmcblk0", DiskSize + 512, "0x1234abcd", "has 4194304 octets, and the plan wants exactly 4194816"),
        ("/dev/mmcblk0", -1, "0x1234abcd", "and the plan wants exactly -1"),
        ("/dev/mmcblk0", DiskSize, "0xother", "/dev/mmcblk0 has the serial 0x1234abcd, and the plan wants 0xother"),
        ("/dev/sda", DiskSize, "0x1234abcd", "/dev/sda is not there; this board has: mmcblk0 4194304 sd 0 0x1234abcd"),
        ("/dev/mmcblk0p2", DiskSize, "0x1234abcd", "/dev/mmcblk0p2 is not there"),
        ("/dev/loop0", DiskSize, "0x1234abcd", "no disk to install on"),
        ("/dev/mmcblk0boot0", DiskSize, "0x1234abcd", "no disk to install on"),
        ("/dev/../dev/mmcblk0", DiskSize, "0x1234abcd", "which is no disk's name"),
        ("/dev/mmcblk*", DiskSize, "0x1234abcd", "which is no disk's name"),
        ("/dev/$(touch${IFS}/kept/owned)", DiskSize, "0x1234abcd", "which is no disk's name"),
        ("/dev/mmcblk1", DiskSize, "0x1234abcd", "/dev/mmcblk1 is read-only"),
    ];

    private static readonly (string List, string Reason)[] s_badLists =
    [
        ("0 65536 zero\n2 65536 zero\n", "the chunk list is not understood at chunk 1: 2 65536 zero"),
        ("0 65536 zero\n1 -5 zero\n", "at chunk 1: 1 -5 zero"),
        ("0 65536 zero\n1 0200 zero\n", "at chunk 1: 1 0200 zero"),
        ("0 65536 zero\n1 65537 zero\n", "at chunk 1: 1 65537 zero"),
        ("0 512 zero\n1 65536 zero\n", "chunk 0 is short, and is not the last"),
        ("0 65536 $(touch /kept/owned)\n", "at chunk 0: 0 65536 $(touch"),
        ("0 65536 zero\n", "the chunk list has 1 chunks, and the plan says 2"),
        ("", "the chunk list has 0 chunks, and the plan says 2"),
        ("<html>503</html>\n", "the chunk list is not understood at chunk 0: <html>503</html>"),
    ];

    [Fact]
    public async Task A_plan_for_another_disk_is_refused_with_the_reason_and_nothing_is_written()
    {
        var image = new TestImage(InstallTests.Octets(65536, seed: 1), 65536);
        var plans = s_wrongDisks.Select(wrong =>
            image.Plan(wrong.Size, wrong.Disk).Replace("0x1234abcd", wrong.Serial, StringComparison.Ordinal));

        var failures = await RefusalsAsync(image, plans);

        Assert.Equal(s_wrongDisks.Length, failures.Count);
        Assert.All(s_wrongDisks.Zip(failures), pair => Assert.Contains(pair.First.Reason, pair.Second));
    }

    [Fact]
    public async Task A_chunk_list_that_makes_no_sense_is_refused_before_anything_is_written()
    {
        var image = new TestImage(new byte[2 * 65536], 65536);
        var lists = new Queue<string>(s_badLists.Select(bad => bad.List));

        var failures = await RefusalsAsync(image, s_badLists.Select(_ => image.Plan(DiskSize)),
            call => call.Path == "/installer/v1/chunks/17-2" ? Answer.Text(lists.Dequeue()) : null);

        Assert.Equal(s_badLists.Length, failures.Count);
        Assert.All(s_badLists.Zip(failures), pair => Assert.Contains(pair.First.Reason, pair.Second));
    }

    [Fact]
    public async Task An_image_larger_than_the_disk_is_refused_before_anything_is_written()
    {
        var image = new TestImage(InstallTests.Octets(DiskSize + 65536, seed: 1), 65536);

        Assert.Contains("the image of 4259840 octets does not fit on /dev/mmcblk0 with its 4194304",
            Assert.Single(await RefusalsAsync(image, [image.Plan(DiskSize)])));
    }

    [Fact]
    public async Task A_patch_beyond_the_end_of_the_disk_is_refused()
    {
        var image = new TestImage(new byte[65536], 65536);
        image.Patches.Add((DiskSize - 100, new byte[101]));

        Assert.Contains("patch 0 ends at octet 4194305, beyond the end of /dev/mmcblk0",
            Assert.Single(await RefusalsAsync(image, [image.Plan(DiskSize)], written: 65536)));
    }

    [Fact]
    public async Task Values_of_a_plan_are_data_and_never_run()
    {
        // Each would leave a file in /kept, or break the loop, if it were ever evaluated, split or expanded.
        const string Hostile =
            "$(touch /kept/owned) `touch /kept/owned` ; touch /kept/owned; * ? [a-z] \\ ' \" && touch /kept/owned #";
        var image = new TestImage(new byte[65536], 65536);
        string[] keys = ["job", "node", "reason", "disk-serial", "chunk-bytes", "chunk-count", "patch",
            "root-partition", "root-fstype", "overlay", "root-device", "init", "resume", "grow", "retry", "unheard-of"];
        var plans = new List<string>();
        foreach (var action in (string[])["install", "boot"])
            plans.Add($"action {action}\n" + string.Concat(keys.Select(key => $"{key} {Hostile}\n")));
        // The same on top of an otherwise good plan, key by key.
        foreach (var key in (string[])["root-partition", "root-fstype", "overlay", "chunk-bytes", "disk-size", "patch",
            "disk-serial", "job"])
            plans.Add(image.Plan(DiskSize).Replace("job 17-2\n", key == "job" ? "" : "job 17-2\n",
                StringComparison.Ordinal) + $"{key} {Hostile}\n");
        var failing = plans.Count;
        plans.Add($"action wait\nretry 1\nreason {Hostile}\n");
        await using var board = await Sandbox.CreateAsync();
        await board.AddDiskAsync("mmcblk0", DiskSize);
        await using var manager = new ScriptedManager(board.ManagerNamespace, [.. plans, "action reboot\n"])
        {
            Image = image,
        };

        board.Start(ScriptedManager.CommandLine);
        await board.EndAsync(60);

        Assert.Contains("waiting: $(touch /kept/owned) `touch /kept/owned` ; touch /kept/owned; * ?", board.Console);
        Assert.False(board.Kept("owned"));
        Assert.Equal(failing, manager.Steps.Count(step => step == "failed"));
    }

    /// <summary>
    /// Runs plans that must all be refused and returns the reported reasons. The disk must be as before. A second disk,
    /// mmcblk1, is write-protected.
    /// </summary>
    private static async Task<IReadOnlyList<string>> RefusalsAsync(
        TestImage image, IEnumerable<string> plans, Func<Call, Answer?>? script = null, int written = 0)
    {
        await using var board = await Sandbox.CreateAsync();
        var disk = await board.AddDiskAsync("mmcblk0", DiskSize);
        await board.AddDiskAsync("mmcblk1", DiskSize, readOnly: true);
        var before = InstallTests.Octets(DiskSize, seed: 9);
        await File.WriteAllBytesAsync(disk, before, TestContext.Current.CancellationToken);
        await using var manager = new ScriptedManager(board.ManagerNamespace, [.. plans, "action reboot\n"])
        {
            Image = image,
            Script = script ?? (_ => null),
        };

        board.Start(ScriptedManager.CommandLine);
        await board.EndAsync();

        Assert.False(board.Kept("owned"));
        var after = await File.ReadAllBytesAsync(disk, TestContext.Current.CancellationToken);
        Assert.True(before.AsSpan(written).SequenceEqual(after.AsSpan(written)), "Something was written.");
        return [.. manager.Progress.Where(m => m["step"] == "failed").Select(m => m["message"]!)];
    }
}
