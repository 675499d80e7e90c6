using Bramble.Boot.Images;

namespace Bramble.Boot.Tests.Images;

/// <summary>Partition tables that sfdisk wrote, read by us; tables that we grew, checked by sfdisk and
/// sgdisk.</summary>
public sealed class PartitionTableTests : IDisposable
{
    private const long Mi = 1 << 20;
    private const string TwoOfMbr = "label: dos\nlabel-id: 0x1234abcd\n2048,65536,c\n67584,,83\n";
    private const string TwoOfGpt =
        "label: gpt\nstart=2048,size=65536,type=U,name=boot\nstart=67584,type=L,name=\"the root\"\n";

    private const string Logicals =
        "label: dos\n2048,32768,c\n34816,,5\nstart=36864,size=20480,type=83\nstart=59392,type=83\n";

    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public async Task An_mbr_reads_as_sfdisk_wrote_it()
    {
        var table = await MakeAsync(TwoOfMbr, 100 * Mi);
        Assert.Equal(PartitionScheme.Mbr, table.Scheme);
        Assert.Equal("1234abcd", table.DiskId);
        Assert.Equal([(1, "0x0c", Mi, 32 * Mi), (2, "0x83", 33 * Mi, 67 * Mi)],
            table.Partitions.Select(p => (p.Number, p.Type, p.OffsetBytes, p.SizeBytes)));
    }

    [Fact]
    public async Task Logical_partitions_count_from_five()
    {
        var table = await MakeAsync(Logicals, 100 * Mi);
        Assert.Equal([1, 2, 5, 6], table.Partitions.Select(p => p.Number));
        Assert.Equal(59392 * 512, table.Partitions[3].OffsetBytes);
        Assert.Equal(100 * Mi, table.Partitions[3].EndBytes);
    }

