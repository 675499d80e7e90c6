using Bramble.Testing;
using Microsoft.AspNetCore.Http;

namespace Bramble.Cli.Tests.Nodes;

/// <summary><c>--wait</c>: until the nodes are where they were sent.</summary>
public sealed class WaitTests
{
    private const string Before = "2026-05-01T10:00:00Z";
    private const string After = "2026-05-01T12:00:10Z";

    [Fact]
    public async Task A_reinstall_ends_when_the_new_generation_runs()
    {
        await using var manager = await ScriptedManager.StartAsync();
        manager.On("POST", "/api/v1/nodes/actions/reinstall", Samples.Result(false, (3, true, "")));
        manager.On("GET", "/api/v1/nodes",
            Samples.Node3("running", Before, installed: 2),
            Samples.Node3("running", Before, installed: 2, wanted: 3),
            Samples.Node3("booting", After, installed: 2, wanted: 3),
            Samples.Node3("installing", After, installed: 2, wanted: 3),
            Samples.Node3("booting", After, installed: 3, wanted: 3),
            Samples.Node3("running", After, installed: 3, wanted: 3));
        var ran = await new CliRun(manager) { Time = new ImpatientTime() }
            .RunAsync(["reinstall", "3", "-y", "--wait"]);
        Assert.Equal(0, ran.Code);
        Assert.Equal("""
            +0s   shelf-3: running
            +1s   shelf-3: booting
            +2s   shelf-3: installing
            +3s   shelf-3: booting
            +4s   shelf-3: running
            1 of 1 node running after 4s

            """, ran.Error);
    }

    [Fact]
    public async Task A_restart_is_not_over_before_the_node_has_left_running()
    {
        await using var manager = await ScriptedManager.StartAsync();
        manager.On("POST", "/api/v1/power/cycle", Samples.Result(false, (3, true, "")));
        manager.On("GET", "/api/v1/nodes",
            Samples.Node3("running", Before, 2),
            Samples.Node3("running", Before, 2),
            Samples.Node3("running", After, 2));
        var ran = await new CliRun(manager) { Time = new ImpatientTime() }
            .RunAsync(["power", "cycle", "3", "-y", "--wait"]);
        Assert.Equal(0, ran.Code);
        Assert.EndsWith("1 of 1 node running after 1s\n", ran.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_old_failure_does_not_count_and_a_new_one_does()
    {
        await using var manager = await ScriptedManager.StartAsync();
        manager.On("POST", "/api/v1/nodes/actions/install", Samples.Result(false, (3, true, "")));
        manager.On("GET", "/api/v1/nodes",
            Samples.Node3("failed", Before, 1, verdict: "old story"),
            Samples.Node3("failed", Before, 1, verdict: "old story"),
            Samples.Node3("installing", After, 1),
            Samples.Node3("failed", After, 1, verdict: "the image is too big for /dev/sda"));
        var ran = await new CliRun(manager) { Time = new ImpatientTime() }
            .RunAsync(["install", "3", "-y", "--wait"]);
        Assert.Equal(1, ran.Code);
        Assert.Contains("shelf-3: failed: the image is too big for /dev/sda\n0 of 1 node running after 2s\n", ran.Error,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Power_off_waits_for_the_port()
    {
        await using var manager = await ScriptedManager.StartAsync();
        manager.On("POST", "/api/v1/power/off", Samples.Result(false, (3, true, "")))
            .On("GET", "/api/v1/nodes", Samples.Node3("running", Before, 2))
            .On("GET", "/api/v1/power",
                """[{"nodeId":12,"name":"shelf-3","device":"p","port":"7","state":"on","wanted":"off"}]""",
                """[{"nodeId":12,"name":"shelf-3","device":"p","port":"7","state":"off","wanted":"off"}]""");
        var ran = await new CliRun(manager) { Time = new ImpatientTime() }
            .RunAsync(["power", "off", "3", "-y", "--wait"]);
        Assert.Equal(0, ran.Code);
        Assert.EndsWith("1 of 1 node off after 1s\n", ran.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_restart_of_the_manager_is_waited_out()
    {
        await using var manager = await ScriptedManager.StartAsync();
        var turn = 0;
        manager.On("POST", "/api/v1/nodes/actions/boot", Samples.Result(false, (3, true, "")));
        manager.On("GET", "/api/v1/nodes", async (context, _) =>
        {
            switch (++turn)
            {
                case 3 or 4:
                    context.Response.StatusCode = 503;
                    break;
                case < 6:
                    await context.Response.WriteAsync(Samples.Node3("booting", After, 2));
                    break;
                default:
                    await context.Response.WriteAsync(Samples.Node3("running", After, 2));
                    break;
            }
        });
        var ran = await new CliRun(manager) { Time = new ImpatientTime() }
            .RunAsync(["boot", "3", "--wait"]);
        Assert.Equal(0, ran.Code);
        Assert.Single(ran.Error.Split('\n'), line => line.EndsWith("; trying on", StringComparison.Ordinal));
        Assert.Single(ran.Error.Split('\n'), line => line == "the manager is back");
    }

    [Fact]
    public async Task The_time_allowed_is_kept_and_the_nodes_still_waited_for_are_named()
    {
        await using var manager = await ScriptedManager.StartAsync();
        var time = new ManualTimeProvider(CliRun.Now);
        var turn = 0;
        manager.On("POST", "/api/v1/nodes/actions/boot", Samples.Result(false, (3, true, "")));
        manager.On("GET", "/api/v1/nodes", async (context, _) =>
        {
            if (++turn > 1) time.Advance(TimeSpan.FromMinutes(10));
            await context.Response.WriteAsync(Samples.Node3("booting", After, 2));
        });
        var ran = await new CliRun(manager) { Time = time }.RunAsync(["boot", "3", "--wait", "--timeout", "10m"]);
        Assert.Equal(1, ran.Code);
        Assert.Contains("gave up after 10m, still waiting for shelf-3", ran.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_watched_list_is_shown_anew_only_when_it_has_changed()
    {
        await using var manager = await ScriptedManager.StartAsync();
        using var interrupt = new CancellationTokenSource();
        var turn = 0;
        manager.On("GET", "/api/v1/nodes", async (context, _) =>
        {
            if (++turn == 5) await interrupt.CancelAsync();
            await context.Response.WriteAsync(Samples.Node3(turn < 3 ? "booting" : "running", Before, 2));
        });
        var ran = await new CliRun(manager) { Time = new ImpatientTime() }
            .RunAsync(["node", "ls", "-w"], interrupt.Token);
        Assert.Equal(130, ran.Code);
        Assert.Equal(2, ran.Out.Split("NUM").Length - 1);
        Assert.DoesNotContain("\e", ran.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task On_a_terminal_a_watched_list_is_redrawn_in_place()
    {
        await using var manager = await ScriptedManager.StartAsync();
        using var interrupt = new CancellationTokenSource();
        var turn = 0;
        manager.On("GET", "/api/v1/nodes", async (context, _) =>
        {
            if (++turn == 3) await interrupt.CancelAsync();
            await context.Response.WriteAsync(Samples.Node3("running", Before, 2));
        });
        var ran = await new CliRun(manager) { Time = new ImpatientTime(), OnTerminal = true }
            .RunAsync(["node", "ls", "-w"], interrupt.Token);
        Assert.Equal(130, ran.Code);
        Assert.StartsWith("\e[2J\e[H", ran.Out, StringComparison.Ordinal);
        Assert.Equal(2, ran.Out.Split("\e[H").Length - 1);
    }
}
