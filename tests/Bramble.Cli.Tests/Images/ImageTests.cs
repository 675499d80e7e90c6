using System.Security.Cryptography;
using System.Text.Json;
using Bramble.Cli.Images;
using Bramble.Contracts.Api;
using Microsoft.AspNetCore.Http;

namespace Bramble.Cli.Tests.Images;

public sealed class ImageTests
{
    private const string View = """
        {"name":"x","digest":"ab","sizeBytes":1048576,"architecture":"arm64","osName":"Debian 12","canGrow":true,
         "partitions":[{"number":1,"type":"0c","fileSystem":"vfat","label":"boot",
                        "offsetBytes":4194304,"sizeBytes":268435456}]}
        """;

    private static string Job(string state, long done = 0, string message = "") =>
        $$"""
        {"id":9,"kind":"fetch","name":"x","state":"{{state}}","message":"{{message}}","doneBytes":{{done}},
         "totalBytes":1000,"createdAt":"2026-05-01T12:00:00Z"}
        """;

    [Fact]
    public async Task A_file_is_streamed_up_unchanged_with_its_progress_told()
    {
        await using var manager = await ScriptedManager.StartAsync();
        var bytes = new byte[9_000_001];
        new Random(5).NextBytes(bytes);
        var file = Path.Combine(manager.Folder, "X.img.xz");
        await File.WriteAllBytesAsync(file, bytes, TestContext.Current.CancellationToken);
        byte[] received = [];
        long? length = null;
        manager.On("PUT", "/api/v1/images/x", async (context, _) =>
        {
            length = context.Request.ContentLength;
            received = await SHA256.HashDataAsync(context.Request.Body);
            await context.Response.WriteAsync(View);
        });
        var hash = Convert.ToHexString(SHA256.HashData(bytes));
        var ran = await CliRun.RunAsync(manager, "image", "add", file, "--sha256", hash, "--arch", "arm64");
        Assert.Equal(0, ran.Code);
        Assert.Equal(SHA256.HashData(bytes), received);
        Assert.Equal(bytes.Length, length);
        Assert.Equal($"/api/v1/images/x?file=X.img.xz&sha256={hash.ToLowerInvariant()}&architecture=arm64",
            Assert.Single(manager.Asked).Path);
        Assert.Contains("sending X.img.xz: 52% of 8.6 MiB\n", ran.Error, StringComparison.Ordinal);
        Assert.Contains("Partition 1   256 MiB at 4 MiB, vfat boot (0c)\n", ran.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refused_upload_says_why_and_sends_nothing()
    {
        await using var manager = await ScriptedManager.StartAsync();
        var file = Path.Combine(manager.Folder, "x.img");
        await File.WriteAllBytesAsync(file, new byte[32 << 20], TestContext.Current.CancellationToken);
        manager.On("PUT", "/api/v1/images/x", 409, """{"detail":"there is an image x already"}""");
        var ran = await CliRun.RunAsync(manager, "image", "add", file);
        Assert.Equal(1, ran.Code);
        Assert.Equal("bramble: there is an image x already\n", ran.Error);
    }

    [Fact]
    public async Task On_a_terminal_the_upload_has_a_bar_and_stdout_stays_data()
    {
        await using var manager = await ScriptedManager.StartAsync();
        var file = Path.Combine(manager.Folder, "[odd].img");
        await File.WriteAllBytesAsync(file, new byte[1 << 20], TestContext.Current.CancellationToken);
        manager.On("PUT", "/api/v1/images/[odd]", async (context, _) =>
        {
            await context.Request.Body.CopyToAsync(Stream.Null);
            await context.Response.WriteAsync(View);
        });
        var ran = await new CliRun(manager) { OnTerminal = true }.RunAsync(["image", "add", file, "-o", "json"]);
        Assert.Equal("/api/v1/images/%5Bodd%5D?file=%5Bodd%5D.img", Assert.Single(manager.Asked).Path);
        Assert.Equal(0, ran.Code);
        Assert.StartsWith("{", ran.Out, StringComparison.Ordinal);
        Assert.Contains("[odd].img", ran.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_file_is_named()
    {
        await using var manager = await ScriptedManager.StartAsync();
        var ran = await CliRun.RunAsync(manager, "image", "add", "/nowhere/x.img");
        Assert.Equal(1, ran.Code);
        Assert.Contains("cannot read /nowhere/x.img", ran.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_url_is_fetched_by_the_manager_and_followed()
    {
        await using var manager = await ScriptedManager.StartAsync();
        manager.On("POST", "/api/v1/image-jobs", 202, Job("queued"), "application/json")
            .On("GET", "/api/v1/image-jobs/9",
                Job("running", 500), Job("running", 1000, "unpacking"), Job("done", 1000));
        var ran = await new CliRun(manager) { Time = new ImpatientTime() }
            .RunAsync(["image", "add", "https://example.org/dir/X.img.xz?v=1"]);
        Assert.Equal(0, ran.Code);
        var asked = JsonSerializer.Deserialize(manager.Asked.First().Body, ContractsJson.Default.ImageJobRequest)!;
        Assert.Equal(("fetch", "x", "https://example.org/dir/X.img.xz?v=1"), (asked.Kind, asked.Name, asked.Url));
        Assert.Contains("fetch x: 50% of 1000 B running\n", ran.Error, StringComparison.Ordinal);
        Assert.Contains("fetch x: 100% of 1000 B unpacking\n", ran.Error, StringComparison.Ordinal);
        Assert.Contains("done", ran.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_job_that_fails_fails_the_command_with_its_message()
    {
        await using var manager = await ScriptedManager.StartAsync();
        manager.On("POST", "/api/v1/image-jobs", Job("queued"))
            .On("GET", "/api/v1/image-jobs/9", Job("failed", 10, "the server said 404"));
        var ran = await new CliRun(manager) { Time = new ImpatientTime() }.RunAsync(
            [
                "image", "build", "debian", "--arch", "arm64", "--suite", "bookworm", "--slim",
                "--package", "vim", "htop",
            ]);
        Assert.Equal(1, ran.Code);
        Assert.EndsWith("job 9 failed: the server said 404\n", ran.Error, StringComparison.Ordinal);
        var asked = JsonSerializer.Deserialize(manager.Asked.First().Body, ContractsJson.Default.ImageJobRequest)!;
        Assert.Equal(
            ("build-debian", "debian-bookworm-arm64", "bookworm", "arm64", true),
            (asked.Kind, asked.Name, asked.Suite, asked.Architecture, asked.Slim));
        Assert.Equal(["vim", "htop"], asked.Packages);
    }

    [Fact]
    public async Task A_job_need_not_be_followed()
    {
        await using var manager = await ScriptedManager.StartAsync();
        manager.On("POST", "/api/v1/image-jobs", Job("queued"));
        var ran = await CliRun.RunAsync(
            manager, "image", "build", "debian", "--arch", "amd64", "--no-wait", "-o", "json");
        Assert.Equal(0, ran.Code);
        Assert.Single(manager.Asked);
    }

    [Theory]
    [InlineData("raspios-lite.img.xz", "raspios-lite")]
    [InlineData("/a/b/Root.TAR.GZ", "root")]
    [InlineData("root.tgz", "root")]
    [InlineData("plain", "plain")]
    [InlineData("https://example.org/d/a%20b.img.zst?x=1#y", "a b")]
    public void An_image_is_named_for_its_file(string source, string name) =>
        Assert.Equal(name, ImageAddCommand.NameFrom(source));
}
