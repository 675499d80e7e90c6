using System.Security.Cryptography;

namespace Bramble.Boot;

/// <summary>A file that exists in memory only: one generated for a node.</summary>
public sealed class BytesBootContent(ReadOnlyMemory<byte> bytes) : IBootContent
{
    private string? _tag;

    public long Length => bytes.Length;

    // Not hashed until someone asks: TFTP never does.
    public string Tag => _tag ??= Convert.ToHexStringLower(SHA256.HashData(bytes.Span).AsSpan(0, 16));

    public int Read(long offset, Span<byte> buffer)
    {
        if (offset < 0 || offset >= bytes.Length) return 0;
        var part = bytes.Span[(int)offset..];
        if (part.Length > buffer.Length) part = part[..buffer.Length];
        part.CopyTo(buffer);
        return part.Length;
    }

    public void Dispose()
    {
    }
}
