namespace Bramble.System.Tests.House;

/// <summary>The source tree that the tests were built from.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    /// <summary>C# files below a folder, generated ones left out.</summary>
    public static IEnumerable<string> Sources(string folder) =>
        Directory.EnumerateFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal));

    /// <summary>Shell scripts, known by their first line; what is sourced into one, by its name.</summary>
    public static IEnumerable<string> Scripts() =>
        ((string[])[".ci", "bench", "packaging", "scripts", "src", "tests"])
            .SelectMany(folder => Directory.EnumerateFiles(
                Path.Combine(Root, folder), "*", SearchOption.AllDirectories))
            .Concat(Directory.EnumerateFiles(Root))
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && IsScript(file));

    private static bool IsScript(string file)
    {
        if (Path.GetExtension(file) == ".sh") return true;
        if (Path.HasExtension(file)) return false;
        using var reader = new StreamReader(file);
        return reader.ReadLine()?.StartsWith("#!", StringComparison.Ordinal) ?? false;
    }

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Bramble.slnx"))) return folder.FullName;
        throw new DirectoryNotFoundException("Bramble.slnx is in no folder above the tests");
    }
}
