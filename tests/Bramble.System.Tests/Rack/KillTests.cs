using Bramble.Contracts.Nodes;
using Bramble.Lab.Control;
using Bramble.Manager.Provisioning;

namespace Bramble.System.Tests.Rack;

/// <summary>
/// <c>kill -9</c> of brambled at every stage of an install, one after the other. There is a board for each stage, which
/// waits in it; the kill comes when brambled shows that the board is there, and the board goes on while nobody answers.
/// </summary>
public sealed class KillTests
{
    /// <param name="Model">The board that is killed under there.</param>
    /// <param name="Holds">Where it waits for its turn; null: it gets its power when its turn comes.</param>
    /// <param name="GoesOn">It goes on from there by itself, and the kill meets it on its way.</param>
    /// <param name="Shown">Whether brambled shows that it is at the stage.</param>
    private sealed record Stage(
        string Name, string Model, string? Holds, bool GoesOn, Func<NodeView, BootView, bool> Shown)
    {
        /// <summary>Where the board must be beside, by its own word; null if what brambled shows says enough.</summary>
        public string? At { get; init; }

        /// <summary>
        /// A Pi 3's ROM that gets no file stops for good: it goes on when brambled is back, and has its files before
        /// the next kill.
        /// </summary>
        public bool WaitsForManager { get; init; }
    }

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(40);

    private static readonly Stage[] s_stages =
    [
        // Its OFFER goes out 1.5 s after its DISCOVER.
        new("DISCOVER of a 3B", "3b", null, true,
            (_, boot) => Has(boot, "dhcp", "DISCOVER") && !Has(boot, "dhcp", "OFFER")),
        new("OFFER to a 3B+", "3b+", "dhcp", false, (_, boot) => Has(boot, "dhcp", "OFFER"))
        {
            WaitsForManager = true,
        },
        new("ACK", "4", "dhcp", false, (_, boot) => Has(boot, "dhcp", "ACK")),
        // A transfer that is cut off: its board gives the file 30 s, and then starts over.
        new("first file", "4", null, true, (_, boot) => boot.Steps.Any(step => step.Stage == "tftp")),
        new("kernel and initramfs", "4-old", "tftp", false, (_, boot) => boot.Steps.Any(
            step => step is { Stage: "tftp", Outcome: "ok" }
                && step.What.EndsWith(KernelCommandLine.InitramfsName, StringComparison.Ordinal))),
        new("address of the initramfs", "5", "address", false,
            (_, boot) => boot.Steps is [.., { Stage: "dhcp", What: "ACK" }]
                && boot.Steps.Any(step => step.Stage == "tftp")),
        new("hello", "4", "address", true, (_, boot) => Has(boot, "installer", "hello")),
        new("plan", "4", "hello", false, (_, boot) => Has(boot, "installer", "install")),
        new("check", "5", "check", false, (_, boot) => Has(boot, "installer", "check")),
        new("write, half done", "4", "check", true, (node, _) => node.Progress is { Step: "write" } progress
            && progress.DoneBytes > progress.TotalBytes / 5 && progress.DoneBytes < progress.TotalBytes * 4 / 5),
        new("verify", "3b", "verify", false, (_, boot) => Has(boot, "installer", "verify")),
        new("patch", "5", "patch", false, (_, boot) => Has(boot, "installer", "patch")),
        new("overlay", "4-old", "overlay", false, (_, boot) => Has(boot, "installer", "overlay")),
        new("grow", "4", "grow", false, (_, boot) => Has(boot, "installer", "grow")),
        new("done", "5", "done", false, (_, boot) => Has(boot, "installer", "done")),
        new("start of the installed system", "3b+", "done", true,
            (node, _) => node is { Phase: NodePhase.Booting, Installed: not null }) { At = "booting" },
        new("first report", "4", "booting", false, (node, _) => node.Phase == NodePhase.Running),
    ];

