using Bramble.Contracts.Nodes;
using Bramble.Manager.Nodes;
using Bramble.Wire;
using Dapper;

namespace Bramble.Manager.Tests.Nodes;

/// <summary>Nodes are what the store says they are: no two alike, none lost, no identity given twice.</summary>
public sealed class NodeRegistryTests : IAsyncDisposable
{
    private readonly Rig _rig = new();

    public ValueTask DisposeAsync() => _rig.DisposeAsync();

    [Fact]
    public async Task Everything_of_a_node_survives_a_restart()
    {
        var spec = new NodeSpec
        {
            Goal = NodeGoal.Wait,
            Adopted = true,
            Image = "debian",
            Disk = "only sd",
            Generation = 4,
            OverwriteGeneration = 3,
            ReservedAddress = IPv4Address.Parse("10.77.0.9"),
            PowerDevice = "sw1",
            PowerPort = "7",
            PowerOn = false,
            RestartGeneration = 2,
            Labels = new Dictionary<string, string> { ["role"] = "worker" },
        };
        var status = new NodeStatus
        {
            Phase = NodePhase.Rescue,
            Verdict = "a verdict",
            Network = "rack",
            Address = IPv4Address.Parse("10.77.0.9"),
            Serial = "5b154510",
            Model = "Raspberry Pi 4 Model B",
            Maker = "Sony UK",
            MemoryBytes = 1 << 30,
            Architecture = "arm64",
            Family = "Pi4",
            Disks = [new("/dev/mmcblk0", 8_000_000_000, "sd", true, "0x1", false)],
            BootId = 1_700_000_000_000,
            SessionBootId = 1_600_000_000_000,
            SessionKernelId = "k1",
            Installed = new InstallRecord("debian", "d1", "/dev/sda", 2, "ext4", 1, Sample.Start),
            Attempt = new InstallAttempt
            {
                Generation = 4, Image = "debian", Digest = "d2", Disk = "/dev/sda", DiskBytes = 9, DiskSerial = "s",
                StartedAt = Sample.Start, Failures = 1, Step = "write", DoneBytes = 5, TotalBytes = 6, Message = "m",
                Wrote = true, Failed = true, RetryAt = Sample.Start,
            },
            RestartedGeneration = 1,
            LastReportAt = Sample.Start,
            LastSeenAt = Sample.Start,
            ReportedKernelId = "k2",
            SshHostKey = "ssh-ed25519 AAAA",
            Watchdog = new WatchdogRecord(2, Sample.Start),
            FoundPowerDevice = "sw2",
            FoundPowerPort = "3",
            PowerSet = false,
            Power = new PowerOperation("why", Sample.Start, Sample.Start, true),
        };
        var node = await _rig.AddAsync(1, _ => spec, _ => status);
        await _rig.RestartAsync();
        var again = _rig.Node(node.Id);
        Assert.Equal(Sample.Start, again.Status.PhaseSince);
        Assert.Equal(
            (spec with { Labels = null! }, status with { Disks = [], PhaseSince = default }),
            (again.Spec with { Labels = null! }, again.Status with { Disks = [], PhaseSince = default }));
        Assert.Equal(spec.Labels, again.Spec.Labels);
        Assert.Equal(status.Disks, again.Status.Disks);
        Assert.Equal((node.Number, node.Name, node.Mac), (again.Number, again.Name, again.Mac));
    }

    [Fact]
    public async Task A_node_that_says_as_little_as_possible_survives_a_restart()
    {
        var node = await _rig.AddAsync(1, _ => new NodeSpec { Generation = 0 }, _ => new NodeStatus());
        await _rig.RestartAsync();
        var again = _rig.Node(node.Id);
        Assert.Equal((node.Spec.PowerOn, node.Spec.Generation, node.Spec.Adopted),
            (again.Spec.PowerOn, again.Spec.Generation, again.Spec.Adopted));
        Assert.Equal(("", "", 0), (again.Status.Verdict, again.Status.Serial, again.Status.Watchdog.Tries));
        Assert.Empty(again.Spec.Labels);
        Assert.Empty(again.Status.Disks);
    }

    [Fact]
    public async Task A_record_of_an_older_version_gets_the_defaults_of_what_it_lacks()
    {
        await _rig.Database.PutAsync(c => c.Execute(
            """
            INSERT INTO nodes (id, number, name, mac, spec, status)
            VALUES (5, 5, 'n5', 'b8:27:eb:00:00:05', '{}', '{}')
            """));
        await _rig.RestartAsync();
        var node = _rig.Node(5);
        Assert.Equal(new NodeSpec { Labels = null! }, node.Spec with { Labels = null! });
        Assert.NotNull(node.Spec.Labels);
        Assert.NotNull(node.Status.Disks);
        Assert.Equal(("", ""), (node.Status.Verdict, node.Status.Network));
        Assert.NotNull(node.Status.Watchdog);
    }

    [Fact]
    public async Task A_board_is_added_once()
    {
        var first = await _rig.AddAsync(1);
        Assert.Equal(first, await _rig.AddAsync(1));
        Assert.Equal(1, _rig.Nodes.Count);
    }

    [Fact]
    public async Task Numbers_and_names_fill_the_gaps_and_ids_never_do()
    {
        for (var i = 1; i <= 3; i++) await _rig.AddAsync(i);
        await _rig.Nodes.RemoveAsync(2, "test");
        var next = await _rig.AddAsync(4);
        Assert.Equal((4, 2, "node-02"), (next.Id, next.Number, next.Name));
        await _rig.Nodes.RemoveAsync(4, "test");
        await _rig.RestartAsync();
        Assert.Equal(5, (await _rig.AddAsync(5)).Id);
    }

