using System.Xml.Linq;

namespace Bramble.System.Tests.House;

/// <summary>
/// Holds the project references against the table of ARCHITECTURE.md: who may know whom, and why not.
/// </summary>
public sealed class AssemblyTableTests
{
    /// <summary>What each project may reference, and why it may not reference more.</summary>
    private static readonly Dictionary<string, (string[] May, string Reason)> s_table = new()
    {
        ["Bramble.Wire"] = ([], "codecs are pure: bytes and values, nothing else"),
        ["Bramble.Contracts"] = (["Bramble.Wire"], "what crosses the API must not drag a server along"),
        ["Bramble.Boot"] = (["Bramble.Wire"], "boot servers ask the manager through IBootDirectory, never the reverse"),
        ["Bramble.Cli"] = (["Bramble.Contracts"], "the command line knows the manager by its API only"),
        ["Bramble.Lab"] = (["Bramble.Wire", "Bramble.Contracts"], "a virtual board shares no code with what it tests"),
        ["Bramble.Manager"] = (["Bramble.Boot", "Bramble.Contracts", "Bramble.Wire"],
            "the manager must not depend on its clients nor on the lab"),
    };

    public static TheoryData<string> Projects() =>
        [.. Directory.GetDirectories(Path.Combine(Repository.Root, "src")).Select(d => Path.GetFileName(d)!)
            .Where(name => name.StartsWith("Bramble.", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_references_only_what_the_table_allows(string project)
    {
        Assert.True(s_table.ContainsKey(project), $"{project} is not in the table: add it here and in ARCHITECTURE.md");
        var (may, reason) = s_table[project];
        var file = XDocument.Load(Path.Combine(Repository.Root, "src", project, $"{project}.csproj"));
        var references = file.Descendants("ProjectReference")
            .Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value.Replace('\\', '/')));
        foreach (var reference in references)
            Assert.True(may.Contains(reference), $"{project} must not reference {reference}: {reason}");
    }

    [Fact]
    public void Wire_opens_no_socket_file_or_clock()
    {
        string[] banned = ["System.Net.Sockets", "System.IO.File", "TimeProvider", "ILogger", "async ", "Task<"];
        foreach (var file in Repository.Sources("src/Bramble.Wire"))
        {
            var text = File.ReadAllText(file);
            foreach (var word in banned)
                Assert.False(text.Contains(word, StringComparison.Ordinal), $"{file} uses {word}: Wire is pure");
        }
    }

    [Fact]
    public void The_architecture_document_names_every_project()
    {
        var text = File.ReadAllText(Path.Combine(Repository.Root, "ARCHITECTURE.md"));
        foreach (var project in s_table.Keys)
            Assert.Contains(project["Bramble.".Length..], text, StringComparison.Ordinal);
    }
}
