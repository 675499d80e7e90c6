using System.Buffers;
using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace Bramble.Lab.Disks;

/// <summary>
/// A SHA-256, one object for all boards that hold the same chunk: a thousand disks with the same image cost a
/// reference a chunk.
/// </summary>
internal sealed class ChunkDigest : IEquatable<ChunkDigest>
{
    /// <summary>Distinct digests that are shared; more are kept apart, which costs memory and nothing else.</summary>
    private const int Limit = 1 << 18;

    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    private static readonly ConcurrentDictionary<string, ChunkDigest> Known = new(StringComparer.Ordinal);

    private ChunkDigest(string hex) => Hex = hex;

    /// <summary>64 hexadecimal digits in lower case.</summary>
    public string Hex { get; }

    public static bool TryParse(string hex, out ChunkDigest digest)
    {
        digest = null!;
        if (hex.Length != 2 * SHA256.HashSizeInBytes || hex.AsSpan().ContainsAnyExcept(HexDigits)) return false;
        digest = Of(hex);
        return true;
    }

    public static ChunkDigest Of(ReadOnlySpan<byte> hash) => Of(Convert.ToHexStringLower(hash));

    public bool Equals(ChunkDigest? other) => other is not null && (ReferenceEquals(this, other) || Hex == other.Hex);

    public override bool Equals(object? obj) => Equals(obj as ChunkDigest);

    public override int GetHashCode() => Hex.GetHashCode(StringComparison.Ordinal);

    public override string ToString() => Hex;

    private static ChunkDigest Of(string hex) =>
        Known.TryGetValue(hex, out var known) ? known
        : Known.Count >= Limit ? new ChunkDigest(hex)
        : Known.GetOrAdd(hex, h => new ChunkDigest(h));
}
