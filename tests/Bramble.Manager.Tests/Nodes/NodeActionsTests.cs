using Bramble.Boot;
using Bramble.Contracts.Nodes;
using Bramble.Manager.Api;
using Bramble.Manager.Nodes;
using Bramble.Manager.Tests.Api;

namespace Bramble.Manager.Tests.Nodes;

/// <summary>Each verb says what it would do, does it durably, and tells how it will come about.</summary>
public sealed class NodeActionsTests(TestImages images) : IAsyncLifetime
{
    private static readonly InstallRecord s_installed = new("debian", "old", "/dev/sda", 2, "ext4", 1, Sample.Start);

    private ApiRig _api = null!;

    private Rig Rig => _api.Rig;

    private NodeSnapshot Node => Rig.Node(1);

    public async ValueTask InitializeAsync() => _api = await ApiRig.StartAsync(await images.StoreAsync());

    public ValueTask DisposeAsync() => _api.DisposeAsync();

    private async Task<NodeActionOutcome> ActAsync(NodeVerb verb, string? image = null, bool dryRun = false) =>
        Assert.Single((await _api.Actions.ActAsync(verb,
            new NodeActionRequest { Select = ["1"], Image = image, DryRun = dryRun }, "me")).Outcomes);

    private Task<NodeSnapshot> AddAsync(NodePhase phase, bool power = true) => Rig.AddAsync(1,
        s => power ? s with { PowerDevice = "sw1", PowerPort = "1", Image = "debian" } : s with { Image = "debian" },
        s => s with { Phase = phase, Installed = s_installed });

    /// <summary>Puts the node into the installer, at a step of it.</summary>
    private async Task InInitramfsAsync(string step, NodePhase phase = NodePhase.Installing)
    {
        var boot = Rig.Timeline.Start(1, Rig.Clock.GetUtcNow());
        Rig.Timeline.Add(1, new BootStep(Rig.Clock.GetUtcNow(), BootStage.Installer, step, StepOutcome.Ok, ""));
        await Rig.SetAsync(1, s => s with { Phase = phase, BootId = boot, SessionBootId = boot });
    }

    [Theory]
    [InlineData(NodeVerb.Adopt, true, "is adopted already")]
    [InlineData(NodeVerb.Forget, true, "would be forgotten, its credential with it")]
    [InlineData(NodeVerb.Install, true, "would have debian written over only >= 4GB, all data on it lost")]
    [InlineData(NodeVerb.Reinstall, true, "would have debian written over only >= 4GB, all data on it lost")]
    [InlineData(NodeVerb.Restart, true, "would be power-cycled at sw1/1")]
    [InlineData(NodeVerb.Rescue, true, "would come up in rescue at its next boot")]
    [InlineData(NodeVerb.Wait, true, "would wait in the initramfs at its next boot")]
    [InlineData(NodeVerb.Boot, true, "would boot its installed system")]
    public async Task A_dry_run_says_what_would_be_done_and_does_nothing(NodeVerb verb, bool accepted, string message)
    {
        await AddAsync(NodePhase.Running);
        var before = Node;
        var events = Rig.Events.LastId;
        var outcome = await ActAsync(verb, dryRun: true);
        Assert.Equal((accepted, message), (outcome.Accepted, outcome.Message));
        Assert.Equal((before, events), (Node, Rig.Events.LastId));
    }

    [Fact]
    public async Task A_node_that_is_not_adopted_takes_no_verb_but_adopt_and_forget()
    {
        await Rig.AddAsync(1, s => s with { Adopted = false }, s => s with { Phase = NodePhase.Discovered });
        foreach (var verb in Enum.GetValues<NodeVerb>().Except([NodeVerb.Adopt, NodeVerb.Forget]))
            Assert.Equal((false, "is not adopted: bramble node adopt first"),
                ((await ActAsync(verb)).Accepted, (await ActAsync(verb)).Message));
        Assert.StartsWith("adopted;", (await ActAsync(NodeVerb.Adopt)).Message, StringComparison.Ordinal);
        await Rig.RestartAsync();
        Assert.Equal((true, NodePhase.Adopted), (Node.Spec.Adopted, Node.Status.Phase));
    }

    [Fact]
    public async Task A_forgotten_node_is_gone_with_its_timeline_and_its_host_key()
    {
        await AddAsync(NodePhase.Running);
        Rig.Timeline.Start(1, Rig.Clock.GetUtcNow());
        Assert.Equal("forgotten", (await ActAsync(NodeVerb.Forget)).Message);
        Assert.Null(Rig.Timeline.Newest(1));
        await Rig.RestartAsync();
        Assert.Null(Rig.Nodes.Find(1));
    }

    [Fact]
    public async Task An_install_is_a_new_generation_that_may_overwrite_and_restarts_the_node()
    {
        await AddAsync(NodePhase.Running);
        Assert.Equal("will be installed; it is restarting", (await ActAsync(NodeVerb.Install, image: "twin")).Message);
        await Rig.RestartAsync();
        Assert.Equal(("twin", 2, 2, NodeGoal.Run),
            (Node.Spec.Image, Node.Spec.Generation, Node.Spec.OverwriteGeneration, Node.Spec.Goal));
        Assert.True(NodeLifecycle.NeedsInstall(Node.Spec, Node.Status));
        Assert.Equal("install asked for", Node.Status.Power!.Why);
    }