    [Fact]
    public async Task Killing_brambled_at_every_stage_loses_no_lease_and_no_install()
    {
        if (PreparedState.Unavailable is { } why) Assert.Skip(why);
        await using var rack = await VirtualRack.StartAsync(s_stages.Length,
        [
            "--models", string.Join(',', s_stages.Select(stage => stage.Model)), "--power-on", "none",
            "--disk-rate", "30",
            .. s_stages.Index().Where(s => s.Item.Holds is not null)
                .SelectMany(s => new[] { "--hold", $"{s.Index + 1}@{s.Item.Holds}" }),
        ],
        // Boards that wait for their turn say nothing, and are not to be power-cycled for it.
        stallAfter: "300s");
        var addresses = new Dictionary<string, string>();
        foreach (var (i, stage) in s_stages.Index())
        {
            string[] board = [$"{i + 1}"];
            // After the first, whose OFFER must not wait for a crowd: a Pi 3 asks five times only.
            if (i == 1) await BringToTheirStagesAsync(rack);
            if (stage.Holds is null) await rack.LabAsync("restore", board);
            else if (stage.GoesOn) await rack.LabAsync("release", board);
            if (stage.At is { } there) await UntilAtAsync(rack, board, there);
            await UntilShownAsync(rack, board, stage);
            await rack.KillManagerAsync();
            var at = (await rack.LabAsync("list", board))[0];
            TestContext.Current.SendDiagnosticMessage(
                $"killed at '{stage.Name}': the board is at {at.Stage} {at.Detail}");
            if (!stage.GoesOn && !stage.WaitsForManager) await rack.LabAsync("release", board);
            await rack.StartManagerAsync();
            if (stage.WaitsForManager)
            {
                await rack.LabAsync("release", board);
                await UntilAtAsync(rack, board, "kernel", "address", "clock", "hello", "check", "write");
            }
            await KeepsAsync(rack, addresses);
        }
        await rack.UntilAllRunAsync(s_stages.Length, seconds: 60);
        await KeepsAsync(rack, addresses);
        Assert.Equal(s_stages.Length, addresses.Count);
        Assert.All(await rack.LabAsync("list"), board => Assert.Equal((board.Name, 1), (board.Name, board.Installs)));

        // A wish that was acknowledged a moment before the kill.
        var asked = await rack.ActAsync("reinstall", [.. Enumerable.Range(1, s_stages.Length).Select(n => $"{n}")]);
        await rack.KillManagerAsync();
        Assert.All(asked.Outcomes, outcome => Assert.True(outcome.Accepted, outcome.Message));
        await rack.StartManagerAsync();
        await rack.UntilAsync(now => now.All(n => n.Phase == NodePhase.Running && n.Installed?.Generation == 2),
            "a second install of every node");
        Assert.All(await rack.LabAsync("list"), board => Assert.Equal((board.Name, 2), (board.Name, board.Installs)));
        await KeepsAsync(rack, addresses);
    }

    private static async Task BringToTheirStagesAsync(VirtualRack rack)
    {
        var held = s_stages.Index().Where(s => s.Item.Holds is not null).ToList();
        await rack.LabAsync("restore", [.. held.Select(s => $"{s.Index + 1}")]);
        foreach (var (i, stage) in held) await UntilAtAsync(rack, [$"{i + 1}"], stage.Holds!);
        // Timelines are written once a second; what is not written, a kill takes.
        await Task.Delay(TimeSpan.FromSeconds(1.5), TimeProvider.System, TestContext.Current.CancellationToken);
    }

    private static bool Has(BootView boot, string stage, string what) =>
        boot.Steps.Any(step => step.Stage == stage && step.What == what && step.Outcome == "ok");

    /// <summary>Every lease that was ever seen is there, at the same address, and no address is given twice.</summary>
    private static async Task KeepsAsync(VirtualRack rack, Dictionary<string, string> addresses)
    {
        var leases = (await rack.LeasesAsync()).Where(lease => lease.State == "bound")
            .ToDictionary(lease => lease.Mac, lease => lease.Address);
        Assert.All(addresses, seen => Assert.Equal(seen.Value, leases.GetValueOrDefault(seen.Key)));
        Assert.Equal(leases.Count, leases.Values.Distinct().Count());
        foreach (var (mac, address) in leases) addresses[mac] = address;
        // What a board itself holds must be known as well: it was acknowledged.
        foreach (var board in await rack.LabAsync("list"))
            if (board.Address.Length > 0) Assert.Equal(board.Address, leases.GetValueOrDefault(board.Mac));
    }

    private static async Task UntilAtAsync(VirtualRack rack, string[] board, params string[] stages)
    {
        BoardView? now = null;
        for (var began = TimeProvider.System.GetTimestamp();
            TimeProvider.System.GetElapsedTime(began) < s_patience; await PauseAsync())
        {
            now = (await rack.LabAsync("list", board))[0];
            if (stages.Contains(now.Stage)) return;
        }
        Assert.Fail($"board {board[0]} did not come to {string.Join(" or ", stages)}: {now}");
    }

    private static async Task UntilShownAsync(VirtualRack rack, string[] board, Stage stage)
    {
        var mac = (await rack.LabAsync("list", board))[0].Mac;
        BootView? boot = null;
        for (var began = TimeProvider.System.GetTimestamp();
            TimeProvider.System.GetElapsedTime(began) < s_patience; await PauseAsync())
        {
            if ((await rack.NodesAsync()).FirstOrDefault(node => node.Mac == mac) is { } node)
            {
                boot = await rack.TryNewestBootAsync(node);
                if (boot is not null && stage.Shown(node, boot)) return;
            }
        }
        Assert.Fail($"brambled does not show '{stage.Name}' of board {board[0]}, which is at "
            + $"{(await rack.LabAsync("list", board))[0]}:\n" + string.Join('\n', boot?.Steps ?? []));
    }

    private static Task PauseAsync() =>
        Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, TestContext.Current.CancellationToken);
}
