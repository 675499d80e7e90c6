using System.Globalization;

namespace Bramble.Cli;

/// <summary>A span of time as people type it: <c>90</c>, <c>90s</c>, <c>10m</c>, <c>1h</c>, <c>2d</c>.</summary>
internal static class Duration
{
    /// <summary>Longer than this is surely a slip of the keyboard, and near what timers can hold.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromDays(24);

    public static bool TryParse(string text, out TimeSpan time)
    {
        time = default;
        var (digits, unit) = text switch
        {
            [.. var head, 's'] => (head, 1.0),
            [.. var head, 'm'] => (head, 60.0),
            [.. var head, 'h'] => (head, 3600.0),
            [.. var head, 'd'] => (head, 86400.0),
            _ => (text, 1.0),
        };
        if (!double.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
            return false;
        if (number <= 0 || number * unit > Longest.TotalSeconds) return false;
        time = TimeSpan.FromSeconds(number * unit);
        return true;
    }
}
