using System.Collections.Concurrent;

namespace Bramble.Boot.Tests;

public sealed class ContentCacheTests
{
    /// <summary>A file whose octets tell where they are from, and which counts how often it is read.</summary>
    private sealed class Counted(string tag, int length, byte key) : IBootContent
    {
        public ConcurrentBag<long> Reads { get; } = [];

        public bool Fails { get; set; }

        public long Length => length;

        public string Tag => tag;

        public bool MayBeKept => true;

        public static byte At(long offset, byte key) => (byte)(offset * 31 + (offset >> 8) * 7 + key);

        public int Read(long offset, Span<byte> buffer)
        {
            if (Fails) throw new IOException("the medium failed");
            Reads.Add(offset);
            var n = (int)Math.Clamp(length - offset, 0, buffer.Length);
            for (var i = 0; i < n; i++) buffer[i] = At(offset + i, key);
            return n;
        }

        public void Dispose()
        {
            // Nothing is held.
        }
    }

    [Fact]
    public void A_thousand_clients_cost_one_read_of_each_page()
    {
        var cache = new ContentCache();
        var file = new Counted("a", 3 * ContentCache.PageSize + 5, 1);
        var buffer = new byte[1468];
        for (var client = 0; client < 1000; client++)
        {
            var reader = new ContentCache.Reader(file);
            for (long at = client; at < file.Length; at += 15_000)
            {
                var n = reader.Read(cache, at, buffer);
                Assert.Equal(Math.Min(buffer.Length, file.Length - at), n);
                for (var i = 0; i < n; i += 97) Assert.Equal(Counted.At(at + i, 1), buffer[i]);
            }
        }
        Assert.Equal([0, 1L * ContentCache.PageSize, 2L * ContentCache.PageSize, 3L * ContentCache.PageSize],
            file.Reads.Order());
    }

    [Fact]
    public void Clients_of_many_files_on_many_threads_each_get_their_own_octets_though_pages_are_few()
    {
        var cache = new ContentCache(pages: 3);
        var files = Enumerable.Range(0, 8).Select(i => new Counted($"f{i}", 200_000 + i, (byte)i)).ToArray();
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        Parallel.For(0, 16, new ParallelOptions { MaxDegreeOfParallelism = 4 }, worker =>
        {
            var random = new Random(seed + worker);
            var readers = files.Select(f => new ContentCache.Reader(f)).ToArray();
            var buffer = new byte[2000];
            for (var turn = 0; turn < 500; turn++)
            {
                var i = random.Next(files.Length);
                var at = random.Next(0, (int)files[i].Length);
                var wanted = buffer.AsSpan(0, random.Next(1, buffer.Length));
                var n = readers[i].Read(cache, at, wanted);
                Assert.Equal(Math.Min(wanted.Length, files[i].Length - at), n);
                for (var k = 0; k < n; k++) Assert.Equal(Counted.At(at + k, (byte)i), wanted[k]);
            }
        });
    }

    [Fact]
    public void A_read_that_failed_is_tried_again()
    {
        var cache = new ContentCache();
        var file = new Counted("a", 1000, 3) { Fails = true };
        var reader = new ContentCache.Reader(file);
        Assert.Throws<IOException>(() => reader.Read(cache, 0, new byte[10]));
        file.Fails = false;
        Assert.Equal(10, reader.Read(cache, 0, new byte[10]));
    }
}
