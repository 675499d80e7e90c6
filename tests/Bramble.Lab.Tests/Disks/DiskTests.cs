using System.Security.Cryptography;
using Bramble.Lab.Disks;

namespace Bramble.Lab.Tests.Disks;

public sealed class DiskTests : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"bramble-lab-{Guid.NewGuid():n}.img");

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_disk_holds_what_was_written_last(bool file)
    {
        using IBoardDisk disk = file ? new FileDisk(_path, 1 << 20) : new DigestDisk(1 << 20);
        var (a, b) = (Octets(1, 65536), Octets(2, 512));
        Assert.True(disk.IsBlank);

        await WriteAsync(disk, 0, a);
        await WriteAsync(disk, 65536, null);

        Assert.False(disk.IsBlank);
        Assert.True(await HoldsAsync(disk, 0, a));
        Assert.True(await HoldsAsync(disk, 65536, null));
        Assert.False(await HoldsAsync(disk, 65536, a));

        // A patch over its beginning: the chunk as a whole is no longer there.
        await WriteAsync(disk, 0, b);
        Assert.True(await HoldsAsync(disk, 0, b));
        Assert.False(await HoldsAsync(disk, 0, a));
        Assert.True(await HoldsAsync(disk, 65536, null));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_write_past_the_end_is_refused_as_a_tool_would_say_it(bool file)
    {
        using IBoardDisk disk = file ? new FileDisk(_path, 65536) : new DigestDisk(65536);

        var fault = await Assert.ThrowsAsync<IOException>(() => WriteAsync(disk, 65024, Octets(1, 1024)));

        Assert.Equal("No space left on device", fault.Message);
    }

    [Fact]
    public async Task What_is_installed_is_gone_with_the_next_write()
    {
        using var disk = new DigestDisk(1 << 20);
        disk.Root = new InstalledRoot("u", "n", "j", "c", "h", []);

        await WriteAsync(disk, 0, Octets(1, 512));

        Assert.Null(disk.Root);
    }

    [Fact]
    public void Equal_digests_are_one_object()
    {
        var hex = Convert.ToHexStringLower(SHA256.HashData("chunk"u8));

        Assert.True(ChunkDigest.TryParse(hex, out var one));
        Assert.Same(one, ChunkDigest.Of(SHA256.HashData("chunk"u8)));
        Assert.False(ChunkDigest.TryParse(hex.ToUpperInvariant(), out _));
        Assert.False(ChunkDigest.TryParse("zero", out _));
    }

    public void Dispose() => File.Delete(_path);

    private static byte[] Octets(int seed, int length)
    {
        var octets = new byte[length];
        new Random(seed).NextBytes(octets);
        return octets;
    }

    private static Task WriteAsync(IBoardDisk disk, long offset, byte[]? octets) => disk.WriteAsync(offset,
        octets?.Length ?? 65536, octets, Digest(octets), TestContext.Current.CancellationToken).AsTask();

    private static Task<bool> HoldsAsync(IBoardDisk disk, long offset, byte[]? octets) => disk.HoldsAsync(offset,
        octets?.Length ?? 65536, Digest(octets), TestContext.Current.CancellationToken).AsTask();

    private static ChunkDigest? Digest(byte[]? octets) =>
        octets is null ? null : ChunkDigest.Of(SHA256.HashData(octets));
}
