using Bramble.Boot.Images;

namespace Bramble.Boot.Initramfs;

/// <summary>Which modules were chosen, in an order in which they load.</summary>
/// <param name="Paths">Relative to the modules directory, as modules.dep names them.</param>
/// <param name="Missing">Wanted, and neither a module of this kernel nor built into it.</param>
internal sealed record ModuleChoice(IReadOnlyList<string> Paths, IReadOnlyList<string> Missing);

/// <summary>
/// Resolves wanted modules with all that they depend on, from the text files that depmod writes (modules.dep(5),
/// modules.builtin and modules.softdep). Dashes and underscores are the same, as to modprobe.
/// </summary>
internal sealed class ModuleResolver
{
    private readonly Dictionary<string, (string Path, string[] Needs)> _modules = [];
    private readonly Dictionary<string, List<string>> _before = [];
    private readonly HashSet<string> _builtIn;

    public ModuleResolver(string dep, string builtIn = "", string softDep = "")
    {
        foreach (var line in Lines(dep))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            // A path that could not be used in a command is not one that depmod wrote.
            if (colon < 1 || !RootFiles.IsSafePath(line[..colon])) continue;
            var needs = line[(colon + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            _modules.TryAdd(NameOf(line[..colon]), (line[..colon], [.. needs.Select(NameOf)]));
        }
        _builtIn = [.. Lines(builtIn).Select(NameOf)];
        foreach (var line in Lines(softDep))
        {
            // softdep NAME pre: a b post: c
            var words = line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
            if (words.Length < 3 || words[0] != "softdep") continue;
            var before = false;
            foreach (var word in words.Skip(2))
            {
                if (word is "pre:" or "post:") before = word == "pre:";
                else if (before) Before(Canonical(words[1])).Add(Canonical(word));
            }
        }
    }

    /// <summary>The name by which modprobe knows a file: no directory, no suffix, underscores.</summary>
    public static string NameOf(string path)
    {
        var name = path[(path.LastIndexOf('/') + 1)..];
        var suffix = name.IndexOf(".ko", StringComparison.Ordinal);
        return Canonical(suffix < 0 ? name : name[..suffix]);
    }

    /// <summary>Chooses modules: what each needs comes before it. What is built in counts as there.</summary>
    public ModuleChoice Choose(IEnumerable<string> wanted)
    {
        var chosen = new List<string>();
        var seen = new HashSet<string>();
        var missing = new List<string>();
        foreach (var want in wanted)
        {
            var name = Canonical(want);
            if (_modules.ContainsKey(name)) Add(name, seen, chosen);
            else if (!_builtIn.Contains(name)) missing.Add(want);
        }
        return new ModuleChoice(chosen, missing);
    }

    /// <summary>The line of modules.dep for a chosen module, with plain .ko names throughout.</summary>
    public string DependencyLine(string path) =>
        $"{Plain(path)}: {string.Join(' ', Closure(NameOf(path)).Select(n => Plain(_modules[n].Path)))}".TrimEnd();

    /// <summary>The path without a compression suffix.</summary>
    public static string Plain(string path) => path[..(path.LastIndexOf(".ko", StringComparison.Ordinal) + 3)];

    /// <summary>Everything that a module needs, nearest first, as depmod lists it.</summary>
    private List<string> Closure(string name)
    {
        var ordered = new List<string>();
        var seen = new HashSet<string> { name };
        var paths = new List<string>();
        Add(name, [], paths);
        foreach (var path in Enumerable.Reverse(paths))
            if (seen.Add(NameOf(path))) ordered.Add(NameOf(path));
        // Soft dependencies are modprobe's business by modules.softdep, not part of modules.dep.
        var hard = Hard(name, []);
        return [.. ordered.Where(hard.Contains)];
    }

    private HashSet<string> Hard(string name, HashSet<string> found)
    {
        foreach (var need in _modules[name].Needs)
            if (_modules.ContainsKey(need) && found.Add(need)) Hard(need, found);
        return found;
    }

    private void Add(string name, HashSet<string> seen, List<string> chosen)
    {
        if (!seen.Add(name) || !_modules.TryGetValue(name, out var module)) return;
        foreach (var soft in _before.GetValueOrDefault(name, [])) Add(soft, seen, chosen);
        // depmod lists the nearest first, so the last is the one to load first.
        foreach (var need in module.Needs.Reverse()) Add(need, seen, chosen);
        chosen.Add(module.Path);
    }

    private List<string> Before(string name)
    {
        if (!_before.TryGetValue(name, out var list)) _before[name] = list = [];
        return list;
    }

    private static string Canonical(string name) => name.Replace('-', '_');

    private static IEnumerable<string> Lines(string text) =>
        text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Where(l => !l.StartsWith('#'));
}
