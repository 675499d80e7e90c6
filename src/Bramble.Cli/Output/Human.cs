using System.Globalization;
using System.Text;

namespace Bramble.Cli.Output;

/// <summary>Values as people read them.</summary>
internal static class Human
{
    /// <summary>
    /// A text from outside, safe to print: a board's DHCP host name could otherwise carry escape sequences to the
    /// operator's terminal, or marks that turn the direction of writing.
    /// </summary>
    public static string Clean(string? text)
    {
        if (text is null || !text.AsSpan().ContainsAnyExceptInRange(' ', '~')) return text ?? "";
        var clean = new StringBuilder(text.Length);
        foreach (var c in text.ReplaceLineEndings(" ")) clean.Append(char.IsControl(c) || IsHidden(c) ? '\ufffd' : c);
        return clean.ToString();
    }

    /// <summary>Marks that turn the direction of writing, and the byte order mark: not to be seen.</summary>
    public static bool IsHidden(char c) =>
        c is (>= '\u202a' and <= '\u202e') or (>= '\u2066' and <= '\u2069') or '\ufeff';

    /// <summary>How long ago, in the one unit that matters: <c>12s</c>, <c>3m</c>, <c>5h</c>, <c>9d</c>.</summary>
    public static string Age(DateTimeOffset at, DateTimeOffset now) => at == default ? "" : Span(now - at);

    public static string Span(TimeSpan span) => span switch
    {
        // Two clocks differ a little; nothing that we show lies in the future.
        { Ticks: < 0 } => "0s",
        { TotalMinutes: < 2 } => $"{(int)span.TotalSeconds}s",
        { TotalHours: < 2 } => $"{(int)span.TotalMinutes}m",
        { TotalDays: < 2 } => $"{(int)span.TotalHours}h",
        _ => $"{(int)span.TotalDays}d",
    };

    /// <summary>Octets in units of 1024.</summary>
    public static string Size(long bytes)
    {
        if (bytes < 1024) return $"{bytes} B";
        var value = (double)bytes;
        string[] units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
        var unit = -1;
        while (value >= 1023.95)
        {
            value /= 1024;
            unit++;
        }
        return string.Create(CultureInfo.InvariantCulture, $"{value:0.#} {units[unit]}");
    }

    /// <summary>The memory of a board as it is sold: 8 GB is 8 GiB.</summary>
    public static string Memory(long bytes) => bytes switch
    {
        <= 0 => "",
        < 1L << 30 => $"{bytes >> 20} MB",
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):0.#} GB"),
    };

    /// <summary>To the second, in UTC: a rack has one clock, its operators may have several.</summary>
    public static string Time(DateTimeOffset? at) => at is { } time && time != default
        ? time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture)
        : "";

    /// <summary>Share done, in whole per cent; 100 only when all is done, empty if the whole is unknown.</summary>
    public static string Percent(long done, long total) =>
        total <= 0 ? "" : $"{(int)Math.Clamp(Math.Floor(done * 100.0 / total), 0, 100)}%";

    public static string Plural(int count, string noun) => count == 1 ? $"1 {noun}" : $"{count} {noun}s";
}
