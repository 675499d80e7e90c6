using Bramble.Boot.Images;
using Microsoft.Win32.SafeHandles;

namespace Bramble.Boot.Tests.Images;

/// <summary>The FAT reader against volumes that mkfs.fat and mtools made.</summary>
public sealed class FatBootTreeTests : IDisposable
{
    private readonly Scratch _scratch = new();

    private readonly Dictionary<string, byte[]> _files = new()
    {
        ["config.txt"] = "arm_64bit=1\n"u8.ToArray(),
        ["empty"] = [],
        ["start4.elf"] = Scratch.Noise(1, 300_001),
        ["bcm2711-rpi-4-b.dtb"] = Scratch.Noise(2, 51_234),
        ["a name that is much longer than eight and three, in Mixed Case.text"] = Scratch.Noise(3, 4097),
        ["überlänge-ñ.txt"] = Scratch.Noise(4, 513),
        ["overlays/vc4-kms-v3d-pi4.dtbo"] = Scratch.Noise(5, 3_000),
        ["overlays/deep/er/still.bin"] = Scratch.Noise(6, 20_000),
    };

    private SafeFileHandle? _handle;

    public void Dispose()
    {
        _handle?.Dispose();
        _scratch.Dispose();
    }

    [Theory]
    [InlineData(12, 4, "FAT12")]
    [InlineData(16, 32, "FAT16")]
    [InlineData(32, 40, "FAT32")]
    public async Task Every_file_reads_as_mtools_wrote_it(int bits, int megabytes, string kind)
    {
        var tree = await MakeAsync(bits, megabytes);
        Assert.Equal(kind, tree.Kind);
        foreach (var (path, bytes) in _files)
        {
            Assert.True(tree.TryOpen(path, out var content), path);
            Assert.Equal(bytes.Length, content.Length);
            Assert.Equal(bytes, ReadAll(content, chunk: 1468));
            Assert.True(tree.TryOpen(path.ToUpperInvariant(), out _), path);
            content.Dispose();
        }
    }

    [Fact]
    public async Task A_fragmented_file_reads_whole_and_from_any_offset()
    {
        // Delete every other small file, then write a large one into the holes.
        var image = _scratch.Sparse("frag", 4 << 20);
        await Scratch.RunAsync("mkfs.fat", "-F", "12", "-s", "2", image);
        var small = _scratch.Write("small", Scratch.Noise(7, 8192));
        for (var i = 0; i < 40; i++) await Scratch.RunAsync("mcopy", "-i", image, small, $"::/s{i}");
        await Scratch.RunAsync("mdel", ["-i", image, .. Enumerable.Range(0, 20).Select(i => $"::/s{2 * i}")]);
        var large = Scratch.Noise(8, 400_000);
        await Scratch.RunAsync("mcopy", "-i", image, _scratch.Write("large", large), "::/large");
        using var handle = Scratch.Open(image);
        var tree = FatBootTree.Open(handle, 0, 4 << 20, "d");
        Assert.True(tree.TryOpen("large", out var content));
        Assert.Equal(large, ReadAll(content, 1000));
        var tail = new byte[100];
        Assert.Equal(37, content.Read(large.Length - 37, tail));
        Assert.Equal(large[^37..], tail[..37]);
        Assert.Equal(0, content.Read(large.Length, tail));
        Assert.Equal(0, content.Read(-1, tail));
    }

    [Theory]
    [InlineData("nothere")]
    [InlineData("overlays")]
    [InlineData("overlays/none")]
    [InlineData("config.txt/below")]
    [InlineData("")]
    [InlineData("../config.txt")]
    [InlineData("overlays/..")]
    [InlineData("config.txt\0")]
    public async Task What_is_no_file_is_not_found(string path)
    {
        var tree = await MakeAsync(16, 16);
        Assert.False(tree.TryOpen(path, out _));
    }

