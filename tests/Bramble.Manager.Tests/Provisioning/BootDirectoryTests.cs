using System.Text;
using Bramble.Boot;
using Bramble.Boot.Dhcp;
using Bramble.Contracts.Nodes;
using Bramble.Manager.Configuration;
using Bramble.Manager.Nodes;
using Bramble.Manager.Provisioning;
using Bramble.Wire;

namespace Bramble.Manager.Tests.Provisioning;

/// <summary>Who a board is, whether it is served, and what each file is for it.</summary>
public sealed class BootDirectoryTests(TestImages images) : IAsyncLifetime
{
    private static readonly IPv4Address s_stranger = IPv4Address.Parse("10.77.0.66");

    private BoardRig _board = null!;

    private Rig Rig => _board.Rig;

    private static IPv4Address At(int n) => IPv4Address.Parse($"10.77.0.{100 + n}");

    public async ValueTask InitializeAsync() => _board = await BoardRig.StartAsync(images);

    public ValueTask DisposeAsync() => _board.DisposeAsync();

    private static BoardSighting Sight(int n, BoardFamily family = BoardFamily.Pi4, string serial = "") =>
        new("rack", Sample.Mac(n),
            new BoardIdentity { Family = family, Model = "Raspberry Pi 4 Model B", Serial = serial });

    private async Task ReopenAsync(InstallOptions? install = null, Func<NetworkOptions, NetworkOptions>? network = null,
        NodeOptions[]? nodes = null)
    {
        Rig.Options = Rig.Options with
        {
            Install = install ?? Rig.Options.Install,
            Networks = [(network ?? (n => n))(Rig.Options.Networks[0])],
            Nodes = nodes ?? [],
        };
        await _board.RestartAsync();
    }

    /// <summary>A node with a lease; its serial is 00f00d01 for the first, and so on.</summary>
    private async Task<NodeSnapshot> WithLeaseAsync(int n, string? serial = null)
    {
        await _board.AddNodeAsync(n: n);
        _board.Leases.Load([new Lease("rack", Sample.Mac(n), At(n))
        {
            BoundAt = Rig.Clock.GetUtcNow(),
            ExpiresAt = Rig.Clock.GetUtcNow().AddHours(1),
        }]);
        return await Rig.SetAsync(n, s => s with { Serial = serial ?? $"00f00d{n:00}" });
    }

    private BootFileAnswer Open(IPv4Address client, string path) =>
        _board.Directory.Open(new BootFileRequest(client, path, BootDoor.Tftp));

    private string? Text(IPv4Address client, string path)
    {
        if (Open(client, path).Content is not { } content) return null;
        using (content)
        {
            var octets = new byte[content.Length];
            Assert.Equal(octets.Length, content.Read(0, octets));
            return Encoding.UTF8.GetString(octets);
        }
    }

    [Theory]
    [InlineData(AdoptPolicy.Ask, Admission.AwaitsAdoption, NodePhase.Discovered)]
    [InlineData(AdoptPolicy.Auto, Admission.Serve, NodePhase.Adopted)]
    [InlineData(AdoptPolicy.Ignore, Admission.Ignore, null)]
    public async Task An_unknown_board_is_asked_about_taken_or_ignored_as_its_network_says(
        AdoptPolicy policy, Admission admission, NodePhase? phase)
    {
        await ReopenAsync(network: n => n with { Adopt = policy });
        Assert.Equal(admission, _board.Directory.Find(Sight(1, serial: "5b154510")).Admission);
        var node = Rig.Nodes.Find(Sample.Mac(1));
        Assert.Equal(phase, node?.Status.Phase);
        if (node is null) return;
        Assert.Equal(("Raspberry Pi 4 Model B", "5b154510", "Pi4", "rack"),
            (node.Status.Model, node.Status.Serial, node.Status.Family, node.Status.Network));
    }

    [Theory]
    [InlineData(AdoptPolicy.Ask, Admission.Ignore)]
    [InlineData(AdoptPolicy.Auto, Admission.Serve)]
    [InlineData(AdoptPolicy.Ignore, Admission.Ignore)]
    public async Task An_unknown_client_that_is_no_board_never_becomes_a_node(AdoptPolicy policy, Admission admission)
    {
        await ReopenAsync(network: n => n with { Adopt = policy });
        Assert.Equal(admission, _board.Directory.Find(Sight(1, BoardFamily.PlainClient)).Admission);
        Assert.Equal(0, Rig.Nodes.Count);
    }

    [Fact]
    public async Task A_board_of_the_configuration_is_served_whatever_the_policy()
    {
        await ReopenAsync(nodes: [new NodeOptions { Mac = Sample.Mac(1), Name = "pi-01" }]);
        await ConfiguredNodes.ApplyAsync(Rig.Options, Rig.Nodes);
        var plan = _board.Directory.Find(Sight(1));
        Assert.Equal((Admission.Serve, "pi-01"), (plan.Admission, plan.HostName));
    }

