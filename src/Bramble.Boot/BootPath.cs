using System.Text;
using Bramble.Wire;

namespace Bramble.Boot;

/// <summary>
/// The one place where a path from the network becomes a path inside a boot tree. Whatever passes is relative, has
/// forward slashes, and cannot climb.
/// </summary>
public static class BootPath
{
    /// <summary>Characters of a raw path; the longest that a TFTP request can hold, too.</summary>
    public const int MaxLength = 512;

    /// <summary>
    /// Drops leading and doubled slashes and <c>./</c>, takes a backslash as a separator (PXE ROMs and DOS-minded
    /// loaders send it), and refuses everything that could mean another file than it seems to.
    /// </summary>
    public static bool TryNormalize(string raw, out string path, out WireError error)
    {
        path = "";
        error = default;
        if (raw.Length > MaxLength)
        {
            error = new WireError($"the path is longer than {MaxLength} characters", MaxLength);
            return false;
        }
        for (var i = 0; i < raw.Length; i++)
        {
            if (!char.IsControl(raw[i])) continue;
            error = new WireError(raw[i] == '\0' ? "the path holds a NUL" : "the path holds a control character", i);
            return false;
        }
        var result = new StringBuilder(raw.Length);
        var start = 0;
        while (start <= raw.Length)
        {
            var length = raw.AsSpan(start).IndexOfAny('/', '\\');
            if (length < 0) length = raw.Length - start;
            var part = raw.AsSpan(start, length);
            if (part is "..")
            {
                error = new WireError("the path climbs out with '..'", start);
                return false;
            }
            if (part.Length > 0 && part is not ".")
            {
                if (result.Length > 0) result.Append('/');
                result.Append(part);
            }
            start += length + 1;
        }
        if (result.Length == 0)
        {
            error = new WireError("the path names no file", 0);
            return false;
        }
        path = result.ToString();
        return true;
    }
}
