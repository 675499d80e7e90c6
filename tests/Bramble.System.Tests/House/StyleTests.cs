namespace Bramble.System.Tests.House;

/// <summary>House rules that no analyzer holds.</summary>
public sealed class StyleTests
{
    private const int LinesBound = 400;

    private static readonly string[] s_kindFolders =
        ["Services", "Models", "Interfaces", "Utils", "Helpers", "Common", "Managers"];

    private static IEnumerable<string> All() => Repository.Sources("src").Concat(Repository.Sources("tests"));

    [Fact]
    public void No_file_has_more_than_400_lines() => Assert.DoesNotContain(
        All().Select(file => (file, Lines: File.ReadLines(file).Count())), f => f.Lines > LinesBound);

    [Fact]
    public void No_folder_is_named_for_a_kind() => Assert.DoesNotContain(
        Directory.EnumerateDirectories(Path.Combine(Repository.Root, "src"), "*", SearchOption.AllDirectories),
        folder => s_kindFolders.Contains(Path.GetFileName(folder)));
}
