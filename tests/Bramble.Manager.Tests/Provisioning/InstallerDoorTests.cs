using System.Net;
using System.Security.Cryptography;
using System.Text;
using Bramble.Contracts.Nodes;
using Bramble.Manager.Nodes;
using Bramble.Manager.Provisioning;
using Dapper;

namespace Bramble.Manager.Tests.Provisioning;

/// <summary>The installer protocol over the real HTTP door: who gets in, what is told, what is durable.</summary>
public sealed class InstallerDoorTests(TestImages images) : IAsyncLifetime
{
    private BoardRig _board = null!;

    private NodeStatus Status => _board.Rig.Node(1).Status;

    public async ValueTask InitializeAsync() => _board = await BoardRig.StartAsync(images);

    public ValueTask DisposeAsync() => _board.DisposeAsync();

    [Fact]
    public async Task A_board_that_says_hello_gets_a_plan_with_all_that_it_needs()
    {
        await _board.AddNodeAsync();
        var plan = await _board.HelloAsync();
        Assert.Equal(("1", "node-01", "install", "1-1", "0", "/dev/mmcblk0", "8000000000", "0x1"),
            (plan["plan"], plan["node"],
            plan["action"], plan["job"], plan["resume"], plan["disk"], plan["disk-size"], plan["disk-serial"]));
        Assert.Equal(("4194304", "3", "2", "ext4", "0"),
            (plan["chunk-bytes"], plan["chunk-count"], plan["root-partition"],
            plan["root-fstype"], plan["grow"]));
        Assert.Equal(43, plan["session"]!.Length);
        Assert.Equal((NodePhase.Installing, "arm64", "kernel-1", 1000), (Status.Phase, Status.Architecture,
            Status.SessionKernelId, Status.SessionBootId));
        Assert.StartsWith("ssh-ed25519 AAAA", Status.SshHostKey, StringComparison.Ordinal);
        var again = (await _board.GetAsync("/installer/v1/plan", plan["session"])).Body;
        Assert.DoesNotContain("session", Encoding.UTF8.GetString(again), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_hello_whose_answer_got_lost_is_answered_again_and_another_kernel_is_not()
    {
        await _board.AddNodeAsync();
        var first = await _board.HelloAsync();
        Assert.Equal(first.ToString(), (await _board.HelloAsync()).ToString());
        var stranger = BoardRig.Hello.Replace("kernel-1", "kernel-2", StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Forbidden,
            (await _board.PostAsync("/installer/v1/hello", _board.Token(), stranger)).Status);
        Assert.Equal(HttpStatusCode.OK, (await _board.GetAsync("/installer/v1/plan", first["session"])).Status);
    }

    [Fact]
    public async Task Of_two_kernels_that_come_with_one_token_at_once_one_gets_in()
    {
        await _board.AddNodeAsync();
        var statuses = await Task.WhenAll(Enumerable.Range(1, 8).Select(async i => (await _board.PostAsync(
            "/installer/v1/hello", _board.Token(),
                BoardRig.Hello.Replace("kernel-1", $"k{i}", StringComparison.Ordinal))).Status));
        Assert.Equal(1, statuses.Count(s => s == HttpStatusCode.OK));
        Assert.Equal(7, statuses.Count(s => s == HttpStatusCode.Forbidden));
    }

    [Fact]
    public async Task Tokens_and_sessions_of_an_older_boot_are_over()
    {
        await _board.AddNodeAsync();
        var old = (await _board.HelloAsync())["session"];
        await _board.Rig.SetAsync(1, s => s with { BootId = 2000 });
        await _board.HelloAsync(boot: 2000);
        Assert.Equal(HttpStatusCode.Forbidden,
            (await _board.PostAsync("/installer/v1/hello", _board.Token(), BoardRig.Hello)).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await _board.GetAsync("/installer/v1/plan", old)).Status);
        Assert.Equal(HttpStatusCode.Forbidden,
            (await _board.PostAsync("/installer/v1/progress", old, "job 1-1\nstep done\n")).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await _board.GetAsync("/installer/v1/chunks/1-1", old)).Status);
    }

