using System.Collections.Concurrent;
using System.IO.Compression;
using Bramble.Boot.Images;

namespace Bramble.Manager.Images;

/// <summary>
/// Chunks gzipped, for boards whose network is slower than their gunzip. Each is compressed once, on first demand, and
/// kept beside its image; it goes when the image goes.
/// </summary>
public sealed class GzippedChunks(ImageStore images)
{
    private readonly ConcurrentDictionary<(string Digest, int Index), Lazy<Task<string>>> _making = new();

    /// <summary>The file that holds a chunk gzipped.</summary>
    public async Task<string> GetAsync(BootImage image, ChunkIndex chunks, int index)
    {
        var file = Path.Combine(Path.GetDirectoryName(images.RawPath(image))!, "gzip", $"{index}.gz");
        if (File.Exists(file)) return file;
        var making = _making.GetOrAdd((image.Digest, index), _ => new Lazy<Task<string>>(
            () => Task.Run(() => Make(image, chunks, index, file))));
        try
        {
            return await making.Value.ConfigureAwait(false);
        }
        finally
        {
            _making.TryRemove((image.Digest, index), out _);
        }
    }

    private string Make(BootImage image, ChunkIndex chunks, int index, string file)
    {
        var octets = new byte[chunks.Length(index)];
        using (var raw = images.OpenRaw(image))
        {
            for (var done = 0; done < octets.Length;)
            {
                var n = RandomAccess.Read(raw, octets.AsSpan(done), (long)index * chunks.ChunkBytes + done);
                if (n == 0) throw new IOException($"the image {image.Name} is shorter than its index says");
                done += n;
            }
        }
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        var temporary = file + ".new";
        using (var stream = new FileStream(temporary, FileMode.Create))
        {
            using (var gzip = new GZipStream(stream, CompressionLevel.Optimal, leaveOpen: true)) gzip.Write(octets);
            stream.Flush(flushToDisk: true);
        }
        File.Move(temporary, file, overwrite: true);
        return file;
    }
}
