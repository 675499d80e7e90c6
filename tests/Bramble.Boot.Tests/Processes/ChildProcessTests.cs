using System.Diagnostics;
using Bramble.Processes;
using Bramble.Testing;

namespace Bramble.Boot.Tests.Processes;

public sealed class ChildProcessTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_program_that_asks_something_is_at_the_end_of_its_input_and_does_not_wait()
    {
        var result = await ShellAsync("cat; read -r answer || echo nobody answers");
        Assert.Equal("nobody answers\n", result.Output);
    }

    [Fact]
    public async Task What_is_given_as_input_arrives_to_its_end()
    {
        var text = string.Concat(Enumerable.Range(0, 50_000).Select(i => $"line {i}\n"));
        var result = await ChildProcess.RunAsync("cat", [], text, timeout: Patience.Limit, cancellation: Cancellation);
        Assert.Equal(text, result.Output);
    }

    [Fact]
    public async Task A_daemon_that_a_program_leaves_behind_with_its_streams_does_not_hold_up_the_result()
    {
        var result = await ShellAsync("sleep 60 & echo $!; echo careful >&2; exit 3");
        using var daemon = Process.GetProcessById(int.Parse(result.Output));
        try
        {
            Assert.Equal((3, "careful"), (result.ExitCode, result.Complaint));
            Assert.False(daemon.HasExited);
        }
        finally
        {
            daemon.Kill();
        }
    }

    [Fact]
    public async Task A_program_that_does_not_end_is_killed_with_its_children_and_those_that_are_stopped()
    {
        var folder = Directory.CreateTempSubdirectory("bramble-child-");
        try
        {
            var file = Path.Combine(folder.FullName, "pids");
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ChildProcess.RunAsync(
                "sh", ["-c", "sleep 60 & echo $! $$ >\"$0\"; kill -STOP $$; wait", file],
                timeout: TimeSpan.FromSeconds(1), cancellation: Cancellation).WithinAsync("the kill"));
            var pids = (await File.ReadAllTextAsync(file, Cancellation)).Split(' ', '\n')[..2];
            await Patience.UntilAsync(() => pids.All(HasEnded), $"the end of the processes {string.Join(", ", pids)}");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static Task<ChildResult> ShellAsync(string script) =>
        ChildProcess.RunAsync("sh", ["-c", script], timeout: TimeSpan.FromMinutes(5), cancellation: Cancellation)
            .WithinAsync("the result of the script");

    /// <summary>An orphan stays as a zombie until process 1 has looked after it.</summary>
    private static bool HasEnded(string pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            return stat[stat.LastIndexOf(')') + 2] is 'Z' or 'X';
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return true;
        }
    }
}