    [Fact]
    public async Task No_credential_or_one_of_another_kind_opens_nothing()
    {
        await _board.AddNodeAsync();
        var session = (await _board.HelloAsync())["session"];
        var node = _board.Secret.Derive(CredentialKind.Node, 1, 1);
        string[] gets = ["plan", "chunks/1-1", "chunks/1-1/0", "patches/1-1/0", "overlay/1-1"];
        foreach (var bearer in new[] { null, "", "x", new string('*', 43), _board.Token(), node,
            _board.Token(node: 99) })
        {
            foreach (var path in gets)
                Assert.Equal(HttpStatusCode.Forbidden, (await _board.GetAsync($"/installer/v1/{path}", bearer)).Status);
            Assert.Equal(HttpStatusCode.Forbidden,
                (await _board.PostAsync("/installer/v1/progress", bearer, "step write\n")).Status);
            if (bearer != node)
                Assert.Equal(HttpStatusCode.Forbidden,
                    (await _board.PostAsync("/node/v1/report", bearer, "boot-id x\n")).Status);
        }
        foreach (var bearer in new[] { null, "x", session, node, _board.Token(node: 99) })
            Assert.Equal(HttpStatusCode.Forbidden,
                (await _board.PostAsync("/installer/v1/hello", bearer, BoardRig.Hello)).Status);
    }

    [Fact]
    public async Task Every_chunk_patch_and_overlay_is_what_the_plan_says()
    {
        await _board.AddNodeAsync();
        var plan = await _board.HelloAsync();
        var session = plan["session"];
        var list = Encoding.UTF8.GetString((await _board.GetAsync("/installer/v1/chunks/1-1", session)).Body);
        var disk = await File.ReadAllBytesAsync(await images.DiskAsync(), Scratch.Cancellation);
        var lines = list.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(3, lines.Length);
        for (var i = 0; i < lines.Length; i++)
        {
            var chunk = (await _board.GetAsync($"/installer/v1/chunks/1-1/{i}", session)).Body;
            Assert.Equal(disk[(i * (4 << 20))..Math.Min((i + 1) * (4 << 20), disk.Length)], chunk);
            Assert.Equal($"{i} {chunk.Length} {Hex(chunk)}",
                lines[i].Replace("zero", Hex(chunk), StringComparison.Ordinal));
        }
        foreach (var words in plan.All("patch").Select(p => p.Split(' ')))
        {
            var patch = (await _board.GetAsync($"/installer/v1/patches/1-1/{words[0]}", session)).Body;
            Assert.Equal((words[2], words[3]), ($"{patch.Length}", Hex(patch)));
        }
        var overlay = (await _board.GetAsync("/installer/v1/overlay/1-1", session)).Body;
        Assert.Equal(plan["overlay"], $"{overlay.Length} {Hex(overlay)}");
        foreach (var path in new[] { "chunks/1-1/3", "chunks/1-1/-1", "chunks/1-1/x", "patches/1-1/99",
            "chunks/1-1/99999999999" })
            Assert.Equal(HttpStatusCode.NotFound, (await _board.GetAsync($"/installer/v1/{path}", session)).Status);
    }

    [Fact]
    public async Task The_job_of_another_node_or_another_generation_is_refused()
    {
        await _board.AddNodeAsync();
        await _board.AddNodeAsync(n: 2);
        var session = (await _board.HelloAsync())["session"];
        await _board.HelloAsync(BoardRig.Hello.Replace("00:01", "00:02", StringComparison.Ordinal), node: 2);
        foreach (var job in new[] { "2-1", "1-2", "1-0", "x", "1", "-1-1", "99999999999999999999-1" })
        {
            Assert.Equal(HttpStatusCode.Forbidden,
                (await _board.GetAsync($"/installer/v1/chunks/{job}", session)).Status);
            Assert.Equal("plan", await _board.ProgressAsync(session!, $"job {job}\nstep done\n"));
        }
        Assert.Null(Status.Installed);
        Assert.Null(_board.Rig.Node(2).Status.Installed);
    }

