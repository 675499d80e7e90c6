using System.Globalization;
using System.Text;

namespace Bramble.Contracts.Installer;

/// <summary>
/// A message of the installer protocol (docs/protocols/installer.md): ordered lines <c>key value</c>, keys may repeat.
/// </summary>
public sealed class InstallerMessage
{
    /// <summary>Octets; a longer body is refused.</summary>
    public const int MaxLength = 64 * 1024;

    private readonly List<KeyValuePair<string, string>> _lines = [];

    public IReadOnlyList<KeyValuePair<string, string>> Lines => _lines;

    /// <summary>The first value of a key; null if the key is absent.</summary>
    public string? this[string key]
    {
        get
        {
            foreach (var (k, v) in _lines)
                if (k == key) return v;
            return null;
        }
    }

    public IEnumerable<string> All(string key) => _lines.Where(line => line.Key == key).Select(line => line.Value);

    /// <summary>A number of octets, seconds or items; null if the key is absent or is no such number.</summary>
    public long? Number(string key) =>
        long.TryParse(this[key], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary>
    /// Adds a line; a line break in the value becomes a space, so that no value can forge another line.
    /// </summary>
    public InstallerMessage Add(string key, string value)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        _lines.Add(new(key, value.ReplaceLineEndings(" ")));
        return this;
    }

    public InstallerMessage Add(string key, long value) => Add(key, value.ToString(CultureInfo.InvariantCulture));

    /// <summary>Reads a body. False only if it is too long, is not UTF-8, or holds a control character.</summary>
    public static bool TryRead(ReadOnlySpan<byte> body, out InstallerMessage message, out string error)
    {
        message = new InstallerMessage();
        error = "";
        if (body.Length > MaxLength)
        {
            error = $"the body has {body.Length} octets; at most {MaxLength} are read";
            return false;
        }
        string text;
        try
        {
            text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(body);
        }
        catch (DecoderFallbackException)
        {
            error = "the body is not UTF-8";
            return false;
        }
        var number = 0;
        foreach (var range in text.AsSpan().Split('\n'))
        {
            number++;
            var line = text.AsSpan()[range].Trim();
            if (line.IsEmpty) continue;
            foreach (var c in line)
            {
                if (!char.IsControl(c) || c == '\t') continue;
                error = $"line {number} holds a control character";
                return false;
            }
            var space = line.IndexOfAny(' ', '\t');
            message._lines.Add(space < 0
                ? new(line.ToString(), "")
                : new(line[..space].ToString(), line[(space + 1)..].Trim().ToString()));
        }
        return true;
    }

    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (var (key, value) in _lines)
            text.Append(key).Append(value.Length == 0 ? "" : " ").Append(value).Append('\n');
        return text.ToString();
    }
}
