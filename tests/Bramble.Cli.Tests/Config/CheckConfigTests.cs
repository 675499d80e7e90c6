namespace Bramble.Cli.Tests.Config;

public sealed class CheckConfigTests
{
    [Fact]
    public async Task The_daemon_is_asked_and_its_word_and_exit_code_passed_on()
    {
        var folder = Directory.CreateTempSubdirectory("bramble-cli-");
        try
        {
            var daemon = Path.Combine(folder.FullName, "brambled");
            await File.WriteAllTextAsync(daemon, """
                #!/bin/sh
                echo "asked: $*"
                echo 'line 3: unknown key' >&2
                exit 7

                """, TestContext.Current.CancellationToken);
            File.SetUnixFileMode(daemon, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            foreach (var (variable, value) in new[] { ("BRAMBLED", daemon), ("PATH", $"/nowhere:{folder.FullName}") })
            {
                var run = new CliRun(null) { Time = TimeProvider.System };
                run.Environment[variable] = value;
                Assert.Equal(new Ran(7, "asked: check-config my file.yaml\n", "line 3: unknown key\n"),
                    await run.RunAsync(["check-config", "my file.yaml"]));
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Without_a_daemon_it_says_how_to_name_one()
    {
        var ran = await new CliRun(null).RunAsync(["check-config"]);
        Assert.Equal(1, ran.Code);
        Assert.Contains("Set BRAMBLED", ran.Error, StringComparison.Ordinal);
    }
}