    [Fact]
    public async Task An_install_that_is_done_is_durable_before_the_answer_and_the_next_plan_boots_it()
    {
        await _board.AddNodeAsync();
        var session = (await _board.HelloAsync())["session"]!;
        Assert.Equal("continue", await _board.ProgressAsync(session, "job 1-1\nstep write\ndone 5\ntotal 10\n"));
        Assert.Equal(("write", 5, 10, true), (Status.Attempt!.Step, Status.Attempt.DoneBytes, Status.Attempt.TotalBytes,
            Status.Attempt.Wrote));
        Assert.Equal("plan", await _board.ProgressAsync(session, "job 1-1\nstep done\n"));
        // Killed right after the answer: what the store has is what counts.
        await _board.RestartAsync();
        Assert.Equal(("debian", "/dev/mmcblk0", 2, "ext4", 1), (Status.Installed!.Image, Status.Installed.Disk,
            Status.Installed.RootPartition, Status.Installed.RootFileSystem, Status.Installed.Generation));
        Assert.Null(Status.Attempt);
        // Its answer got lost, so it says so again.
        Assert.Equal("plan", await _board.ProgressAsync(session, "job 1-1\nstep done\n"));
        var plan = Encoding.UTF8.GetString((await _board.GetAsync("/installer/v1/plan", session)).Body);
        Assert.Equal("plan 1\nnode node-01\naction boot\n"
            + "root-device /dev/mmcblk0p2\nroot-fstype ext4\ninit /sbin/init\n", plan);
        Assert.Equal(NodePhase.Booting, Status.Phase);
    }

    [Fact]
    public async Task A_done_that_the_store_refused_is_not_acknowledged_when_it_is_repeated()
    {
        await _board.AddNodeAsync();
        var session = (await _board.HelloAsync())["session"]!;
        await _board.Rig.Database.PutAsync(c => c.Execute("ALTER TABLE nodes RENAME TO elsewhere"));
        for (var tries = 0; tries < 3; tries++)
        {
            var refused = await _board.PostAsync("/installer/v1/progress", session, "job 1-1\nstep done\n");
            Assert.NotEqual(HttpStatusCode.OK, refused.Status);
        }
        Assert.NotEqual(HttpStatusCode.OK, (await _board.GetAsync("/installer/v1/plan", session)).Status);
        await _board.Rig.Database.PutAsync(c => c.Execute("ALTER TABLE elsewhere RENAME TO nodes"));
        Assert.Equal("plan", await _board.ProgressAsync(session, "job 1-1\nstep done\n"));
        await _board.RestartAsync();
        Assert.Equal(1, Status.Installed?.Generation);
    }

    [Fact]
    public async Task A_restart_of_the_daemon_in_the_middle_of_an_install_is_not_noticed_by_the_board()
    {
        await _board.AddNodeAsync();
        var plan = await _board.HelloAsync();
        await _board.ProgressAsync(plan["session"]!, "job 1-1\nstep write\ndone 5\ntotal 10\n");
        await _board.RestartAsync();
        Assert.Equal(HttpStatusCode.OK, (await _board.GetAsync("/installer/v1/chunks/1-1/0", plan["session"])).Status);
        var overlay = (await _board.GetAsync("/installer/v1/overlay/1-1", plan["session"])).Body;
        Assert.Equal(plan["overlay"], $"{overlay.Length} {Hex(overlay)}");
        Assert.Equal("continue", await _board.ProgressAsync(plan["session"]!, "job 1-1\nstep verify\n"));
    }

    [Fact]
    public async Task A_second_power_on_resumes_what_was_begun()
    {
        await _board.AddNodeAsync();
        var session = (await _board.HelloAsync())["session"]!;
        await _board.ProgressAsync(session, "job 1-1\nstep write\ndone 5\ntotal 10\n");
        await _board.Rig.SetAsync(1, s => s with { BootId = 2000 });
        var plan = await _board.HelloAsync(BoardRig.Hello.Replace("kernel-1", "kernel-2", StringComparison.Ordinal)
            .Replace("blank", "used", StringComparison.Ordinal), boot: 2000);
        Assert.Equal(("install", "1-1", "1"), (plan["action"], plan["job"], plan["resume"]));
    }

