using System.Globalization;
using Bramble.Wire;

namespace Bramble.Manager.Nodes;

/// <summary>A word that selects nothing.</summary>
public sealed class SelectionException(string message) : Exception(message);

/// <summary>
/// Picks nodes by what people type: a name, a number, a range of numbers (<c>2-9</c>), a MAC address, a serial,
/// <c>phase=lost</c>, <c>network=rack</c>, <c>image=debian</c>, or a label <c>key=value</c>.
/// </summary>
public static class NodeSelector
{
    /// <exception cref="SelectionException">
    /// A word names no node; nothing is done for the others either. A filter (<c>phase=lost</c>) that matches none at
    /// the moment is no error.
    /// </exception>
    public static IReadOnlyList<NodeSnapshot> Select(
        IEnumerable<NodeSnapshot> nodes, IReadOnlyList<string> words, bool all)
    {
        var everything = nodes.OrderBy(node => node.Number).ToList();
        if (all) return everything;
        if (words.Count == 0) throw new SelectionException("no node is selected: name some, or say --all");
        var chosen = new HashSet<long>();
        // From JSON a word may come as null.
        foreach (var word in words.Select(w => w ?? ""))
        {
            var matching = everything.Where(Matcher(word)).ToList();
            if (matching.Count == 0 && !word.Contains('=', StringComparison.Ordinal))
                throw new SelectionException($"'{word}' is no node: not a name, number, MAC address, serial or label");
            chosen.UnionWith(matching.Select(node => node.Id));
        }
        return [.. everything.Where(node => chosen.Contains(node.Id))];
    }

    private static Func<NodeSnapshot, bool> Matcher(string word)
    {
        if (MacAddress.TryParse(word, out var mac)) return node => node.Mac == mac;
        var equals = word.IndexOf('=', StringComparison.Ordinal);
        if (equals > 0)
        {
            var (key, value) = (word[..equals], word[(equals + 1)..]);
            return key switch
            {
                "phase" => node => NodeRegistry.Word(node.Status.Phase) == value,
                "network" => node => node.Status.Network == value,
                "image" => node => node.Spec.Image == value || node.Status.Installed?.Image == value,
                _ => node => node.Spec.Labels.TryGetValue(key, out var label) && label == value,
            };
        }
        if (TryRange(word, out var first, out var last)) return node => node.Number >= first && node.Number <= last;
        return node => node.Name == word
            || (word.Length >= 8 && node.Status.Serial.Equals(word, StringComparison.OrdinalIgnoreCase));
    }

    private static bool TryRange(string word, out int first, out int last)
    {
        var dash = word.IndexOf('-', StringComparison.Ordinal);
        var head = dash < 0 ? word : word[..dash];
        last = 0;
        if (!int.TryParse(head, NumberStyles.None, CultureInfo.InvariantCulture, out first)) return false;
        if (dash >= 0)
            return int.TryParse(word.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out last);
        last = first;
        return true;
    }
}