    [Fact]
    public async Task A_forgotten_node_is_gone_for_good_and_can_be_found_anew()
    {
        var node = await _rig.AddAsync(1);
        _rig.Nodes.Seen(node.Id, s => s with { LastSeenAt = _rig.Clock.GetUtcNow() });
        await _rig.Nodes.RemoveAsync(node.Id, "test");
        _rig.Nodes.FlushSeen();
        await _rig.RestartAsync();
        Assert.Null(_rig.Nodes.Find(Sample.Mac(1)));
        var (unknown, durable) = _rig.Nodes.Update(node.Id, n => n with { Name = "x" }, "test");
        await durable;
        Assert.Null(unknown);
        Assert.NotEqual(node.Id, (await _rig.AddAsync(1)).Id);
    }

    [Fact]
    public async Task Listeners_hear_that_a_forgotten_node_holds_its_address_no_longer()
    {
        var address = IPv4Address.Parse("10.77.0.9");
        var node = await _rig.AddAsync(1, s => s with { ReservedAddress = address });
        var heard = new List<NodeSnapshot>();
        _rig.Nodes.Changed += heard.Add;
        await _rig.Nodes.RemoveAsync(node.Id, "test");
        Assert.Null(Assert.Single(heard).Spec.ReservedAddress);
        Assert.Equal(node.Mac, heard[0].Mac);
    }

    [Fact]
    public async Task A_name_number_or_address_of_another_is_a_conflict_and_changes_nothing()
    {
        var address = IPv4Address.Parse("10.77.0.9");
        await _rig.AddAsync(1, s => s with { ReservedAddress = address });
        var second = await _rig.AddAsync(2);
        Assert.Equal("the name 'node-01' belongs to node 1 (b8:27:eb:00:00:01)",
            Refused(n => n with { Name = "node-01" }));
        Assert.Equal("the number 1 belongs to 'node-01'", Refused(n => n with { Number = 1 }));
        Assert.Equal("the address 10.77.0.9 is reserved for 'node-01'",
            Refused(n => n with { Spec = n.Spec with { ReservedAddress = address } }));
        Assert.Equal(second, _rig.Node(second.Id));
        Assert.Throws<NodeConflictException>(() => _rig.Nodes.Add(
            Sample.Mac(3), () => new NodeSpec(), () => new NodeStatus(), "node-01", null, "test"));
        Assert.Equal(2, _rig.Nodes.Count);

        string Refused(Func<NodeSnapshot, NodeSnapshot> change) =>
            Assert.Throws<NodeConflictException>(() => _rig.Nodes.Update(second.Id, change, "test")).Message;
    }

    [Fact]
    public async Task Of_concurrent_updates_none_is_lost_and_the_newest_is_what_is_kept()
    {
        var node = await _rig.AddAsync(1);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            for (var i = 0; i < 100; i++)
                await _rig.Nodes.Update(
                    node.Id, n => n with { Spec = n.Spec with { Generation = n.Spec.Generation + 1 } },
                    "test").Durable;
        })));
        Assert.Equal(401, _rig.Node(node.Id).Spec.Generation);
        await _rig.RestartAsync();
        Assert.Equal(401, _rig.Node(node.Id).Spec.Generation);
    }

    [Fact]
    public async Task Boards_that_come_all_at_once_each_become_one_node()
    {
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            for (var i = 1; i <= 100; i++) await _rig.AddAsync(i);
        })));
        Assert.Equal(Enumerable.Range(1, 100), _rig.Nodes.All.Select(n => n.Number).Order());
        Assert.Equal(100, _rig.Nodes.All.Select(n => n.Name).Distinct().Count());
        await _rig.RestartAsync();
        Assert.Equal(100, _rig.Nodes.Count);
    }

    [Fact]
    public async Task A_change_of_phase_is_dated_and_goes_on_the_record()
    {
        var node = await _rig.AddAsync(1);
        _rig.Clock.Advance(TimeSpan.FromMinutes(1));
        var after = await _rig.SetAsync(node.Id, s => s with { Phase = NodePhase.Failed, Verdict = "it broke" });
        Assert.Equal(Sample.Start.AddMinutes(1), after.Status.PhaseSince);
        _rig.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(Sample.Start.AddMinutes(1),
            (await _rig.SetAsync(node.Id, s => s with { Verdict = "v" })).Status.PhaseSince);
        var entry = (await _rig.Events.TailAsync(1, null)).Single();
        Assert.Equal(("node.phase", "adopted → failed: it broke", node.Id), (entry.Kind, entry.Message, entry.NodeId));
    }

    [Fact]
    public async Task A_change_that_changes_nothing_writes_nothing()
    {
        var node = await _rig.AddAsync(1);
        var writes = _rig.Database.Statistics.Writes;
        await _rig.SetAsync(node.Id, s => s);
        Assert.Equal(writes, _rig.Database.Statistics.Writes);
    }

    [Fact]
    public async Task Last_sight_is_seen_at_once_and_kept_at_the_next_flush()
    {
        var node = await _rig.AddAsync(1);
        _rig.Nodes.Seen(node.Id, s => s with { LastSeenAt = Sample.Start.AddSeconds(5) });
        _rig.Nodes.Seen(99, _ => throw new InvalidOperationException("there is no such node"));
        Assert.Equal(Sample.Start.AddSeconds(5), _rig.Node(node.Id).Status.LastSeenAt);
        await _rig.RestartAsync();
        Assert.Null(_rig.Node(node.Id).Status.LastSeenAt);
        _rig.Nodes.Seen(node.Id, s => s with { LastSeenAt = Sample.Start.AddSeconds(9) });
        _rig.Nodes.FlushSeen();
        await _rig.RestartAsync();
        Assert.Equal(Sample.Start.AddSeconds(9), _rig.Node(node.Id).Status.LastSeenAt);
    }
}
