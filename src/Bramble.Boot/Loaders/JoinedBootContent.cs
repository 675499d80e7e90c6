using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Bramble.Boot.Loaders;

/// <summary>Several contents one behind the other, read as one; none is copied.</summary>
internal sealed class JoinedBootContent : IBootContent
{
    private readonly (long Start, IBootContent Content)[] _parts;

    public JoinedBootContent(IReadOnlyList<IBootContent> parts)
    {
        _parts = new (long, IBootContent)[parts.Count];
        for (var i = 0; i < parts.Count; i++)
        {
            _parts[i] = (Length, parts[i]);
            Length += parts[i].Length;
        }
        var tags = string.Join('\0', parts.Select(p => p.Tag + p.Length.ToString(CultureInfo.InvariantCulture)));
        Tag = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(tags)))[..32];
    }

    public long Length { get; }

    public string Tag { get; }

    public int Read(long offset, Span<byte> buffer)
    {
        var read = 0;
        foreach (var (start, content) in _parts)
        {
            var at = offset + read - start;
            if (at < 0) break;
            if (at >= content.Length) continue;
            var want = (int)Math.Min(buffer.Length - read, content.Length - at);
            var n = content.Read(at, buffer.Slice(read, want));
            read += n;
            if (n < want || read == buffer.Length) break;
        }
        return read;
    }

    public void Dispose()
    {
        foreach (var (_, content) in _parts) content.Dispose();
    }
}