    [Fact]
    public async Task Failures_count_are_durable_wait_longer_each_time_and_end_in_a_verdict()
    {
        await _board.AddNodeAsync();
        var session = (await _board.HelloAsync())["session"]!;
        for (var failure = 1; failure <= 3; failure++)
        {
            Assert.Equal("plan", await _board.ProgressAsync(
                session, "job 1-1\nstep failed\nmessage the card is bad\n"));
            // The answer got lost, and it says so again: one failure, not two.
            Assert.Equal("plan", await _board.ProgressAsync(
                session, "job 1-1\nstep failed\nmessage the card is bad\n"));
            Assert.Equal(failure, Status.Attempt!.Failures);
            Assert.Equal(failure == 3 ? null : _board.Rig.Clock.GetUtcNow().AddSeconds(5 * (1 << failure)),
                Status.Attempt.RetryAt);
            var plan = Encoding.UTF8.GetString((await _board.GetAsync("/installer/v1/plan", session)).Body);
            Assert.Contains("action wait\nretry 10\nreason the install failed", plan, StringComparison.Ordinal);
            Assert.Equal(NodePhase.Failed, Status.Phase);
            if (failure == 3) break;
            _board.Rig.Clock.Advance(TimeSpan.FromSeconds(5 << failure));
            plan = Encoding.UTF8.GetString((await _board.GetAsync("/installer/v1/plan", session)).Body);
            Assert.Contains("action install", plan, StringComparison.Ordinal);
        }
        await _board.RestartAsync();
        Assert.Equal((3, true, "the card is bad"),
            (Status.Attempt!.Failures, Status.Attempt.Failed, Status.Attempt.Message));
        await _board.Rig.SettledAsync();
        Assert.Contains("the install failed 3 times, last: the card is bad", Status.Verdict, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_image_that_is_in_the_store_twice_is_installed_as_well()
    {
        await _board.AddNodeAsync(s => s with { Image = "twin" });
        var session = (await _board.HelloAsync())["session"]!;
        Assert.Equal(HttpStatusCode.OK, (await _board.GetAsync("/installer/v1/chunks/1-1/0", session)).Status);
        await _board.RestartAsync();
        Assert.Equal(HttpStatusCode.OK, (await _board.GetAsync("/installer/v1/chunks/1-1/0", session)).Status);
        await _board.ProgressAsync(session, "job 1-1\nstep done\n");
        Assert.Equal(("twin", 2), (Status.Installed!.Image, Status.Installed.RootPartition));
    }

    [Fact]
    public async Task A_newer_wish_takes_effect_at_the_next_step()
    {
        await _board.AddNodeAsync();
        var session = (await _board.HelloAsync())["session"]!;
        await _board.Rig.Nodes.Update(1, n => n with { Spec = n.Spec with { Goal = NodeGoal.Rescue } }, "test").Durable;
        Assert.Equal("plan", await _board.ProgressAsync(session, "job 1-1\nstep write\n"));
        var plan = Encoding.UTF8.GetString((await _board.GetAsync("/installer/v1/plan", session)).Body);
        Assert.Contains("action rescue\nretry 10\n", plan, StringComparison.Ordinal);
        Assert.Equal(NodePhase.Rescue, Status.Phase);
        await _board.Rig.Nodes.Update(1, n => n with { Spec = n.Spec with { RestartGeneration = 1 } }, "test").Durable;
        plan = Encoding.UTF8.GetString((await _board.GetAsync("/installer/v1/plan", session)).Body);
        Assert.Contains("action reboot\n", plan, StringComparison.Ordinal);
        await _board.Rig.SetAsync(1, s => s with { BootId = 2000 });
        Assert.Equal("rescue", (await _board.HelloAsync(boot: 2000))["action"]);
    }

    [Fact]
    public async Task A_node_that_is_forgotten_is_a_stranger()
    {
        await _board.AddNodeAsync();
        var session = (await _board.HelloAsync())["session"];
        await _board.Rig.Nodes.RemoveAsync(1, "test");
        Assert.Equal(HttpStatusCode.Forbidden, (await _board.GetAsync("/installer/v1/plan", session)).Status);
        Assert.Equal(HttpStatusCode.Forbidden,
            (await _board.PostAsync("/installer/v1/hello", _board.Token(), BoardRig.Hello)).Status);
    }

    [Fact]
    public async Task A_network_that_left_the_configuration_is_told_as_the_reason_to_wait()
    {
        await _board.AddNodeAsync();
        await _board.Rig.SetAsync(1, s => s with { Network = "gone" });
        var plan = await _board.HelloAsync();
        Assert.Equal(("wait", "its network 'gone' is not in the configuration any more"),
            (plan["action"], plan["reason"]));
    }

    [Fact]
    public async Task Hostile_bodies_are_refused_and_the_server_lives()
    {
        await _board.AddNodeAsync();
        var session = (await _board.HelloAsync())["session"];
        var binary = new byte[4000];
        new Random(20_261_120).NextBytes(binary);
        byte[][] bodies =
        [
            [], binary, [0xFF, 0xFE], "boot-id a\0b\n"u8.ToArray(), "boot-id \u0007\n"u8.ToArray(),
            Encoding.UTF8.GetBytes(new string('a', (64 << 10) + 1)),
            "boot-id k\nmac b8:27:eb:00:00:01\ndisk sda -5 usb 0 - blank\n"u8.ToArray(),
            "boot-id k\nmac nonsense\n"u8.ToArray(), "\n\n\n"u8.ToArray(),
            Encoding.UTF8.GetBytes("boot-id " + new string('k', 65) + "\nmac b8:27:eb:00:00:01\n"),
        ];
        foreach (var body in bodies)
        {
            var hello = await _board.SendAsync(HttpMethod.Post, "/installer/v1/hello", _board.Token(), body);
            Assert.True(hello.Status == HttpStatusCode.BadRequest,
                $"{Convert.ToHexString(body.AsSpan(0, Math.Min(20, body.Length)))}");
            Assert.StartsWith("error: ", Encoding.UTF8.GetString(hello.Body), StringComparison.Ordinal);
            var progress = await _board.SendAsync(HttpMethod.Post, "/installer/v1/progress", session, body);
            Assert.Equal(HttpStatusCode.BadRequest, progress.Status);
        }
        var huge = await _board.SendAsync(HttpMethod.Post, "/installer/v1/hello", _board.Token(), new byte[1 << 20]);
        Assert.True(huge.Status is HttpStatusCode.RequestEntityTooLarge or HttpStatusCode.BadRequest);
        foreach (var odd in new[] { "step dance", "step write\ndone -5\ntotal -1",
            "step write\ndone 99999999999999999999999\ntotal 0" })
        {
            var (status, _) = await _board.PostAsync("/installer/v1/progress", session, $"job 1-1\n{odd}\n");
            Assert.True(status is HttpStatusCode.OK or HttpStatusCode.BadRequest);
        }
        await _board.PostAsync(
            "/installer/v1/progress", session, $"job 1-1\nstep write\nmessage {new string('x', 60_000)}\n");
        Assert.InRange(Status.Attempt!.Message.Length, 1, 1001);
        Assert.Equal(HttpStatusCode.OK, (await _board.GetAsync("/installer/v1/plan", session)).Status);
    }

    [Fact]
    public async Task The_boot_tree_is_served_over_http_in_whole_and_in_part()
    {
        await _board.AddNodeAsync();
        await _board.Rig.SetAsync(1, s => s with { Address = Wire.IPv4Address.Parse("127.0.0.1") });
        var (status, body) = await _board.GetAsync("/boot/start4.elf", null);
        Assert.Equal((HttpStatusCode.OK, true), (status, body.AsSpan().SequenceEqual(TestImages.Start4)));
        Assert.Equal(HttpStatusCode.NotFound, (await _board.GetAsync("/boot/nothing.bin", null)).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await _board.GetAsync("/boot/..%5c..%5cetc/passwd", null)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await _board.GetAsync("/nothing", null)).Status);
    }

    private static string Hex(byte[] octets) => Convert.ToHexStringLower(SHA256.HashData(octets));
}
