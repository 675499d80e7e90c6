using Bramble.Boot.Initramfs;
using Bramble.Processes;
using Bramble.Testing;

namespace Bramble.Boot.Tests.Installer;

/// <summary>The installed system's report, run by the busybox that the installer leaves on the node.</summary>
public sealed class ReportTests
{
    private const string Credential = "the-nodes-credential";

    [Fact]
    public async Task A_node_reports_in_with_its_credential_and_again_when_it_was_told_to()
    {
        await using var manager = new ScriptedManager(space: null);
        var reports = await RunAsync(manager, count: 2);

        Assert.All(reports, report =>
        {
            Assert.Equal(("POST", "Bearer " + Credential), (report.Method, report.Bearer));
            Assert.Equal("17-2", report.Message["job"]);
            Assert.NotEmpty(report.Message["boot-id"]!);
            Assert.NotEmpty(report.Message["hostname"]!);
            Assert.NotEmpty(report.Message["kernel"]!);
            Assert.NotNull(report.Message.Number("uptime"));
        });
    }

    [Fact]
    public async Task A_report_that_is_not_taken_is_tried_again()
    {
        var count = 0;
        await using var manager = new ScriptedManager(space: null)
        {
            Script = _ => count++ == 0 ? new Answer(503, []) : null,
        };

        Assert.Equal(3, (await RunAsync(manager, count: 3)).Count);
    }

    /// <summary>Runs the script in a root of its own until it has made so many reports.</summary>
    private static async Task<IReadOnlyList<Call>> RunAsync(ScriptedManager manager, int count)
    {
        if (Sandbox.Obstacle() is { } obstacle) Assert.Skip(obstacle);
        var enough = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var script = manager.Script;
        manager.Script = call =>
        {
            if (manager.Calls.Count >= count) enough.TrySetResult();
            return script(call);
        };
        var root = Directory.CreateTempSubdirectory("bramble-report-").FullName;
        try
        {
            foreach (var directory in (string[])["usr/lib/bramble", "etc/bramble", "proc", "dev", "run", "credentials"])
                Directory.CreateDirectory(Path.Combine(root, directory));
            var report = OverlayFiles.All.Single(file => file.Path == "usr/lib/bramble/report");
            await File.WriteAllBytesAsync(Path.Combine(root, report.Path), report.Content.ToArray());
            File.Copy("/bin/busybox", Path.Combine(root, "usr/lib/bramble/busybox"));
            // Neither ends in a line feed, as a careless editor leaves them.
            await File.WriteAllTextAsync(Path.Combine(root, "etc/bramble/report.conf"),
                $"node=pi-03\njob=17-2\nurl=http://{manager.LocalEndPoint}");
            await File.WriteAllTextAsync(Path.Combine(root, "credentials/credential"), Credential);
            using var process = ChildProcess.Start("unshare",
            [
                "--mount", "--pid", "--fork", "--kill-child", "sh", "-euc",
                "mount -t proc proc \"$0/proc\"; mknod \"$0/dev/urandom\" c 1 9; "
                    + "chmod 755 \"$0/usr/lib/bramble/report\"; exec chroot \"$0\" /usr/lib/bramble/report", root,
            ], environment: new Dictionary<string, string>
            {
                ["CREDENTIALS_DIRECTORY"] = "/credentials",
                ["RUNTIME_DIRECTORY"] = "/run",
            });
            var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            try
            {
                await enough.Task.WithinAsync($"{count} reports");
            }
            catch (TimeoutException e)
            {
                ChildProcess.Kill(process);
                Assert.Fail($"{e.Message}. The script said:\n{await errors.WithinAsync("what the script said")}");
            }
            ChildProcess.Kill(process);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken).WithinAsync("the script's end");
            return manager.Calls;
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }
}
