using System.Net;
using Bramble.Contracts.Nodes;
using Bramble.Manager.Nodes;
using Bramble.Manager.Provisioning;

namespace Bramble.Manager.Tests.Provisioning;

/// <summary>A node runs when its installed system says so, with the credential of this install.</summary>
public sealed class NodeReportsTests(TestImages images) : IAsyncLifetime
{
    private const string Report = "job 1-1\nboot-id kernel-9\nhostname node-01\nkernel 6.1\nuptime 31\n";

    private BoardRig _board = null!;

    private NodeStatus Status => _board.Rig.Node(1).Status;

    private string Credential => _board.Secret.Derive(CredentialKind.Node, 1, 1);

    public async ValueTask InitializeAsync()
    {
        _board = await BoardRig.StartAsync(images);
        await _board.AddNodeAsync();
        await _board.HelloAsync();
        var installed = new InstallRecord("debian", "d", "/dev/mmcblk0", 2, "ext4", 1, Sample.Start);
        await _board.Rig.SetAsync(1, s => s with { Installed = installed, Attempt = null, Phase = NodePhase.Booting });
    }

    public ValueTask DisposeAsync() => _board.DisposeAsync();

    [Fact]
    public async Task A_report_makes_it_running_durably_and_tells_when_to_come_again()
    {
        var (status, answer) = await _board.PostAsync("/node/v1/report", Credential, Report);
        Assert.Equal((HttpStatusCode.OK, "30", null), (status, answer["next"], answer["action"]));
        Assert.Equal((NodePhase.Running, "kernel-9"), (Status.Phase, Status.ReportedKernelId));
        Assert.Equal("running", _board.Rig.Timeline.Newest(1)!.Outcome);
        await _board.RestartAsync();
        Assert.Equal(NodePhase.Running, Status.Phase);
    }

    [Fact]
    public async Task Further_reports_cost_no_write()
    {
        await _board.PostAsync("/node/v1/report", Credential, Report);
        var writes = _board.Rig.Database.Statistics.Writes;
        _board.Rig.Clock.Advance(TimeSpan.FromSeconds(30));
        await _board.PostAsync("/node/v1/report", Credential, Report);
        Assert.Equal(writes, _board.Rig.Database.Statistics.Writes);
        Assert.Equal(_board.Rig.Clock.GetUtcNow(), Status.LastReportAt);
    }

    [Fact]
    public async Task The_credential_of_an_earlier_install_is_over()
    {
        await _board.Rig.SetAsync(1, s => s with { Installed = s.Installed! with { Generation = 2 } });
        Assert.Equal(HttpStatusCode.Forbidden, (await _board.PostAsync("/node/v1/report", Credential, Report)).Status);
        var next = _board.Secret.Derive(CredentialKind.Node, 1, 3);
        Assert.Equal(HttpStatusCode.Forbidden, (await _board.PostAsync("/node/v1/report", next, Report)).Status);
        var current = _board.Secret.Derive(CredentialKind.Node, 1, 2);
        Assert.Equal(HttpStatusCode.OK, (await _board.PostAsync("/node/v1/report", current, Report)).Status);
    }

    [Fact]
    public async Task A_forgotten_node_is_refused_even_if_it_is_found_anew()
    {
        await _board.Rig.Nodes.RemoveAsync(1, "test");
        Assert.Equal(HttpStatusCode.Forbidden, (await _board.PostAsync("/node/v1/report", Credential, Report)).Status);
        await _board.AddNodeAsync();
        Assert.Equal(HttpStatusCode.Forbidden, (await _board.PostAsync("/node/v1/report", Credential, Report)).Status);
    }

    [Theory]
    [InlineData("hostname x\n")]
    [InlineData("boot-id \n")]
    [InlineData("boot-id a\0\n")]
    public async Task A_report_that_makes_no_sense_changes_nothing(string report)
    {
        Assert.Equal(HttpStatusCode.BadRequest, (await _board.PostAsync("/node/v1/report", Credential, report)).Status);
        Assert.Equal(NodePhase.Booting, Status.Phase);
    }

    [Fact]
    public async Task A_restart_that_is_asked_for_is_told_until_another_kernel_reports()
    {
        await _board.PostAsync("/node/v1/report", Credential, Report);
        await _board.Rig.Nodes.Update(1, n => n with { Spec = n.Spec with { RestartGeneration = 1 } }, "test").Durable;
        for (var i = 0; i < 2; i++)
            Assert.Equal("reboot", (await _board.PostAsync("/node/v1/report", Credential, Report)).Body["action"]);
        var restarted = Report.Replace("kernel-9", "kernel-10", StringComparison.Ordinal);
        Assert.Null((await _board.PostAsync("/node/v1/report", Credential, restarted)).Body["action"]);
    }
}
