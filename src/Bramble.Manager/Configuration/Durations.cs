using System.Globalization;

namespace Bramble.Manager.Configuration;

/// <summary>Durations as people write them: a number and one of <c>ms s m h d</c>.</summary>
public static class Durations
{
    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = default;
        var unit = text.AsSpan().TrimStart("0123456789.");
        var number = text.AsSpan(0, text.Length - unit.Length);
        var seconds = unit switch { "ms" => 0.001, "s" => 1, "m" => 60, "h" => 3600, "d" => 86400.0, _ => -1 };
        if (seconds < 0
            || !double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var count)
            || count * seconds > TimeSpan.MaxValue.TotalSeconds / 2)
            return false;
        duration = TimeSpan.FromSeconds(count * seconds);
        return true;
    }

    public static string Show(TimeSpan duration) =>
        duration.TotalSeconds < 1 ? $"{duration.TotalMilliseconds:0}ms"
        : duration.TotalMinutes < 1 ? $"{duration.TotalSeconds:0.#}s"
        : duration.TotalHours < 1 ? $"{duration.TotalMinutes:0.#}m"
        : duration.TotalDays < 1 ? $"{duration.TotalHours:0.#}h" : $"{duration.TotalDays:0.#}d";
}
