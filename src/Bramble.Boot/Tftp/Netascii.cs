namespace Bramble.Boot.Tftp;

/// <summary>
/// The text mode of RFC 1350: a line ends with CR LF and a lone CR is CR NUL (RFC 764). No board asks for it, but it
/// is what tftp-hpa's client sends when a person forgets <c>mode binary</c>. The converted file is held in memory, so
/// only small ones are served.
/// </summary>
internal static class Netascii
{
    /// <summary>Octets of the largest file converted.</summary>
    public const int Limit = 1 << 20;

    /// <exception cref="IOException">The content cannot be read.</exception>
    public static BytesBootContent Convert(IBootContent content)
    {
        var source = new byte[content.Length];
        var length = content.Read(0, source);
        var target = new byte[length * 2];
        var written = 0;
        foreach (var octet in source.AsSpan(0, length))
        {
            if (octet == '\n') target[written++] = (byte)'\r';
            target[written++] = octet;
            if (octet == '\r') target[written++] = 0;
        }
        return new BytesBootContent(target.AsMemory(0, written));
    }
}
