using System.Globalization;

namespace Bramble.Cli.Nodes;

/// <summary>Which nodes: selectors as the API takes them, or all of them by an explicit word.</summary>
internal sealed record Selection(IReadOnlyList<string> Select, bool All)
{
    public bool IsEmpty => Select.Count == 0 && !All;

    public IEnumerable<(string Name, string? Value)> Query => Select.Select(s => ("select", (string?)s));
}

/// <summary>Several numbers at once, as people type them: <c>2-9</c>, <c>2,4,7-9</c>. All else is passed on.</summary>
internal static class Selectors
{
    /// <summary>Numbers in one range: more would not fit into a request line, and is surely a slip.</summary>
    public const int MaxRange = 500;

    public static IReadOnlyList<string> Expand(IEnumerable<string> typed)
    {
        var selectors = new List<string>();
        foreach (var text in typed)
        {
            if (string.IsNullOrWhiteSpace(text))
                throw new UsageException("an empty selector selects nothing; leave it out, or say --all");
            if (!IsNumbers(text))
            {
                selectors.Add(text);
                continue;
            }
            foreach (var part in text.Split(',', StringSplitOptions.RemoveEmptyEntries)) AddRange(selectors, part);
        }
        return [.. selectors.Distinct(StringComparer.Ordinal)];
    }

    private static void AddRange(List<string> selectors, string part)
    {
        if (part.Split('-') is not [var first, var last])
        {
            selectors.Add(part);
            return;
        }
        if (!int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var from)
            || !int.TryParse(last, NumberStyles.None, CultureInfo.InvariantCulture, out var to) || to < from)
            throw new UsageException($"'{part}' is no range of numbers; write the lower one first, as in 2-9");
        if (to - from >= MaxRange)
            throw new UsageException($"'{part}' is {to - from + 1} numbers; a range holds at most {MaxRange}");
        for (var number = from; number <= to; number++) selectors.Add(number.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>Digits, with single dashes and commas between them.</summary>
    private static bool IsNumbers(string text) =>
        char.IsAsciiDigit(text[0]) && char.IsAsciiDigit(text[^1])
        && text.All(c => char.IsAsciiDigit(c) || c is '-' or ',')
        && text.Split(',').All(part => part.Count(c => c == '-') <= 1);
}
