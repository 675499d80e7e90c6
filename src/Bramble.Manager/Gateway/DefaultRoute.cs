using System.Globalization;

namespace Bramble.Manager.Gateway;

/// <summary>Finds the interface of the default route in /proc/net/route.</summary>
internal static class DefaultRoute
{
    private const int Up = 1; // RTF_UP

    /// <summary>
    /// The one with the lowest metric, of those that lead out over none of the given interfaces; null if none does.
    /// </summary>
    public static string? Interface(IEnumerable<string> table, IReadOnlyCollection<string> except)
    {
        var (best, lowest) = ((string?)null, long.MaxValue);
        foreach (var line in table.Skip(1))
        {
            // Iface Destination Gateway Flags RefCnt Use Metric Mask ...
            var words = line.Split((char[])['\t', ' '], StringSplitOptions.RemoveEmptyEntries);
            if (words.Length < 8 || words[1] != "00000000" || words[7] != "00000000" || except.Contains(words[0])
                || !int.TryParse(words[3], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var flags)
                || (flags & Up) == 0
                || !long.TryParse(words[6], NumberStyles.None, CultureInfo.InvariantCulture, out var metric)
                || metric >= lowest)
                continue;
            (best, lowest) = (words[0], metric);
        }
        return best;
    }
}