    [Fact]
    public async Task A_gpt_reads_as_sfdisk_wrote_it_from_either_copy()
    {
        var table = await MakeAsync(TwoOfGpt, 100 * Mi);
        Assert.Equal(PartitionScheme.Gpt, table.Scheme);
        Assert.Equal(["boot", "the root"], table.Partitions.Select(p => p.Name));
        Assert.Equal("c12a7328-f81f-11d2-ba4b-00a0c93ec93b", table.Partitions[0].Type);
        foreach (var at in new[] { 512 + 40, 512 + 56, 1024 + 40, 512 })
        {
            await Damage(at);
            Assert.Equal(["boot", "the root"], Read().Partitions.Select(p => p.Name));
        }
        await Damage((int)(100 * Mi) - 512 + 56);
        var e = Assert.Throws<ImageException>(Read);
        Assert.Contains("GPT is corrupt", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(TwoOfMbr, 2, 200)]
    [InlineData(TwoOfMbr, 2, 3_000_000)]
    [InlineData(Logicals, 6, 200)]
    [InlineData(TwoOfGpt, 2, 200)]
    [InlineData(TwoOfGpt, 2, 3_000_000)]
    public async Task A_grown_root_fills_the_disk_and_satisfies_the_real_tools(string script, int root, long megabytes)
    {
        // A disk that ends off any alignment, as real ones do.
        var diskBytes = (megabytes * Mi) + (512 * 77);
        await GrowAsync(script, root, diskBytes);
        var grown = Read().Partitions.Single(p => p.Number == root);
        var scheme = Read().Scheme;
        var limit = scheme == PartitionScheme.Mbr ? Math.Min(diskBytes, uint.MaxValue * 512L) : diskBytes - (34 * 512);
        Assert.Equal(0, grown.EndBytes % Mi);
        Assert.InRange(limit - grown.EndBytes, 0, Mi);
        var verify = await Scratch.TryRunAsync("sfdisk", ["--verify", _scratch["disk"]]);
        Assert.True(verify.Succeeded, verify.Errors);
        Assert.DoesNotContain("overlap", verify.Output + verify.Errors, StringComparison.OrdinalIgnoreCase);
        if (scheme == PartitionScheme.Gpt)
        {
            Assert.Contains("No problems found", await Scratch.RunAsync("sgdisk", "-v", _scratch["disk"]),
                StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_gpt_whose_primary_is_lost_is_made_whole_on_the_disk()
    {
        await MakeAsync(TwoOfGpt, 100 * Mi);
        await Damage(512 + 40);
        Patch(2, 150 * Mi);
        Assert.Contains("No problems found", await Scratch.RunAsync("sgdisk", "-v", _scratch["disk"]),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(TwoOfMbr)]
    [InlineData(TwoOfGpt)]
    public async Task An_image_that_fits_exactly_stays_valid(string script)
    {
        await GrowAsync(script, 2, 100 * Mi);
        Assert.True((await Scratch.TryRunAsync("sfdisk", ["--verify", _scratch["disk"]])).Succeeded);
    }

    [Theory]
    [InlineData(TwoOfMbr)]
    [InlineData(TwoOfGpt)]
    public async Task An_image_larger_than_the_disk_is_refused_in_words(string script)
    {
        var table = await MakeAsync(script, 100 * Mi);
        using var handle = Scratch.Open(_scratch["disk"]);
        var e = Assert.Throws<ImageException>(() => GrowPlan.Make(handle, 100 * Mi, table, 2, 99 * Mi));
        Assert.Contains("too small", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_partition_that_is_not_the_last_does_not_grow()
    {
        var table = await MakeAsync(TwoOfMbr, 100 * Mi);
        using var handle = Scratch.Open(_scratch["disk"]);
        Assert.Empty(GrowPlan.Make(handle, 100 * Mi, table, 1, 300 * Mi));
    }

    [Fact]
    public async Task A_truncated_image_says_which_partition_is_cut()
    {
        await MakeAsync(TwoOfMbr, 100 * Mi);
        using (var f = File.OpenWrite(_scratch["disk"])) f.SetLength(90 * Mi);
        Assert.Contains("Partition 2 ends at byte 104857600", Assert.Throws<ImageException>(Read).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_disk_image_is_named_as_such()
    {
        _scratch.Write("disk", Scratch.Noise(1, 100_000));
        Assert.Contains("no partition table", Assert.Throws<ImageException>(Read).Message, StringComparison.Ordinal);
        _scratch.Write("disk", []);
        Assert.Contains("empty", Assert.Throws<ImageException>(Read).Message, StringComparison.Ordinal);
        var blank = new byte[1024];
        (blank[510], blank[511]) = (0x55, 0xAA);
        _scratch.Write("disk", blank);
        Assert.Contains("no partition", Assert.Throws<ImageException>(Read).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_loop_of_extended_records_is_refused()
    {
        await MakeAsync(Logicals, 100 * Mi);
        var second = (59392L - 2048) * 512;
        using (var file = File.OpenHandle(_scratch["disk"], FileMode.Open, FileAccess.ReadWrite))
        {
            // Its link entry: type 5, start 0 relative to the extended partition, one sector.
            RandomAccess.Write(file, [0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0], second + 462);
        }
        Assert.Contains("loop", Assert.Throws<ImageException>(Read).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(TwoOfMbr, 11)]
    [InlineData(Logicals, 12)]
    [InlineData(TwoOfGpt, 13)]
    public async Task Mutated_tables_only_ever_fail_as_image_errors(string script, int seed)
    {
        await MakeAsync(script, 100 * Mi);
        using var handle = File.OpenHandle(_scratch["disk"], FileMode.Open, FileAccess.ReadWrite);
        var random = new Random(seed);
        int[] places = [0, 440, 446, 512, 1024, 34816 * 512, (59392 - 2048) * 512, (int)(100 * Mi) - 512];
        for (var round = 0; round < 2000; round++)
        {
            var at = places[random.Next(places.Length)];
            at += random.Next(at is 446 ? 64 : 512);
            var was = new byte[1];
            RandomAccess.Read(handle, was, at);
            RandomAccess.Write(handle, [(byte)random.Next(256)], at);
            try
            {
                var table = PartitionTable.Read(handle, 100 * Mi);
                foreach (var p in table.Partitions) GrowPlan.Make(handle, 100 * Mi, table, p.Number, 300 * Mi);
            }
            catch (ImageException)
            {
                // The one exception that it may throw.
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed}, round {round}, byte {at}: {e}");
            }
            RandomAccess.Write(handle, was, at);
        }
    }

    private PartitionTable Read()
    {
        using var handle = Scratch.Open(_scratch["disk"]);
        return PartitionTable.Read(handle, RandomAccess.GetLength(handle));
    }

    private async Task Damage(int at)
    {
        await using var file = File.Open(_scratch["disk"], FileMode.Open);
        file.Position = at;
        var was = file.ReadByte();
        file.Position = at;
        file.WriteByte((byte)(was ^ 0x5A));
    }

    private async Task<PartitionTable> MakeAsync(string script, long bytes)
    {
        await Scratch.RunAsync("sfdisk", [_scratch.Sparse("disk", bytes)], script);
        return Read();
    }

    private async Task GrowAsync(string script, int root, long diskBytes)
    {
        await MakeAsync(script, 100 * Mi);
        Patch(root, diskBytes);
    }

    private void Patch(int root, long diskBytes)
    {
        using var file = File.OpenHandle(_scratch["disk"], FileMode.Open, FileAccess.ReadWrite);
        var patches = GrowPlan.Make(file, 100 * Mi, PartitionTable.Read(file, 100 * Mi), root, diskBytes);
        RandomAccess.SetLength(file, diskBytes);
        foreach (var patch in patches) RandomAccess.Write(file, patch.Bytes, patch.Offset);
    }
}
