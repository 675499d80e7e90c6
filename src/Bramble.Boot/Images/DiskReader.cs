using Microsoft.Win32.SafeHandles;

namespace Bramble.Boot.Images;

/// <summary>Reads fixed pieces of a raw disk image; a piece beyond its end is an error that says so.</summary>
internal readonly struct DiskReader(SafeFileHandle handle, long length)
{
    public long Length { get; } = length;

    /// <exception cref="ImageException">The piece lies outside the image, or the medium failed.</exception>
    public byte[] Read(long offset, int count, string what)
    {
        if (offset < 0 || count < 0 || offset > Length - count)
        {
            throw new ImageException(
                $"{what} should be at byte {offset}, but the image ends at byte {Length}: it is truncated " +
                "or corrupt. " +
                "Download it again and check its checksum.");
        }
        var buffer = new byte[count];
        try
        {
            for (var done = 0; done < count;)
            {
                var n = RandomAccess.Read(handle, buffer.AsSpan(done), offset + done);
                if (n == 0) throw new EndOfStreamException($"the file ends at byte {offset + done}");
                done += n;
            }
        }
        catch (IOException e)
        {
            throw new ImageException($"{what} at byte {offset} could not be read: {e.Message}", e);
        }
        return buffer;
    }
}
