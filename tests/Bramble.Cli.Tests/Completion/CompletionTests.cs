using System.ComponentModel;
using Bramble.Processes;

namespace Bramble.Cli.Tests.Completion;

public sealed class CompletionTests
{
    [Theory]
    [InlineData("bash")]
    [InlineData("zsh")]
    [InlineData("fish")]
    public async Task The_script_is_good_grammar(string shell)
    {
        var script = (await CliRun.RunAsync(null, "completion", shell)).Out;
        Assert.Contains("[suggest:", script, StringComparison.Ordinal);
        try
        {
            var checkedBy = await ChildProcess.RunAsync(shell, ["-n"], script, timeout: TimeSpan.FromSeconds(20),
                cancellation: TestContext.Current.CancellationToken);
            Assert.Equal(new ChildResult(0, "", ""), checkedBy);
        }
        catch (Win32Exception)
        {
            Assert.Skip($"needs {shell} to check its grammar");
        }
    }

    /// <summary>bash takes ':' and '=' for the ends of words; the suggestions must fit what it will replace.</summary>
    [Theory]
    [InlineData("bramble node sh", "[suggest:7] node sh", "shelf-3 show")]
    [InlineData("bramble restart b8:27:e", "[suggest:15] restart b8:27:e", "eb:01 eb:02")]
    [InlineData("bramble node ls rack=", "[suggest:13] node ls rack=", "a b")]
    [InlineData("  ./bramble  node show ", "[suggest:11]  node show ",
        "b8:27:eb:01 b8:27:eb:02 rack=a rack=b shelf-3 show")]
    public async Task Bash_hands_over_the_line_and_takes_what_fits(string line, string asked, string offered)
    {
        var script = (await CliRun.RunAsync(null, "completion", "bash")).Out;
        var folder = Directory.CreateTempSubdirectory("bramble-cli-");
        try
        {
            var program = Path.Combine(folder.FullName, "bramble");
            await File.WriteAllTextAsync(program, """
                #!/bin/sh
                echo "$@" > "${0%/*}/asked"
                printf '%s\n' b8:27:eb:01 b8:27:eb:02 rack=a rack=b shelf-3 show

                """, TestContext.Current.CancellationToken);
            File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            var result = await ChildProcess.RunAsync("bash", ["--norc"], $$"""
                {{script}}
                COMP_LINE='{{line}}'
                COMP_POINT=${#COMP_LINE}
                COMP_WORDS=('{{program}}')
                _bramble
                echo "${COMPREPLY[@]}"

                """, timeout: TimeSpan.FromSeconds(20), cancellation: TestContext.Current.CancellationToken);
            Assert.Equal($"{offered}\n", result.Output);
            Assert.Equal($"{asked}\n", await File.ReadAllTextAsync(
                Path.Combine(folder.FullName, "asked"), TestContext.Current.CancellationToken));
        }
        catch (Win32Exception)
        {
            Assert.Skip("needs bash");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData("node sh", "show")]
    [InlineData("node show ", "shelf-3")]
    [InlineData("restart shelf-3 ", "shelf-11")]
    [InlineData("timeline shelf", "shelf-4")]
    [InlineData("events --node ", "shelf-3")]
    [InlineData("image rm ", "debian12")]
    [InlineData("reinstall 3 --image ", "debian12")]
    [InlineData("node ls -o ", "yaml")]
    [InlineData("power ", "cycle")]
    public async Task Words_and_live_names_are_suggested(string line, string suggestion)
    {
        await using var manager = await ScriptedManager.StartAsync();
        manager.On("GET", "/api/v1/nodes", Samples.Nodes).On("GET", "/api/v1/images", """
            [{"name":"debian12","digest":"ab","sizeBytes":1,"architecture":"arm64"}]
            """);
        var ran = await CliRun.RunAsync(manager, $"[suggest:{line.Length}]", line);
        Assert.Equal(0, ran.Code);
        Assert.Contains(suggestion, ran.Out.Split('\n'));
        Assert.All(manager.Asked, asked => Assert.Equal("GET", asked.Method));
    }

    [Fact]
    public async Task Without_a_manager_there_are_no_names_and_no_noise()
    {
        var ran = await new CliRun(null).RunAsync(["[suggest:38]", "node show --server unix:/nowhere/x.sock "]);
        Assert.Equal(0, ran.Code);
        Assert.Equal("", ran.Error);
    }
}
