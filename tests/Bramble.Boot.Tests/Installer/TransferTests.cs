namespace Bramble.Boot.Tests.Installer;

/// <summary>What goes wrong inside an installation: damaged octets, a job that ends, a lost report.</summary>
public sealed class TransferTests
{
    private const int DiskSize = 4 << 20;

    [Fact]
    public async Task A_chunk_that_arrives_damaged_is_fetched_again()
    {
        var damaged = 0;
        var (manager, disk, image) = await RunAsync(call =>
            call.Path.EndsWith("/chunks/17-2/2", StringComparison.Ordinal) && damaged++ == 0
                ? new Answer(200, InstallTests.Octets(65536, seed: 77)) : null);

        Assert.Equal([0, 1, 2, 2, 3, 4, 5, 6, 7], manager.FetchedChunks);
        Assert.True(disk.AsSpan().StartsWith(image.Content));
    }

    [Fact]
    public async Task Chunks_come_gzipped_if_the_plan_says_so_and_one_cut_short_is_fetched_again()
    {
        var cut = 0;
        var (manager, disk, image) = await RunAsync(call =>
            call.Path.EndsWith("/chunks/17-2/2.gz", StringComparison.Ordinal) && cut++ == 0
                ? new Answer(200, [0x1f, 0x8b, 8, 0]) : null, extra: "chunk-gzip 1\n");

        Assert.Equal([0, 1, 2, 2, 3, 4, 5, 6, 7], manager.FetchedChunks);
        Assert.All(manager.Calls.Where(call => call.Path.Contains("/chunks/17-2/", StringComparison.Ordinal)),
            call => Assert.EndsWith(".gz", call.Path));
        Assert.True(disk.AsSpan().StartsWith(image.Content));
    }

    [Fact]
    public async Task A_chunk_that_always_arrives_damaged_fails_the_installation_with_both_checksums()
    {
        var (manager, disk, _) = await RunAsync(call =>
            call.Path.EndsWith("/chunks/17-2/2", StringComparison.Ordinal) ? new Answer(200, new byte[65536]) : null);

        // The checksum is that of 65536 zeros.
        Assert.StartsWith("chunk 2 arrived damaged three times: 65536 octets with SHA-256 "
            + "de2f256064a0af797747c2b97505dc0b9f3df0de4f489eac731c23ae9ca9cc31, expected 65536 with ",
            manager.Failure);
        Assert.Equal([0, 1, 2, 2, 2], manager.FetchedChunks);
        Assert.Equal(-1, disk.AsSpan(2 * 65536).IndexOfAnyExcept((byte)0));
    }

    [Fact]
    public async Task An_overlay_that_arrives_damaged_never_reaches_the_disk()
    {
        var (manager, _, _) = await RunAsync(call =>
            call.Path == "/installer/v1/overlay/17-2" ? Answer.Text("<html>captive portal</html>") : null);

        Assert.StartsWith("the overlay arrived damaged three times: 27 octets", manager.Failure);
    }

    [Fact]
    public async Task A_chunk_that_reads_back_otherwise_than_it_was_written_is_written_once_more()
    {
        await using var board = await Sandbox.CreateAsync();
        var disk = await board.AddDiskAsync("mmcblk0", DiskSize, rootOffset: 1 << 20);
        var image = new TestImage(InstallTests.Octets(8 * 65536, seed: 1), 65536);
        await using var manager = new ScriptedManager(board.ManagerNamespace,
            [image.Plan(DiskSize), "action reboot\n"]) { Image = image };
        manager.Script = call =>
        {
            // The medium loses a bit after all was written and before it is read back.
            if (call.Body.Contains("step verify\ndone 0\n", StringComparison.Ordinal))
                Flip(disk, (3 * 65536) + 5);
            return null;
        };

        board.Start(ScriptedManager.CommandLine);
        await board.EndAsync();

        Assert.Contains("chunk 3 reads back otherwise than it was written; writing it once more", board.Console);
        Assert.Equal([0, 1, 2, 3, 4, 5, 6, 7, 3], manager.FetchedChunks);
        var after = await File.ReadAllBytesAsync(disk, TestContext.Current.CancellationToken);
        Assert.True(after.AsSpan().StartsWith(image.Content));
    }