    [Fact]
    public async Task The_tag_tells_images_and_files_apart()
    {
        var tree = await MakeAsync(16, 16);
        Assert.True(tree.TryOpen("config.txt", out var a));
        Assert.True(tree.TryOpen("start4.elf", out var b));
        Assert.True(tree.TryOpen("CONFIG.TXT", out var again));
        Assert.NotEqual(a.Tag, b.Tag);
        Assert.Equal(a.Tag, again.Tag);
        Assert.StartsWith("0123456789abcdef-", a.Tag, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cyclic_chain_is_refused_and_does_not_hang()
    {
        await MakeAsync(16, 16);
        _handle!.Dispose();
        var bytes = File.ReadAllBytes(_scratch["vol"]);
        var fat = BitConverter.ToUInt16(bytes, 14) * 512;
        // Every allocated cluster points to itself.
        for (var c = 2; c < 4000; c++)
        {
            if (BitConverter.ToUInt16(bytes, fat + (2 * c)) == 0) continue;
            BitConverter.TryWriteBytes(bytes.AsSpan(fat + (2 * c)), (ushort)c);
        }
        File.WriteAllBytes(_scratch["vol"], bytes);
        using var handle = Scratch.Open(_scratch["vol"]);
        var tree = FatBootTree.Open(handle, 0, bytes.Length, "d");
        Assert.True(tree.TryOpen("start4.elf", out var content));
        Assert.Contains("loop", Assert.Throws<IOException>(() => ReadAll(content, 4096)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_directory_whose_chain_loops_reads_as_broken()
    {
        await MakeAsync(12, 4);
        _handle!.Dispose();
        var bytes = File.ReadAllBytes(_scratch["vol"]);
        var fat = BitConverter.ToUInt16(bytes, 14) * 512;
        bytes.AsSpan(fat + 3, 3000).Clear();
        // FAT12: clusters 2n and 2n+1 point to each other.
        for (var c = 2; c < 2000; c += 2)
        {
            var (next, back) = (c + 1, c);
            var at = fat + (c * 3 / 2);
            bytes[at] = (byte)next;
            bytes[at + 1] = (byte)((next >> 8) | ((back & 0xF) << 4));
            bytes[at + 2] = (byte)(back >> 4);
        }
        File.WriteAllBytes(_scratch["vol"], bytes);
        using var handle = Scratch.Open(_scratch["vol"]);
        var tree = FatBootTree.Open(handle, 0, bytes.Length, "d");
        Assert.True(tree.TryOpen("overlays/nothing.dtbo", out var content));
        var e = Assert.Throws<IOException>(() => content.Read(0, new byte[1]));
        Assert.Contains("loop", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_truncated_image_fails_as_an_input_error()
    {
        await MakeAsync(16, 16);
        _handle!.Dispose();
        File.WriteAllBytes(_scratch["vol"], File.ReadAllBytes(_scratch["vol"])[..60_000]);
        using var handle = Scratch.Open(_scratch["vol"]);
        Assert.Contains("truncated", Assert.Throws<IOException>(() => FatBootTree.Open(handle, 0, 60_000, "d")).Message,
            StringComparison.Ordinal);
        // The partition table said 16 MiB, the file ends before.
        var tree = FatBootTree.Open(handle, 0, 16 << 20, "d");
        Assert.True(tree.TryOpen("start4.elf", out var content));
        Assert.Throws<IOException>(() => ReadAll(content, 4096));
    }

    [Theory]
    [InlineData(12, 2, 101)]
    [InlineData(16, 16, 202)]
    [InlineData(32, 34, 303)]
    public async Task Mutated_volumes_only_ever_fail_as_input_errors(int bits, int megabytes, int seed)
    {
        await MakeAsync(bits, megabytes);
        _handle!.Dispose();
        var golden = File.ReadAllBytes(_scratch["vol"]);
        // The interesting part: boot sector, tables, the root and the first directories.
        var random = new Random(seed);
        var reserved = BitConverter.ToUInt16(golden, 14) * 512;
        using var handle = File.OpenHandle(_scratch["vol"], FileMode.Open, FileAccess.ReadWrite);
        for (var round = 0; round < 300; round++)
        {
            var undo = new List<(long At, byte Was)>();
            for (var i = random.Next(1, 8); i > 0; i--)
            {
                var at = random.Next(4) switch
                {
                    0 => random.Next(64),
                    1 => reserved + random.Next(400),
                    2 => Array.IndexOf(golden, (byte)'C', reserved + 1024) + random.Next(256),
                    _ => random.Next(golden.Length),
                };
                undo.Add((at, golden[at]));
                RandomAccess.Write(handle, [(byte)random.Next(256)], at);
            }
            try
            {
                var tree = FatBootTree.Open(handle, 0, golden.Length, "d");
                foreach (var path in _files.Keys)
                    if (tree.TryOpen(path, out var content)) ReadSome(content);
            }
            catch (IOException)
            {
                // The one exception that it may throw.
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed}, round {round}: {e}");
            }
            foreach (var (at, was) in undo) RandomAccess.Write(handle, [was], at);
        }
    }

    private static void ReadSome(IBootContent content)
    {
        var buffer = new byte[4096];
        for (long at = 0, n = 0; n < 200 && at < content.Length; n++) at += content.Read(at, buffer);
    }

    private static byte[] ReadAll(IBootContent content, int chunk)
    {
        var all = new MemoryStream();
        var buffer = new byte[chunk];
        int n;
        while ((n = content.Read(all.Length, buffer)) > 0) all.Write(buffer, 0, n);
        return all.ToArray();
    }

    private async Task<FatBootTree> MakeAsync(int bits, int megabytes)
    {
        var image = _scratch.Sparse("vol", (long)megabytes << 20);
        await Scratch.RunAsync("mkfs.fat", "-F", $"{bits}", "-n", "BOOT", image);
        foreach (var (path, bytes) in _files) _scratch.Write("tree/" + path, bytes);
        await Scratch.RunAsync("mcopy",
            ["-s", "-i", image, .. Directory.EnumerateFileSystemEntries(_scratch["tree"]), "::/"]);
        _handle = Scratch.Open(image);
        return FatBootTree.Open(_handle, 0, (long)megabytes << 20, "0123456789abcdef0123");
    }
}
