namespace Bramble.Cli.Tests.Backups;

/// <summary>A backup has its name when it is whole, and never another file's place.</summary>
public sealed class BackupTests
{
    private const string Route = "/api/v1/backup";

    private static readonly byte[] s_archive = [.. Enumerable.Range(0, 300_000).Select(i => (byte)i)];

    [Fact]
    public async Task It_is_written_for_its_owner_alone_and_overwrites_nothing()
    {
        await using var manager = await ScriptedManager.StartAsync();
        manager.On("GET", Route, (context, _) => context.Response.Body.WriteAsync(s_archive).AsTask());
        var file = Path.Combine(manager.Folder, "rack.tar.gz");
        var ran = await CliRun.RunAsync(manager, "backup", file, "--with-images");
        Assert.Equal(0, ran.Code);
        Assert.Contains("it holds every secret of the rack", ran.Error, StringComparison.Ordinal);
        Assert.Equal($"{Route}?images=true", manager.Asked.Last().Path);
        Assert.Equal(s_archive, await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        var again = await CliRun.RunAsync(manager, "backup", file);
        Assert.Equal(1, again.Code);
        Assert.Contains("is not overwritten", again.Error, StringComparison.Ordinal);
        Assert.Single(manager.Asked);
    }

    [Fact]
    public async Task A_connection_that_breaks_off_leaves_nothing()
    {
        await using var manager = await ScriptedManager.StartAsync();
        manager.On("GET", Route, async (context, _) =>
        {
            await context.Response.Body.WriteAsync(s_archive);
            await context.Response.Body.FlushAsync();
            context.Abort();
        });
        var file = Path.Combine(manager.Folder, "rack.tar.gz");
        var ran = await CliRun.RunAsync(manager, "backup", file);
        Assert.Equal(3, ran.Code);
        Assert.Contains("the connection broke off", ran.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(manager.Folder, "rack*"));
    }

    [Fact]
    public async Task One_that_is_refused_leaves_nothing()
    {
        await using var manager = await ScriptedManager.StartAsync();
        manager.On("GET", Route, 403, """{"title":"No","status":403,"detail":"this needs the role admin"}""");
        var file = Path.Combine(manager.Folder, "rack.tar.gz");
        Assert.Equal(4, (await CliRun.RunAsync(manager, "backup", file)).Code);
        Assert.Empty(Directory.EnumerateFiles(manager.Folder, "rack*"));
    }

    [Fact]
    public async Task A_part_that_is_there_is_anothers()
    {
        await using var manager = await ScriptedManager.StartAsync();
        var file = Path.Combine(manager.Folder, "rack.tar.gz");
        await File.WriteAllTextAsync($"{file}.part", "half", TestContext.Current.CancellationToken);
        var ran = await CliRun.RunAsync(manager, "backup", file);
        Assert.Equal(1, ran.Code);
        Assert.Contains("rack.tar.gz.part is there", ran.Error, StringComparison.Ordinal);
        Assert.Equal("half", await File.ReadAllTextAsync($"{file}.part", TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task On_a_terminal_it_is_no_text()
    {
        await using var manager = await ScriptedManager.StartAsync();
        var ran = await new CliRun(manager) { OnTerminal = true }.RunAsync(["backup", "-"]);
        Assert.Equal(2, ran.Code);
        Assert.Empty(manager.Asked);
    }
}