    [Fact]
    public async Task A_disk_that_cannot_hold_what_it_claims_fails_in_the_tools_own_words()
    {
        await using var board = await Sandbox.CreateAsync();
        await board.AddDiskAsync("mmcblk0", 4 * 65536, claimedSize: DiskSize);
        var image = new TestImage(InstallTests.Octets(8 * 65536, seed: 1), 65536);
        await using var manager = new ScriptedManager(board.ManagerNamespace,
            [image.Plan(DiskSize), "action reboot\n"]) { Image = image };

        board.Start(ScriptedManager.CommandLine);
        await board.EndAsync();

        Assert.Equal(
            "writing chunk 4 to /dev/mmcblk0 failed: "
                + "dd: error writing '/dev/mmcblk0': No space left on device", manager.Failure);
    }

    private static void Flip(string file, long offset)
    {
        using var handle = File.OpenHandle(file, access: FileAccess.ReadWrite, share: FileShare.ReadWrite);
        var octet = new byte[1];
        RandomAccess.Read(handle, octet, offset);
        octet[0] ^= 1;
        RandomAccess.Write(handle, octet, offset);
    }

    [Fact]
    public async Task An_installation_that_the_manager_calls_off_is_dropped_without_a_failure()
    {
        var (manager, disk, _) = await RunAsync(call =>
            call.Path.EndsWith("/progress", StringComparison.Ordinal) && call.Message.Number("done") >= 3 * 65536
                ? Answer.Text("answer plan\n") : null);

        Assert.Null(manager.Failure);
        Assert.Equal([0, 1, 2], manager.FetchedChunks);
        Assert.Equal(-1, disk.AsSpan(3 * 65536).IndexOfAnyExcept((byte)0));
    }

    [Fact]
    public async Task A_job_that_is_gone_makes_the_board_ask_for_a_new_plan()
    {
        var gone = false;
        var (manager, _, _) = await RunAsync(call =>
        {
            gone |= call.Path.EndsWith("17-2/2", StringComparison.Ordinal);
            return (gone, call.Path) switch
            {
                (true, "/installer/v1/progress") => Answer.Text("answer plan\n"),
                (true, "/installer/v1/chunks/17-2/2") => new Answer(404, []),
                _ => null,
            };
        });

        Assert.Null(manager.Failure);
        Assert.Equal([0, 1, 2], manager.FetchedChunks);
    }

    [Fact]
    public async Task What_must_not_be_lost_is_repeated_until_it_is_answered()
    {
        var refused = 0;
        var (manager, _, _) = await RunAsync(call =>
            call.Path.EndsWith("/progress", StringComparison.Ordinal) && call.Message["step"] == "failed"
                && refused++ < 2 ? new Answer(503, []) : null);

        Assert.Equal(3, manager.Steps.Count(step => step == "failed"));
    }

    /// <summary>An installation of eight chunks of noise, which ends when it tries to mount them.</summary>
    internal static async Task<(ScriptedManager Manager, byte[] Disk, TestImage Image)> RunAsync(
        Func<Call, Answer?> script, string extra = "")
    {
        await using var board = await Sandbox.CreateAsync();
        var disk = await board.AddDiskAsync("mmcblk0", DiskSize, rootOffset: 1 << 20);
        var image = new TestImage(InstallTests.Octets(8 * 65536, seed: 1), 65536);
        await using var manager = new ScriptedManager(board.ManagerNamespace,
            [image.Plan(DiskSize) + extra, "action reboot\n"])
        {
            Image = image,
            Script = script,
        };

        board.Start(ScriptedManager.CommandLine);
        await board.EndAsync();
        return (manager, await File.ReadAllBytesAsync(disk, TestContext.Current.CancellationToken), image);
    }
}
