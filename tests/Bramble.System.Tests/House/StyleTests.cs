using System.Globalization;

namespace Bramble.System.Tests.House;

/// <summary>House rules that no analyzer holds.</summary>
public sealed class StyleTests
{
    private const int LinesBound = 400;
    private const int ColumnsBound = 120;

    private static readonly string[] s_kindFolders =
        ["Services", "Models", "Interfaces", "Utils", "Helpers", "Common", "Managers"];

    private static IEnumerable<string> All() => Repository.Sources("src").Concat(Repository.Sources("tests"));

    [Fact]
    public void No_file_has_more_than_400_lines() => Assert.DoesNotContain(
        All().Select(file => (file, Lines: File.ReadLines(file).Count())), f => f.Lines > LinesBound);

    [Fact]
    public void No_line_has_more_than_120_columns_or_a_tab() => Assert.Empty(
        All().Concat(Repository.Scripts()).SelectMany(file => File.ReadLines(file)
            .Select((line, at) => (Where: $"{Path.GetRelativePath(Repository.Root, file)}:{at + 1}", Line: line))
            .Where(l => new StringInfo(l.Line).LengthInTextElements > ColumnsBound || l.Line.Contains('\t'))
            .Select(l => l.Where)));

    [Fact]
    public void No_folder_is_named_for_a_kind() => Assert.DoesNotContain(
        Directory.EnumerateDirectories(Path.Combine(Repository.Root, "src"), "*", SearchOption.AllDirectories),
        folder => s_kindFolders.Contains(Path.GetFileName(folder)));
}