    [Fact]
    public async Task A_known_node_is_served_with_its_name_and_its_reserved_address()
    {
        var address = IPv4Address.Parse("10.77.0.9");
        await _board.AddNodeAsync(s => s with { ReservedAddress = address });
        var plan = _board.Directory.Find(Sight(1, serial: "5b154510"));
        Assert.Equal((Admission.Serve, "node-01", address), (plan.Admission, plan.HostName, plan.Reserved));
        Assert.Equal("5b154510", Rig.Node(1).Status.Serial);
        // What an installed system says of the hardware, which is nothing, does not wipe it.
        _board.Directory.Find(Sight(1, BoardFamily.PlainClient));
        Assert.Equal(("5b154510", "Pi4"), (Rig.Node(1).Status.Serial, Rig.Node(1).Status.Family));
    }

    [Fact]
    public async Task A_client_that_nobody_knows_gets_nothing()
    {
        await WithLeaseAsync(1);
        foreach (var path in new[] { "start4.elf", "cmdline.txt", "config.txt", "deadbeef/cmdline.txt" })
        {
            var answer = Open(s_stranger, path);
            Assert.Equal((null, BootRefusal.NotFound), (answer.Content, answer.Refusal));
        }
    }

    [Fact]
    public async Task A_node_that_is_not_adopted_gets_nothing()
    {
        await WithLeaseAsync(1);
        await Rig.Nodes.Update(1, n => n with { Spec = n.Spec with { Adopted = false } }, "test").Durable;
        Assert.Equal("node-01 is not adopted", Open(At(1), "start4.elf").Reason);
    }

