namespace Bramble.System.Tests.Rack;

/// <summary>One daemon to a state directory; what looks, and what makes the first token, works beside it.</summary>
public sealed class StateLockTests
{
    [Fact]
    public async Task A_second_daemon_is_refused_by_name_and_harms_the_first_in_nothing()
    {
        if (PreparedState.Unavailable is { } why) Assert.Skip(why);
        await using var rack = await VirtualRack.StartAsync(1, ["--models", "5"]);

        var second = await RunAsync(rack);
        Assert.Equal(1, second.ExitCode);
        Assert.Contains(
            $"the state directory {rack.StateDirectory} is in use by another brambled, process {rack.ManagerId}: stop",
            second.Errors, StringComparison.Ordinal);

        var check = await RunAsync(rack, "check-config", rack.ConfigFile);
        Assert.Equal((0, ""), (check.ExitCode, check.Errors));
        var token = await RunAsync(rack, "first-token", "--config", rack.ConfigFile);
        Assert.Equal(1, token.ExitCode);
        Assert.Contains("there is an admin token already", token.Errors, StringComparison.Ordinal);
        await rack.UntilAllRunAsync(1);

        // The kernel's lock ends with the process, and the file that carries it stays.
        await rack.KillManagerAsync();
        Assert.True(File.Exists(Path.Combine(rack.StateDirectory, "brambled.lock")));
        await rack.StartManagerAsync();
        second = await RunAsync(rack);
        Assert.Contains($"process {rack.ManagerId}:", second.Errors, StringComparison.Ordinal);
        await rack.UntilAllRunAsync(1);
    }

    private static Task<Bramble.Processes.ChildResult> RunAsync(VirtualRack rack, params string[] arguments) =>
        Programs.ResultInAsync(rack.ManagerNamespace, "brambled",
            arguments.Length > 0 ? arguments : ["--config", rack.ConfigFile]);
}
