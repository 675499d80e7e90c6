using System.Buffers;
using System.Text;

namespace Bramble.Manager.Provisioning;

internal enum PlainVerdict
{
    /// <summary>More must come before it can be told.</summary>
    Incomplete,

    /// <summary>One that is left to the web server.</summary>
    Other,

    Plain,
}

/// <summary>
/// An HTTP request for a whole file that has nothing in it which asks for judgement (RFC 9112 §3). It is read narrowly:
/// what is not known to be harmless makes it another's.
/// </summary>
/// <param name="Path">Without escapes, query or fragment.</param>
/// <param name="Authorization">The header, if there is one.</param>
/// <param name="Length">Octets of the head.</param>
internal sealed record PlainRequest(string Path, string? Authorization, int Length)
{
    /// <summary>Octets of the longest head that is looked at.</summary>
    public const int MaxLength = 4096;

    public const string BootPath = "/boot/";
    public const string ChunksPath = "/installer/v1/chunks/";

    /// <summary>They change nothing in the answer that we give.</summary>
    private static readonly HashSet<string> s_harmless = new(StringComparer.OrdinalIgnoreCase)
    {
        "Host", "User-Agent", "Accept", "Accept-Encoding", "Accept-Language", "Cache-Control", "Pragma",
        "Authorization",
    };

    private static readonly SearchValues<char> s_pathCharacters = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/");

    public static PlainVerdict TryRead(ReadOnlySequence<byte> octets, out PlainRequest? request)
    {
        request = null;
        var text = Encoding.Latin1.GetString(octets.Slice(0, Math.Min(octets.Length, MaxLength)));
        if (!MayBegin(text)) return PlainVerdict.Other;
        var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (end < 0) return text.Length < MaxLength ? PlainVerdict.Incomplete : PlainVerdict.Other;
        var lines = text[..end].Split("\r\n");
        if (lines[0].Split(' ') is not ["GET", var path, "HTTP/1.1"]
            || path.AsSpan().ContainsAnyExcept(s_pathCharacters))
            return PlainVerdict.Other;
        string? authorization = null;
        var hosts = 0;
        foreach (var line in lines.AsSpan(1))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            var name = colon < 0 ? "" : line[..colon];
            var value = line[(colon + 1)..];
            if (!s_harmless.Contains(name) || value.AsSpan().ContainsAnyInRange('\0', '\u0008')
                || value.AsSpan().ContainsAnyInRange('\n', '\u001f'))
                return PlainVerdict.Other;
            if (name.Equals("Host", StringComparison.OrdinalIgnoreCase)) hosts++;
            if (!name.Equals("Authorization", StringComparison.OrdinalIgnoreCase)) continue;
            if (authorization is not null) return PlainVerdict.Other;
            authorization = value.Trim(' ', '\t');
        }
        // RFC 9112 §3.2: none or two are refused, in the web server's words.
        if (hosts != 1) return PlainVerdict.Other;
        request = new PlainRequest(path, authorization, end + 4);
        return PlainVerdict.Plain;
    }

    private static bool MayBegin(string text) => Agree(text, "GET " + BootPath) || Agree(text, "GET " + ChunksPath);

    /// <summary>Whether one begins with the other, whichever is the longer.</summary>
    private static bool Agree(string a, string b)
    {
        var both = Math.Min(a.Length, b.Length);
        return a.AsSpan(0, both).SequenceEqual(b.AsSpan(0, both));
    }
}