    [Theory]
    [InlineData("config.txt")]
    [InlineData("00f00d01/config.txt")]
    [InlineData("00F00D01/config.txt")]
    [InlineData("b8-27-eb-00-00-01/config.txt")]
    public async Task The_prefix_may_be_the_serial_the_mac_or_none(string path)
    {
        await WithLeaseAsync(1);
        Assert.Contains("initramfs bramble-initramfs.gz followkernel", Text(At(1), path), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_prefix_names_the_node_where_the_address_tells_nothing()
    {
        await WithLeaseAsync(1);
        Assert.NotNull(Text(s_stranger, "00f00d01/config.txt"));
        Assert.NotNull(Text(s_stranger, "b8-27-eb-00-00-01/config.txt"));
        Assert.Null(Text(s_stranger, "config.txt"));
    }

    [Fact]
    public async Task Of_two_boards_with_one_serial_each_gets_its_own_by_its_address_and_none_by_the_prefix()
    {
        await WithLeaseAsync(1, "00f00dff");
        await WithLeaseAsync(2, "00f00dff");
        Assert.Contains("bramble.mac=b8:27:eb:00:00:01", Text(At(1), "00f00dff/cmdline.txt"), StringComparison.Ordinal);
        Assert.Contains("bramble.mac=b8:27:eb:00:00:02", Text(At(2), "00f00dff/cmdline.txt"), StringComparison.Ordinal);
        Assert.Null(Text(s_stranger, "00f00dff/cmdline.txt"));
    }

    [Fact]
    public async Task A_prefix_of_another_node_does_not_give_that_nodes_files()
    {
        await WithLeaseAsync(1);
        await WithLeaseAsync(2);
        Assert.Null(Text(At(1), "00f00d02/cmdline.txt"));
    }

    [Fact]
    public async Task The_command_line_carries_the_token_of_this_boot_of_this_node()
    {
        await WithLeaseAsync(1);
        await ReopenAsync(new InstallOptions { Image = "debian", KernelArguments = "extra=1" });
        _board.Leases.Load([new Lease("rack", Sample.Mac(1), At(1))
        {
            BoundAt = Rig.Clock.GetUtcNow(),
            ExpiresAt = Rig.Clock.GetUtcNow().AddHours(1),
        }]);
        Assert.Equal("console=serial0,115200 rdinit=/init "
            + $"bramble.url=http://127.0.0.1:0 bramble.token={_board.Token()} "
            + "bramble.mac=b8:27:eb:00:00:01 extra=1\n", Text(At(1), "cmdline.txt"));
        await Rig.SetAsync(1, s => s with { BootId = 2000 });
        Assert.Contains(_board.Token(boot: 2000), Text(At(1), "cmdline.txt"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Files_of_the_image_are_as_they_are_and_what_it_lacks_is_named()
    {
        await WithLeaseAsync(1);
        using var content = Open(At(1), "START4.ELF").Content;
        Assert.Equal(TestImages.Start4.Length, content!.Length);
        Assert.Equal("recovery.elf is not in image debian", Open(At(1), "recovery.elf").Reason);
        Assert.Equal(BootRefusal.NotFound, Open(At(1), KernelCommandLine.InitramfsName).Refusal);
    }

    [Fact]
    public async Task A_template_of_the_operator_comes_before_the_image()
    {
        await WithLeaseAsync(1);
        Rig.Scratch.Write("templates/config.txt", "# {{name}} {{address}}\n");
        Rig.Scratch.Write("templates/bad.txt", "one\n{{nmae}}\n");
        await ReopenAsync(new InstallOptions { Image = "debian", BootTemplates = Rig.Scratch["templates"] });
        await Rig.SetAsync(1, s => s with { Address = At(1) });
        Assert.Equal("# node-01 10.77.0.101\n", Text(At(1), "config.txt"));
        Assert.NotNull(Text(At(1), "start4.elf"));
        var bad = Open(At(1), "bad.txt");
        Assert.Equal(BootRefusal.Failed, bad.Refusal);
        Assert.Contains("bad.txt, line 2: there is no variable 'nmae'", bad.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_an_image_the_plain_boot_tree_is_served_as_it_is()
    {
        Rig.Scratch.Write("tree/cmdline.txt", "root=/dev/nfs\n");
        await ReopenAsync(new InstallOptions(), n => n with { BootTree = Rig.Scratch["tree"] });
        await WithLeaseAsync(1);
        Assert.Equal("root=/dev/nfs\n", Text(At(1), "cmdline.txt"));
        Assert.Equal($"x is not in {Rig.Scratch["tree"]}", Open(At(1), "x").Reason);
        await Rig.Nodes.Update(1, n => n with { Spec = n.Spec with { Image = "debian" } }, "test").Durable;
        Assert.Contains("bramble.token", Text(At(1), "cmdline.txt"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_either_the_reason_says_so()
    {
        await ReopenAsync(new InstallOptions());
        await WithLeaseAsync(1);
        Assert.Equal("node-01 has no image and its network no boot_tree", Open(At(1), "start4.elf").Reason);
        await Rig.SetAsync(1, s => s with { Network = "gone" });
        Assert.Equal("node-01 belongs to a network that is not configured any more", Open(At(1), "start4.elf").Reason);
    }

    [Fact]
    public async Task A_boot_loaders_discover_opens_a_boot_and_its_repeats_do_not()
    {
        await _board.AddNodeAsync();
        Step(BootStage.Dhcp, "DISCOVER");
        var first = Rig.Node(1).Status.BootId;
        Assert.Equal((NodePhase.Booting, true), (Rig.Node(1).Status.Phase, first > 1000));
        Rig.Clock.Advance(TimeSpan.FromSeconds(5));
        Step(BootStage.Dhcp, "DISCOVER");
        Assert.Equal(first, Rig.Node(1).Status.BootId);
        Step(BootStage.Tftp, "start4.elf");
        // The initramfs asks for an address as well: the same boot.
        Step(BootStage.Dhcp, "DISCOVER", BoardFamily.PlainClient);
        Assert.Equal(first, Rig.Node(1).Status.BootId);
        Rig.Clock.Advance(TimeSpan.FromSeconds(5));
        Step(BootStage.Dhcp, "DISCOVER");
        Assert.True(Rig.Node(1).Status.BootId > first);
    }

    [Fact]
    public async Task A_board_that_is_adopted_while_it_keeps_asking_gets_a_boot_of_its_own()
    {
        await ReopenAsync(network: n => n with { Adopt = AdoptPolicy.Ask });
        Step(BootStage.Dhcp, "DISCOVER");
        var id = Rig.Nodes.Find(Sample.Mac(1))!.Id;
        Assert.Equal(0, Rig.Node(id).Status.BootId);
        await Rig.Nodes.Update(id, n => n with { Spec = n.Spec with { Adopted = true } }, "test").Durable;
        Rig.Clock.Advance(TimeSpan.FromSeconds(5));
        Step(BootStage.Dhcp, "DISCOVER");
        Assert.Equal(Rig.Clock.GetUtcNow().ToUnixTimeMilliseconds(), Rig.Node(id).Status.BootId);
    }

    [Fact]
    public async Task Steps_are_filed_by_mac_or_by_address_and_those_of_strangers_nowhere()
    {
        await WithLeaseAsync(1);
        _board.Directory.Record(
            new BootStep(Rig.Clock.GetUtcNow(), BootStage.Tftp, "a", StepOutcome.Ok, "") { Address = At(1) });
        _board.Directory.Record(
            new BootStep(Rig.Clock.GetUtcNow(), BootStage.Tftp, "b", StepOutcome.Ok, "") { Address = s_stranger });
        _board.Directory.Record(new BootStep(Rig.Clock.GetUtcNow(), BootStage.Tftp, "c", StepOutcome.Ok, ""));
        Assert.Equal(["a"], Rig.Timeline.Newest(1)!.Steps.Select(s => s.What));
        Assert.Equal(Rig.Clock.GetUtcNow(), Rig.Node(1).Status.LastSeenAt);
    }

    private void Step(BootStage stage, string what, BoardFamily family = BoardFamily.Pi4)
    {
        if (stage == BootStage.Dhcp) _board.Directory.Find(Sight(1, family));
        _board.Directory.Record(new BootStep(Rig.Clock.GetUtcNow(), stage, what, StepOutcome.Ok, "")
        {
            Mac = Sample.Mac(1),
            Board = stage == BootStage.Dhcp ? Sight(1, family).Board : null,
        });
    }
}
