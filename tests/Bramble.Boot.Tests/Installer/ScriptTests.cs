using Bramble.Boot.Initramfs;
using Bramble.Processes;
using Bramble.Testing;

namespace Bramble.Boot.Tests.Installer;

/// <summary>The scripts as text: readable by the shell that runs them, and free of what shellcheck finds.</summary>
public sealed class ScriptTests
{
    public static TheoryData<string> Scripts { get; } =
        [.. InstallerScripts.All.Concat(OverlayFiles.All).Where(IsScript).Select(file => file.Path)];

    [Theory]
    [MemberData(nameof(Scripts))]
    public async Task Each_script_is_read_by_busybox_without_complaint(string path)
    {
        if (!File.Exists("/bin/busybox")) Assert.Skip("needs /bin/busybox (package busybox-static)");
        var result = await ChildProcess.RunAsync("/bin/busybox", ["sh", "-n", "/dev/stdin"], Text(path),
            timeout: Patience.Limit, cancellation: TestContext.Current.CancellationToken);

        Assert.True(result.Succeeded, result.Complaint);
    }

    [Fact]
    public async Task Shellcheck_finds_nothing()
    {
        if (!File.Exists("/usr/bin/shellcheck")) Assert.Skip("needs shellcheck (package shellcheck)");
        var work = Directory.CreateTempSubdirectory("bramble-shellcheck-");
        try
        {
            foreach (var path in Scripts)
                await File.WriteAllTextAsync(Path.Combine(work.FullName, Path.GetFileName((string)path)), Text(path),
                    TestContext.Current.CancellationToken);
            // The library is one program: main.sh with all that it sources, checked together.
            var result = await ChildProcess.RunAsync("/usr/bin/shellcheck",
                ["-x", "-a", "-P", "SCRIPTDIR", "init", "main.sh", "udhcpc.sh", "report"],
                workingDirectory: work.FullName, timeout: TimeSpan.FromMinutes(2),
                cancellation: TestContext.Current.CancellationToken);

            Assert.True(result.Succeeded, result.Output + result.Errors);
        }
        finally
        {
            work.Delete(recursive: true);
        }
    }

    [Fact]
    public void Main_sources_every_file_of_the_library()
    {
        var main = Text("lib/bramble/main.sh");

        var others = InstallerScripts.Library.Select(file => Path.GetFileName(file.Path))
            .Except(["main.sh", "udhcpc.sh"]);
        Assert.All(others, name => Assert.Contains($". \"$LIB/{name}\"", main));
    }

    [Fact]
    public void No_script_evaluates_text()
    {
        foreach (var path in Scripts)
            Assert.DoesNotMatch(@"(?m)^[^#\n]*\beval\b", Text(path));
    }

    [Fact]
    public void What_must_be_executable_is()
    {
        Assert.Equal(["init", "lib/bramble/udhcpc.sh", "usr/lib/bramble/report"],
            InstallerScripts.All.Concat(OverlayFiles.All)
                .Where(file => file.LinkTarget is null && (file.Mode & 0b001_001_001) != 0).Select(file => file.Path));
    }

    private static bool IsScript(EmbeddedFile file) =>
        file.LinkTarget is null && !file.Path.EndsWith(".service", StringComparison.Ordinal);

    private static string Text(string path) =>
        System.Text.Encoding.UTF8.GetString(
            InstallerScripts.All.Concat(OverlayFiles.All).Single(file => file.Path == path).Content.Span);
}
