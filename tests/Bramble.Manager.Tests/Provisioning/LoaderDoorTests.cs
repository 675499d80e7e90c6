using System.Text;
using Bramble.Boot;
using Bramble.Boot.Dhcp;
using Bramble.Boot.Loaders;
using Bramble.Manager.Configuration;
using Bramble.Wire;

namespace Bramble.Manager.Tests.Provisioning;

/// <summary>What PCs and UEFI machines find behind the doors: scripts for them alone, and files by hand.</summary>
public sealed class LoaderDoorTests(TestImages images) : IAsyncLifetime
{
    private static readonly IPv4Address s_client = IPv4Address.Parse("127.0.0.101");

    private BoardRig _board = null!;

    private Rig Rig => _board.Rig;

    public async ValueTask InitializeAsync()
    {
        _board = await BoardRig.StartAsync(images);
        await OpenAsync(new InstallOptions { Image = "debian", KernelArguments = "console=ttyS0" });
    }

    public ValueTask DisposeAsync() => _board.DisposeAsync();

    private async Task OpenAsync(InstallOptions install, Func<NetworkOptions, NetworkOptions>? network = null)
    {
        Rig.Options = Rig.Options with
        {
            Install = install,
            Networks = [(network ?? (n => n))(Rig.Options.Networks[0])],
        };
        await _board.RestartAsync();
        if (Rig.Nodes.Find(Sample.Mac(1)) is null) await _board.AddNodeAsync();
        _board.Leases.Load([new Lease("rack", Sample.Mac(1), s_client)
        {
            BoundAt = Rig.Clock.GetUtcNow(),
            ExpiresAt = Rig.Clock.GetUtcNow().AddHours(1),
        }]);
    }

    private BootFileAnswer Open(string path) =>
        _board.Directory.Open(new BootFileRequest(s_client, path, BootDoor.Tftp));

    private string Text(string path)
    {
        var answer = Open(path);
        Assert.True(answer.Content is not null, answer.Reason);
        using (answer.Content)
        {
            var octets = new byte[answer.Content.Length];
            Assert.Equal(octets.Length, answer.Content.Read(0, octets));
            return Encoding.UTF8.GetString(octets);
        }
    }

    [Theory]
    [InlineData("boot.ipxe", "#!ipxe")]
    [InlineData("grub/grub.cfg", "linux (tftp,127.0.0.1)/vmlinuz ")]
    [InlineData("pxelinux.cfg/default", "KERNEL /vmlinuz")]
    [InlineData("pxelinux.cfg/01-b8-27-eb-00-00-01", "KERNEL /vmlinuz")]
    public void Each_loader_finds_its_script_with_this_nodes_token(string path, string line)
    {
        var script = Text(path);
        Assert.Contains(line, script, StringComparison.Ordinal);
        Assert.Contains("bramble.token=" + _board.Token(), script, StringComparison.Ordinal);
        Assert.Contains("bramble.mac=b8:27:eb:00:00:01", script, StringComparison.Ordinal);
        Assert.Contains("console=ttyS0", script, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("pxelinux.cfg/01-b8-27-eb-00-00-02")]
    [InlineData("pxelinux.cfg/44454c4c-3700-1053-8051-b5c04f395431")]
    [InlineData("pxelinux.cfg/7F000065")]
    [InlineData("grub/x86_64-efi/command.lst")]
    public void What_a_loader_probes_for_beyond_that_is_not_there(string path) =>
        Assert.Equal(BootRefusal.NotFound, Open(path).Refusal);

    [Fact]
    public async Task A_machine_is_not_started_with_the_kernel_of_another_architecture()
    {
        Assert.Equal("arm64", (await images.StoreAsync()).Find("debian")!.Architecture);
        await Rig.SetAsync(1, s => s with { Architecture = "amd64" });
        var answer = Open("boot.ipxe");
        Assert.Equal((BootRefusal.NotFound, "the image 'debian' is for arm64, the machine is amd64"),
            (answer.Refusal, answer.Reason));
    }

    [Fact]
    public async Task Each_architecture_may_have_its_own_image()
    {
        await OpenAsync(new InstallOptions
        {
            Image = "none",
            Images = new Dictionary<string, string> { ["arm64"] = "debian" },
        });
        Assert.Contains("has no image", Open("boot.ipxe").Reason, StringComparison.Ordinal);
        await Rig.SetAsync(1, s => s with { Architecture = "arm64" });
        Assert.Contains("#!ipxe", Text("boot.ipxe"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_named_by_hand_comes_out_of_the_plain_boot_tree()
    {
        using var scratch = new Scratch();
        scratch.Write("tree/lpxelinux.0", "the owner's own");
        await OpenAsync(new InstallOptions { Image = "debian" }, network => network with
        {
            BootTree = scratch["tree"],
            BootFiles = new Dictionary<ushort, string> { [ClientArchitecture.Bios] = "lpxelinux.0" },
        });
        Assert.Equal("the owner's own", Text("lpxelinux.0"));
        // The image's own files come first.
        Assert.Equal(TestImages.Start4.Length, Open("start4.elf").Content!.Length);
        Assert.Equal(Admission.Serve, _board.Directory.Find(Sight(BootClient.Pxe)).Admission);
    }

    [Fact]
    public void IPXE_goes_on_with_the_boot_that_loaded_it_and_begins_one_of_its_own_after_a_kernel()
    {
        Step(BootStage.Dhcp, "DISCOVER", BootClient.Pxe);
        var boot = Rig.Node(1).Status.BootId;
        Step(BootStage.Tftp, "undionly.kpxe");
        Step(BootStage.Dhcp, "DISCOVER", BootClient.Ipxe);
        Step(BootStage.Http, "boot.ipxe");
        Assert.Equal(boot, Rig.Node(1).Status.BootId);
        Assert.Equal(4, Rig.Timeline.Newest(1)!.Steps.Count);
        Rig.Clock.Advance(TimeSpan.FromSeconds(5));
        Step(BootStage.Dhcp, "DISCOVER", BootClient.Ipxe);
        Assert.True(Rig.Node(1).Status.BootId > boot);
    }

    private static BoardSighting Sight(BootClient client) => new("rack", Sample.Mac(1), new BoardIdentity
    {
        Family = BoardFamily.Pxe, Client = client, ClientArchitecture = 0, Model = "PC (BIOS)",
    });

    private void Step(BootStage stage, string what, BootClient client = BootClient.None)
    {
        // iPXE is known by its script; a ROM would have its loader fetched for it.
        if (client == BootClient.Ipxe) _board.Directory.Find(Sight(client));
        _board.Directory.Record(new BootStep(Rig.Clock.GetUtcNow(), stage, what, StepOutcome.Ok, "")
        {
            Mac = Sample.Mac(1),
            Board = stage == BootStage.Dhcp ? Sight(client).Board : null,
        });
    }
}
