using System.Security.Cryptography;
using Bramble.Boot.Images;
using Bramble.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bramble.Boot.Tests.Images;

/// <summary>What goes into the store comes out whole, or not at all.</summary>
public sealed class ImageStoreTests : IDisposable
{
    private const long Mi = 1 << 20;
    private readonly Scratch _scratch = new();
    private readonly ManualTimeProvider _clock = new();
    private readonly List<ImageStore> _stores = [];

    public void Dispose()
    {
        foreach (var store in _stores) store.Dispose();
        _scratch.Dispose();
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("gzip")]
    [InlineData("xz")]
    [InlineData("zstd")]
    public async Task A_disk_image_is_kept_as_its_raw_disk_however_it_was_packed(string packer)
    {
        var disk = await MakeDiskAsync();
        var raw = File.ReadAllBytes(disk);
        var packed = await PackAsync(disk, packer);
        var image = await Store().AddFileAsync(packed, "pi", cancellation: Scratch.Cancellation);

        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(raw)), image.Digest);
        Assert.Equal((raw.Length, "MyOS 1", PartitionScheme.Mbr), (image.SizeBytes, image.OsName, image.Scheme));
        Assert.Equal((2, "ext4", "theroot"),
            (image.RootPartition.Number, image.RootPartition.FileSystem, image.RootPartition.Label));
        Assert.Equal((1, "vfat", "PIBOOT"),
            (image.BootPartition!.Number, image.BootPartition.FileSystem, image.BootPartition.Label));
        Assert.Equal(_clock.GetUtcNow(), image.AddedAt);
        Assert.Equal(raw, File.ReadAllBytes(Store().RawPath(image)));
        // The file is sparse: its zeros take no room.
        var blocks = long.Parse(await Scratch.RunAsync("stat", "-c", "%b", Store().RawPath(image)));
        Assert.True(blocks * 512 < raw.Length / 2, $"{blocks} blocks");
        CheckChunks(Store().OpenChunks(image), raw);

        Assert.True(Store().OpenBootTree(image).TryOpen("CONFIG.TXT", out var content));
        var text = new byte[content.Length];
        content.Read(0, text);
        Assert.Equal("from the card\n"u8, text);
    }

    [Fact]
    public async Task The_store_comes_back_as_it_was_after_a_restart()
    {
        var disk = await MakeDiskAsync();
        var added = await Store().AddFileAsync(disk, "pi", cancellation: Scratch.Cancellation);
        var again = Assert.Single(Store().Images);
        Assert.Equal(added.Digest, again.Digest);
        Assert.Equal(added.Partitions, again.Partitions);
        Assert.Equal(added.RootPartition, Store().Find("pi")!.RootPartition);
        Assert.Equal("pi", Store().Find(added.Digest[..12])!.Name);
        Assert.Null(Store().Find("p"));
        Assert.Null(Store().Find(added.Digest[..3]));
    }

    [Theory]
    [InlineData("gzip", 0.5)]
    [InlineData("xz", 0.5)]
    [InlineData("zstd", 0.5)]
    [InlineData("zstd", 0.99)]
    [InlineData("plain", 0.5)]
    public async Task A_truncated_file_is_refused_and_leaves_nothing(string packer, double part)
    {
        var packed = File.ReadAllBytes(await PackAsync(await MakeDiskAsync(), packer));
        var e = await FailAsync(packed[..(int)(packed.Length * part)]);
        Assert.Contains("truncated", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("xz")]
    [InlineData("zstd")]
    public async Task A_corrupt_file_is_refused_and_leaves_nothing(string packer)
    {
        var packed = File.ReadAllBytes(await PackAsync(await MakeDiskAsync(), packer));
        packed[packed.Length / 2] ^= 0x10;
        var e = await FailAsync(packed);
        Assert.Contains("corrupt", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_no_image_is_refused_in_words()
    {
        Assert.Contains("empty", (await FailAsync([])).Message, StringComparison.Ordinal);
        Assert.Contains("no partition table", (await FailAsync(Scratch.Noise(1, 5000))).Message,
            StringComparison.Ordinal);
        Assert.Contains("zip format", (await FailAsync("PK\x03\x04 and so on, and so on"u8.ToArray())).Message,
            StringComparison.Ordinal);
        Assert.Contains("qemu-img convert", (await FailAsync([0x51, 0x46, 0x49, 0xFB, 0, 0, 0, 3, 0, 0])).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_checksum_counts_for_the_file_or_for_the_disk_in_it()
    {
        var disk = await MakeDiskAsync();
        var packed = await PackAsync(disk, "xz");
        var ofFile = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(packed)));
        var ofDisk = Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(disk)));
        await Store().AddFileAsync(packed, "a", new ImageAddOptions(ofFile), cancellation: Scratch.Cancellation);
        await Store().AddFileAsync(packed, "b", new ImageAddOptions(ofDisk), cancellation: Scratch.Cancellation);
        var e = await Assert.ThrowsAsync<ImageException>(() =>
            Store().AddFileAsync(packed, "c", new ImageAddOptions(new string('0', 64)),
                cancellation: Scratch.Cancellation));
        Assert.Contains("does not match", e.Message, StringComparison.Ordinal);
        AssertNoDebris();
    }

    [Theory]
    [InlineData("")]
    [InlineData("../x")]
    [InlineData("A")]
    [InlineData(".hidden")]
    [InlineData("a/b")]
    [InlineData("-rf")]
    public async Task A_name_that_could_be_a_path_is_refused(string name)
    {
        var e = await Assert.ThrowsAsync<ImageException>(() =>
            Store().AddAsync(new MemoryStream([1]), name, "x", cancellation: Scratch.Cancellation));
        Assert.Contains("does not fit", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_image_in_use_stays_and_one_that_is_not_goes()
    {
        var disk = await MakeDiskAsync();
        var store = Store();
        var image = await store.AddFileAsync(disk, "pi", cancellation: Scratch.Cancellation);
        var tree = store.OpenBootTree(image);
        Assert.Contains("already", (await Assert.ThrowsAsync<ImageException>(() =>
            store.AddFileAsync(disk, "pi", cancellation: Scratch.Cancellation))).Message, StringComparison.Ordinal);
        store.InUse = _ => "node n1 boots from it";
        Assert.Contains("node n1 boots from it", Assert.Throws<ImageException>(() => store.Remove("pi")).Message,
            StringComparison.Ordinal);
        store.InUse = _ => null;
        store.Remove("pi");
        Assert.Empty(store.Images);
        Assert.Empty(Store().Images);
        Assert.Throws<ImageException>(() => store.Remove("pi"));
        // A board that was reading goes on.
        Assert.True(tree.TryOpen("config.txt", out var content));
        Assert.Equal(14, content.Read(0, new byte[100]));
        AssertNoDebris();
    }

    [Fact]
    public async Task A_disk_that_fills_up_stops_the_addition_and_leaves_nothing()
    {
        var disk = await MakeDiskAsync();
        var store = Store();
        store.Space = new SpaceGuard(_scratch["store"], 100 * Mi, () => 120 * Mi);
        var e = await Assert.ThrowsAsync<ImageException>(() =>
            store.AddFileAsync(disk, "pi", cancellation: Scratch.Cancellation));
        Assert.Contains("Make room", e.Message, StringComparison.Ordinal);
        AssertNoDebris();
    }

    [Fact]
    public async Task A_cancelled_addition_leaves_nothing()
    {
        var packed = await PackAsync(await MakeDiskAsync(), "xz");
        using var stop = new CancellationTokenSource();
        var store = Store();
        await using var slow = new StallingStream(File.ReadAllBytes(packed)[..50_000], stop);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            store.AddAsync(slow, "pi", "x.xz", cancellation: stop.Token));
        AssertNoDebris();
        Assert.Empty(store.Images);
    }

    [Fact]
    public void What_a_kill_left_behind_is_swept_at_the_start()
    {
        _scratch.Write("store/.work-pi-0123/disk.raw", [1, 2, 3]);
        _scratch.Write("store/.work-pi-0123/root/etc/passwd", [1]);
        File.SetUnixFileMode(_scratch["store/.work-pi-0123/root/etc"], UnixFileMode.UserRead);
        Assert.Empty(Store().Images);
        AssertNoDebris();
    }

    [Fact]
    public async Task A_damaged_image_is_left_out_and_the_others_stay()
    {
        var disk = await MakeDiskAsync();
        foreach (var name in new[] { "a", "b", "c", "d" })
            await Store().AddFileAsync(disk, name, cancellation: Scratch.Cancellation);
        File.WriteAllText(_scratch["store/a/image.json"], "{ \"name\": ");
        File.WriteAllBytes(_scratch["store/b/chunks"], [1, 2, 3]);
        File.WriteAllBytes(_scratch["store/c/disk.raw"], [1, 2, 3]);
        Assert.Equal(["d"], Store().Images.Select(i => i.Name));
    }

    [Fact]
    public async Task The_root_grows_only_if_it_can()
    {
        var image = await Store().AddFileAsync(await MakeDiskAsync(), "pi", cancellation: Scratch.Cancellation);
        Assert.True(image.CanGrow);
        Assert.Single(Store().PlanGrow(image, 200 * Mi));
        Assert.Empty(Store().PlanGrow(image with { CanGrow = false }, 200 * Mi));
        Assert.Throws<ImageException>(() => Store().PlanGrow(image, 30 * Mi));
    }

    private static void CheckChunks(ChunkIndex chunks, byte[] raw)
    {
        Assert.Equal(((raw.Length - 1) / chunks.ChunkBytes) + 1, chunks.Count);
        var zeros = 0;
        for (var i = 0; i < chunks.Count; i++)
        {
            var chunk = raw.AsSpan(i * chunks.ChunkBytes, chunks.Length(i));
            Assert.Equal(SHA256.HashData(chunk), chunks.Sha256(i).ToArray());
            Assert.Equal(!chunk.ContainsAnyExcept((byte)0), chunks.IsZero(i));
            if (chunks.IsZero(i)) zeros++;
        }
        Assert.InRange(zeros, 1, chunks.Count - 1);
        Assert.Throws<ArgumentOutOfRangeException>(() => chunks.Length(chunks.Count));
    }

    private async Task<ImageException> FailAsync(byte[] content)
    {
        var e = await Assert.ThrowsAsync<ImageException>(() =>
            Store().AddAsync(new MemoryStream(content), "pi", "pi.img", cancellation: Scratch.Cancellation));
        AssertNoDebris();
        return e;
    }

    private void AssertNoDebris() => Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(_scratch["store"]),
        p => Path.GetFileName(p).StartsWith(".work", StringComparison.Ordinal));

    private ImageStore Store()
    {
        var store = new ImageStore(_scratch["store"], _clock, NullLogger<ImageStore>.Instance);
        _stores.Add(store);
        return store;
    }

    private async Task<string> PackAsync(string disk, string packer)
    {
        if (packer == "plain") return disk;
        await Scratch.RunAsync(packer, "-kf", "-1", disk);
        return disk + packer switch { "gzip" => ".gz", "xz" => ".xz", _ => ".zst" };
    }

    /// <summary>A card as a distribution makes it: FAT and ext4, 59.5 MiB, mostly empty.</summary>
    private async Task<string> MakeDiskAsync()
    {
        var disk = _scratch.Sparse("disk.img", (59 * Mi) + (512 * 1024));
        await Scratch.RunAsync("sfdisk", [disk], "label: dos\n2048,36864,c\n38912,,83\n");
        await Scratch.RunAsync("mkfs.fat", "-F", "16", "-n", "PIBOOT", "--offset", "2048", disk, "18432");
        await Scratch.RunAsync("mcopy", "-i", disk + "@@1M", _scratch.Write("config.txt", "from the card\n"u8), "::/");
        _scratch.Write("r/usr/lib/os-release", "PRETTY_NAME='MyOS 1'\n"u8);
        _scratch.Write("r/etc/os-release", "PRETTY_NAME='MyOS 1'\n"u8);
        _scratch.Write("r/sbin/resize2fs", "x"u8);
        _scratch.Write("r/noise", Scratch.Noise(1, 500_000));
        await Scratch.RunAsync("mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-L", "theroot", "-d", _scratch["r"],
            "-E", $"offset={19 * Mi}", disk, "40m");
        return disk;
    }

    /// <summary>Gives what it has, then cancels and waits: a download that the operator gives up.</summary>
    private sealed class StallingStream(byte[] data, CancellationTokenSource stop) : MemoryStream(data)
    {
        public override async ValueTask<int> ReadAsync(
            Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var n = await base.ReadAsync(buffer, cancellationToken);
            if (n > 0) return n;
            await stop.CancelAsync();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            return 0;
        }
    }
}
