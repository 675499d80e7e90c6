namespace Bramble.Cli.Tests.Login;

public sealed class LoginTests
{
    private static string FileIn(ScriptedManager manager) =>
        Path.Combine(manager.Folder, ".config", "bramble", "client.json");

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_tried_token_is_kept_for_its_owner_alone(bool terminal)
    {
        await using var manager = await ScriptedManager.StartAsync();
        manager.On("GET", "/api/v1/manager", Samples.Manager).On("GET", "/api/v1/leases", "[]");
        var run = new CliRun(manager) { Input = "brm_secret\n", OnTerminal = terminal };
        run.Environment.Remove("BRAMBLE_SERVER");
        var ran = await run.RunAsync(["login", manager.Address]);
        Assert.Equal(0, ran.Code);
        Assert.Equal("", ran.Out);
        Assert.DoesNotContain("brm_secret", ran.Error, StringComparison.Ordinal);
        Assert.Equal("Bearer brm_secret", Assert.Single(manager.Asked).Headers.Authorization);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(FileIn(manager)));

        var next = new CliRun(manager);
        next.Environment.Remove("BRAMBLE_SERVER");
        Assert.Equal(0, (await next.RunAsync(["lease", "ls"])).Code);
        Assert.Equal("Bearer brm_secret", manager.Asked.Last().Headers.Authorization);
        Assert.Single(Directory.GetFiles(Path.GetDirectoryName(FileIn(manager))!));
    }

    [Fact]
    public async Task A_refused_token_is_not_kept()
    {
        await using var manager = await ScriptedManager.StartAsync();
        manager.On("GET", "/api/v1/manager", 401, "{}");
        var ran = await new CliRun(manager) { Input = "wrong\n" }.RunAsync(["login"]);
        Assert.Equal(4, ran.Code);
        Assert.False(File.Exists(FileIn(manager)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("two words\n")]
    [InlineData("geheimniß\n")]
    public async Task What_cannot_be_a_token_is_refused_at_once(string typed)
    {
        await using var manager = await ScriptedManager.StartAsync();
        Assert.Equal(2, (await new CliRun(manager) { Input = typed }.RunAsync(["login"])).Code);
        Assert.Empty(manager.Asked);
    }

    [Fact]
    public async Task A_token_is_never_sent_to_another_server_than_its_own()
    {
        await using var manager = await ScriptedManager.StartAsync();
        Keep(manager, """{"server":"https://rack.example","token":"brm_secret"}""", 0b110_000_000);
        manager.On("GET", "/api/v1/leases", 401, "{}");
        var ran = await CliRun.RunAsync(manager, "lease", "ls");
        Assert.Equal("", manager.Asked.Single().Headers.Authorization.ToString());
        Assert.Contains("is for https://rack.example", ran.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_others_can_read_is_warned_of()
    {
        await using var manager = await ScriptedManager.StartAsync();
        Keep(manager, $$"""{"server":"{{manager.Address}}","token":"brm_secret"}""", 0b110_100_100);
        manager.On("GET", "/api/v1/leases", "[]");
        var ran = await CliRun.RunAsync(manager, "lease", "ls");
        Assert.Equal(0, ran.Code);
        Assert.Contains("chmod 600", ran.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_broken_file_is_named()
    {
        await using var manager = await ScriptedManager.StartAsync();
        Keep(manager, "{", 0b110_000_000);
        var ran = await CliRun.RunAsync(manager, "lease", "ls");
        Assert.Equal(1, ran.Code);
        Assert.Contains(FileIn(manager), ran.Error, StringComparison.Ordinal);
    }

    private static void Keep(ScriptedManager manager, string json, int mode)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(FileIn(manager))!);
        File.WriteAllText(FileIn(manager), json);
        File.SetUnixFileMode(FileIn(manager), (UnixFileMode)mode);
    }
}
