using System.Globalization;
using Bramble.Lab.Control;
using Bramble.Lab.Network;
using Bramble.Lab.Tests.StandIn;
using Bramble.Processes;
using Bramble.Wire;

namespace Bramble.Lab.Tests.Network;

/// <summary>The lab as a program in its own namespace, against real sockets in another.</summary>
public sealed class NamespaceTests(ITestOutputHelper output)
{
    private static string Program => Path.Combine(AppContext.BaseDirectory, "bramble-lab.dll");

    [Fact]
    public async Task Boards_come_up_over_a_real_cable()
    {
        SkipUnlessPossible();
        var count = int.Parse(
            Environment.GetEnvironmentVariable("BRAMBLE_LAB_BOARDS") ?? "10", CultureInfo.InvariantCulture);
        var name = $"bl{Environment.ProcessId % 100000}";
        var spaces = new LabNamespaces(name, IPv4Prefix.Parse("10.77.0.1/16"));
        var cancellation = TestContext.Current.CancellationToken;
        try
        {
            var face = await spaces.UpAsync(bridge: false, far: null, cancellation);
            using var server = new NamespaceServer(spaces.ManagerNamespace, face, new StandInManager());
            var result = await ChildProcess.RunAsync("ip",
                ["netns", "exec", spaces.LabNamespace, "dotnet", Program, "run", "--boards", $"{count}",
                    "--until-running", "--limit", "120", "--speed", "20", .. count > 20 ? (string[])["--quiet"] : []],
                timeout: TimeSpan.FromSeconds(150), cancellation: cancellation);
            output.WriteLine(result.Output + result.Errors);
            Assert.Equal(0, result.ExitCode);
            Assert.Contains($"{count} of {count} boards running", result.Output, StringComparison.Ordinal);
        }
        finally
        {
            await spaces.DownAsync();
        }
    }

    [Fact]
    public async Task A_board_that_loses_power_says_no_farewell()
    {
        SkipUnlessPossible();
        var name = $"bc{Environment.ProcessId % 100000}";
        var spaces = new LabNamespaces(name, IPv4Prefix.Parse("10.77.0.1/16"));
        var socket = Path.Combine(Path.GetTempPath(), name + ".sock");
        var cancellation = TestContext.Current.CancellationToken;
        try
        {
            var face = await spaces.UpAsync(bridge: false, far: null, cancellation);
            var manager = new StandInManager();
            var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            using var answer = new ManualResetEventSlim();
            // The request hangs with its connection open until the test is over.
            manager.OnCall = (_, path) =>
            {
                if (!path.EndsWith("/chunks/1-1/3", StringComparison.Ordinal)) return 0;
                asked.TrySetResult();
                answer.Wait(TimeSpan.FromSeconds(20), cancellation);
                return 503;
            };
            using var server = new NamespaceServer(spaces.ManagerNamespace, face, manager);
            var lab = ChildProcess.RunAsync("ip", ["netns", "exec", spaces.LabNamespace, "dotnet", Program, "run",
                "--boards", "1", "--models", "4", "--speed", "50", "--limit", "60", "--control", socket],
                cancellation: cancellation);
            await asked.Task.WaitAsync(TimeSpan.FromSeconds(30), cancellation);

            var cut = await ControlServer.AskAsync(socket, new ControlRequest("cut"), cancellation);

            Assert.Equal("off", Assert.Single(cut.Boards!).Stage);
            // A FIN would have put it into CLOSE-WAIT, a RST would have ended it.
            var connections = await ChildProcess.RunAsync("ip",
                ["netns", "exec", spaces.ManagerNamespace, "ss", "-Htn", "sport = :8067"], cancellation: cancellation);
            Assert.StartsWith("ESTAB", connections.Output, StringComparison.Ordinal);
            answer.Set();
            await ControlServer.AskAsync(socket, new ControlRequest("stop"), cancellation);
            Assert.Equal(0, (await lab).ExitCode);
        }
        finally
        {
            await spaces.DownAsync();
        }
    }

    private static void SkipUnlessPossible()
    {
        if (Environment.UserName != "root") Assert.Skip("needs root, for network namespaces");
        foreach (var tool in (string[])["/sbin/ip", "/usr/sbin/nft"])
            if (!File.Exists(tool)) Assert.Skip($"needs {tool}");
    }
}