    [Fact]
    public async Task An_install_of_what_is_there_does_nothing_and_a_reinstall_does_it_again_as_often_as_asked()
    {
        await AddAsync(NodePhase.Running);
        await Rig.SetAsync(1, s =>
            s with { Installed = s_installed with { Digest = _api.Images.Find("debian")!.Digest } });
        Assert.Equal("has debian already", (await ActAsync(NodeVerb.Install)).Message);
        Assert.Equal(1, Node.Spec.Generation);
        for (var generation = 2; generation < 5; generation++)
        {
            await ActAsync(NodeVerb.Reinstall);
            Assert.Equal(generation, Node.Spec.Generation);
        }
    }

    [Fact]
    public async Task An_image_that_is_not_there_or_not_chosen_is_said()
    {
        await AddAsync(NodePhase.Running);
        await Assert.ThrowsAsync<ProblemException>(() => ActAsync(NodeVerb.Install, image: "nothing"));
        await Rig.Nodes.Update(1, n => n with { Spec = n.Spec with { Image = null } }, "test").Durable;
        Assert.Equal("has no image: say --image", (await ActAsync(NodeVerb.Install)).Message);
        await Rig.Nodes.Update(1, n => n with { Spec = n.Spec with { Image = "gone" } }, "test").Durable;
        Assert.Equal("its image 'gone' is not in the store", (await ActAsync(NodeVerb.Install)).Message);
    }

    [Fact]
    public async Task A_node_without_a_port_is_told_to_restart_by_its_system_or_its_installer()
    {
        await AddAsync(NodePhase.Running, power: false);
        Assert.Equal("was told to restart", (await ActAsync(NodeVerb.Restart)).Message);
        Assert.Equal(1, Node.Spec.RestartGeneration);
        await InInitramfsAsync("write");
        Assert.Equal("was told to restart", (await ActAsync(NodeVerb.Restart)).Message);
        Assert.Equal(2, Node.Spec.RestartGeneration);
        await Rig.SetAsync(1, s => s with { Phase = NodePhase.Lost });
        var outcome = await ActAsync(NodeVerb.Restart);
        Assert.Equal((false, "has no power port, and neither its system nor its installer is there to be told"),
            (outcome.Accepted, outcome.Message));
        Assert.Equal(2, Node.Spec.RestartGeneration);
    }

    [Fact]
    public async Task A_node_that_sits_in_the_installer_hears_of_it_without_a_restart()
    {
        await AddAsync(NodePhase.Booting);
        await InInitramfsAsync("wait", NodePhase.Failed);
        Assert.Equal("told; it hears of it within seconds", (await ActAsync(NodeVerb.Rescue)).Message);
        Assert.Equal((NodeGoal.Rescue, null), (Node.Spec.Goal, Node.Status.Power));
    }

    [Theory]
    [InlineData("boot", false)]
    [InlineData("write", true)]
    public async Task A_node_whose_installer_is_gone_has_to_restart_for_it(string step, bool stopped)
    {
        await AddAsync(NodePhase.Booting);
        await InInitramfsAsync(step, NodePhase.Failed);
        if (stopped) Rig.Timeline.End(1, Bramble.Manager.Nodes.Timeline.BootOutcome.Stopped, "silence");
        Assert.Equal("told; it is restarting", (await ActAsync(NodeVerb.Rescue)).Message);
        Assert.NotNull(Node.Status.Power);
    }

    [Fact]
    public async Task Boot_forgives_what_failed_and_remembers_whose_the_disk_was()
    {
        await AddAsync(NodePhase.Failed);
        var attempt = new InstallAttempt
        {
            Generation = 1, Image = "debian", Digest = "d", Disk = "/dev/sda", Failed = true, Failures = 3,
                Wrote = true,
        };
        await Rig.SetAsync(1, s => s with { Attempt = attempt, Watchdog = new WatchdogRecord(3, Sample.Start) });
        await ActAsync(NodeVerb.Boot);
        Assert.Equal(attempt with { Failed = false, Failures = 0 }, Node.Status.Attempt);
        Assert.Equal(0, Node.Status.Watchdog.Tries);
    }

    [Fact]
    public async Task A_node_that_is_meant_to_be_off_is_not_powered_by_another_wish()
    {
        await AddAsync(NodePhase.Lost);
        await _api.PowerRig.WishAsync(1, on: false);
        var outcome = await ActAsync(NodeVerb.Restart);
        Assert.Equal((false, "is meant to be off: bramble power on"), (outcome.Accepted, outcome.Message));
        Assert.StartsWith("will be installed at its next boot", (await ActAsync(NodeVerb.Reinstall)).Message,
            StringComparison.Ordinal);
        Assert.Null(Node.Status.Power);
    }

    [Fact]
    public async Task A_whole_rack_shares_a_few_commits()
    {
        for (var i = 1; i <= 100; i++) await Rig.AddAsync(i, s => s with { Image = "debian" });
        var (commits, _) = Rig.Database.Statistics;
        var result = await _api.Actions.ActAsync(NodeVerb.Reinstall, new NodeActionRequest { All = true }, "me");
        Assert.Equal(Enumerable.Range(1, 100), result.Outcomes.Select(o => o.Number));
        Assert.All(result.Outcomes, o => Assert.True(o.Accepted));
        Assert.InRange(Rig.Database.Statistics.Commits - commits, 1, 60);
    }
}
