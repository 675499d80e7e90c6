using System.Text;
using Bramble.Boot.Images;

namespace Bramble.Boot.Initramfs;

/// <summary>One line of APT's sources.</summary>
/// <param name="SignedBy">The keyring's path; null for APT's trusted ones.</param>
internal sealed record AptSource(string Uri, string Suite, IReadOnlyList<string> Components, string? SignedBy);

/// <summary>
/// Where this host gets its Debian packages, so that other architectures come from the same mirror. Both formats of
/// sources.list(5) are read.
/// </summary>
internal static class AptSources
{
    public const string DefaultKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
    private const string FallbackCodename = "bookworm";

    /// <summary>VERSION_CODENAME of a Debian host; of others, a release that is known to work.</summary>
    public static string HostCodename(string osRelease = "/etc/os-release")
    {
        if (!File.Exists(osRelease)) return FallbackCodename;
        var fields = File.ReadLines(osRelease).Select(l => l.Split('=', 2)).Where(p => p.Length == 2)
            .GroupBy(p => p[0]).ToDictionary(g => g.Key, g => g.First()[1].Trim('"'));
        return fields.GetValueOrDefault("ID") == "debian"
            && fields.GetValueOrDefault("VERSION_CODENAME") is { Length: > 0 } name
            ? name : FallbackCodename;
    }

    /// <summary>The sources for a release: the host's own mirrors with that release's name in place of the
    /// host's.</summary>
    /// <exception cref="ImageException">The host's sources name no mirror of Debian.</exception>
    public static IReadOnlyList<AptSource> For(
        string suite, IReadOnlyList<string> components, string directory = "/etc/apt", string? hostCodename = null)
    {
        var host = hostCodename ?? HostCodename();
        var found = new List<AptSource>();
        foreach (var source in Read(directory))
        {
            var rest = source.Suite.StartsWith(host, StringComparison.Ordinal) ? source.Suite[host.Length..] : null;
            // Third parties' repositories often carry the release's name too; Debian's have "main".
            if (rest is not ("" or "-updates" or "-security" or "/updates")
                || !source.Components.Contains("main")) continue;
            if (found.Any(f => f.Suite == suite + rest)) continue;
            found.Add(source with { Suite = suite + rest, Components = components });
        }
        if (found.All(f => f.Suite != suite))
        {
            throw new ImageException(
                $"This machine's package sources name no Debian mirror, from which packages of {suite} could be had. " +
                $"Put one into a file below {directory}/sources.list.d (sources.list(5)) that names the suite {host}.");
        }
        return found;
    }

    /// <summary>The one-line format, understood by every APT.</summary>
    public static string Render(IEnumerable<AptSource> sources)
    {
        var text = new StringBuilder();
        foreach (var s in sources)
        {
            text.Append("deb ").Append(s.SignedBy is null ? "" : $"[signed-by={s.SignedBy}] ")
                .Append(s.Uri).Append(' ').Append(s.Suite).Append(' ').AppendJoin(' ', s.Components).Append('\n');
        }
        return text.ToString();
    }

    internal static IEnumerable<AptSource> Read(string directory)
    {
        var main = Path.Combine(directory, "sources.list");
        var parts = Path.Combine(directory, "sources.list.d");
        var files = new List<string>();
        if (File.Exists(main)) files.Add(main);
        if (Directory.Exists(parts)) files.AddRange(Directory.EnumerateFiles(parts).Order(StringComparer.Ordinal));
        foreach (var file in files)
        {
            var lines = File.ReadAllLines(file);
            var sources = Path.GetExtension(file) switch
            {
                ".list" => lines.SelectMany(OneLine),
                ".sources" => Deb822(lines),
                _ => [],
            };
            foreach (var source in sources) yield return source;
        }
    }

    /// <summary><c>deb [option=value …] uri suite component…</c></summary>
    private static IEnumerable<AptSource> OneLine(string line)
    {
        var words = line.Split('#')[0].Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries).ToList();
        if (words.Count < 4 || words[0] != "deb") yield break;
        string? signedBy = null;
        if (words[1].StartsWith('['))
        {
            var end = words.FindIndex(1, w => w.EndsWith(']'));
            if (end < 0) yield break;
            foreach (var option in words.Skip(1).Take(end).Select(w => w.Trim('[', ']')))
                if (option.StartsWith("signed-by=", StringComparison.Ordinal)) signedBy = option["signed-by=".Length..];
            words.RemoveRange(1, end);
        }
        if (words.Count >= 4) yield return new AptSource(words[1], words[2], words[3..], signedBy);
    }

    private static IEnumerable<AptSource> Deb822(string[] lines)
    {
        var fields = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        var last = "";
        foreach (var line in lines.Append(""))
        {
            if (line.StartsWith('#')) continue;
            if (line.Trim().Length == 0)
            {
                foreach (var source in Stanza(fields)) yield return source;
                fields.Clear();
            }
            else if (char.IsWhiteSpace(line[0]))
            {
                fields[last] = fields.GetValueOrDefault(last) + "\n" + line.Trim();
            }
            else if (line.IndexOf(':', StringComparison.Ordinal) is > 0 and var colon)
            {
                last = line[..colon];
                fields[last] = line[(colon + 1)..].Trim();
            }
        }
    }

    private static IEnumerable<AptSource> Stanza(Dictionary<string, string> fields)
    {
        string[] Words(string name) => fields.GetValueOrDefault(name, "")
            .Split([' ', '\t', '\n'], StringSplitOptions.RemoveEmptyEntries);
        if (!Words("Types").Contains("deb") || fields.GetValueOrDefault("Enabled") == "no") yield break;
        // A key may stand inline; then the archive's keyring does.
        var signedBy = Words("Signed-By") is [var only] && only.StartsWith('/') ? only : null;
        foreach (var uri in Words("URIs"))
            foreach (var suite in Words("Suites"))
                yield return new AptSource(uri, suite, Words("Components"), signedBy);
    }
}
