using System.Text.Json;

namespace Bramble.Cli.Tests.Nodes;

/// <summary>Verbs: what is asked of the manager, and what of the operator first.</summary>
public sealed class DeedTests
{
    private const string Reinstall = "/api/v1/nodes/actions/reinstall";

    [Theory]
    [InlineData("node forget 3")]
    [InlineData("install 3")]
    [InlineData("reinstall 3")]
    [InlineData("restart 3")]
    [InlineData("power off 3")]
    [InlineData("power cycle 3")]
    [InlineData("image rm debian12")]
    [InlineData("token revoke t1")]
    public async Task Without_a_terminal_nothing_is_destroyed_unasked(string line)
    {
        await using var manager = await ScriptedManager.StartAsync();
        var ran = await new CliRun(manager) { Input = "y\n" }.RunAsync(line.Split(' '));
        Assert.Equal(2, ran.Code);
        Assert.Contains("there is no terminal to ask on; say --yes", ran.Error, StringComparison.Ordinal);
        Assert.Empty(manager.Asked);
    }

    [Fact]
    public async Task On_a_terminal_the_nodes_are_named_and_only_a_yes_acts()
    {
        await using var manager = await ScriptedManager.StartAsync();
        manager.On("POST", Reinstall,
            Samples.Result(true, (3, true, "would install debian12"), (4, false, "no image")));
        var ran = await new CliRun(manager) { OnTerminal = true, Input = "\n" }.RunAsync(["reinstall", "phase=failed"]);
        Assert.Equal(new Ran(1, "", """
              3  shelf-3  would install debian12
              4  shelf-4  refused: no image
            reinstall: 1 node. Go on? [y/N] nothing was done

            """.Replace("  3  shelf-3", "    3  shelf-3", StringComparison.Ordinal)
               .Replace("  4  shelf-4", "    4  shelf-4", StringComparison.Ordinal)), ran);
        Assert.All(manager.Asked, asked => Assert.Contains("\"dryRun\":true", asked.Body, StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_was_agreed_to_is_done_even_if_the_selectors_now_match_others()
    {
        await using var manager = await ScriptedManager.StartAsync();
        manager.On("POST", Reinstall,
            Samples.Result(true, (3, true, "would"), (4, true, "would")),
            Samples.Result(false, (3, true, ""), (4, true, "")));
        var ran = await new CliRun(manager) { OnTerminal = true, Input = "y\n" }.RunAsync(
            ["reinstall", "phase=failed", "--image", "debian12", "--no-color"]);
        Assert.Equal(0, ran.Code);
        Assert.Equal("""{"select":["shelf-3","shelf-4"],"all":false,"dryRun":false,"image":"debian12"}""",
            manager.Asked.Last().Body);
    }

    [Fact]
    public async Task With_yes_the_selectors_go_straight_to_the_manager()
    {
        await using var manager = await ScriptedManager.StartAsync();
        manager.On("POST", "/api/v1/nodes/actions/restart",
            Samples.Result(false, (2, true, "power-cycled"), (3, false, "has no power port")));
        var ran = await CliRun.RunAsync(manager, "restart", "2", "3", "-y");
        Assert.Equal(new Ran(1, """
            NUM  NAME     RESULT   MESSAGE
            2    shelf-2  ok       power-cycled
            3    shelf-3  refused  has no power port

            """, ""), ran);
        Assert.Equal("""{"select":["2","3"],"all":false,"dryRun":false}""", Assert.Single(manager.Asked).Body);
    }

    [Theory]
    [InlineData("node adopt --all", "/api/v1/nodes/actions/adopt")]
    [InlineData("rescue --all", "/api/v1/nodes/actions/rescue")]
    [InlineData("boot --all", "/api/v1/nodes/actions/boot")]
    [InlineData("wait --all", "/api/v1/nodes/actions/wait")]
    [InlineData("power on --all", "/api/v1/power/on")]
    public async Task All_must_be_said(string line, string path)
    {
        await using var manager = await ScriptedManager.StartAsync();
        manager.On("POST", path, Samples.Result(false, (2, true, "")));
        Assert.Equal(0, (await CliRun.RunAsync(manager, line.Split(' '))).Code);
        Assert.Equal("""{"select":[],"all":true,"dryRun":false}""", Assert.Single(manager.Asked).Body);
    }

    [Fact]
    public async Task A_selection_that_matches_nobody_is_not_found()
    {
        await using var manager = await ScriptedManager.StartAsync();
        manager.On("POST", "/api/v1/nodes/actions/boot", Samples.Result(false));
        Assert.Equal(5, (await CliRun.RunAsync(manager, "boot", "phase=failed")).Code);
    }

    [Theory]
    [InlineData("node adopt 3")]
    [InlineData("node forget 3")]
    [InlineData("node set 3 --name x --label rack=b --label old=")]
    [InlineData("node add b8:27:eb:00:00:01")]
    [InlineData("install 3")]
    [InlineData("reinstall 3 --wait")]
    [InlineData("rescue 3")]
    [InlineData("boot 3")]
    [InlineData("wait 3")]
    [InlineData("restart 3")]
    [InlineData("power on 3")]
    [InlineData("power off 3")]
    [InlineData("power cycle 3")]
    [InlineData("image add {file}")]
    [InlineData("image add https://example.org/x.img.xz")]
    [InlineData("image build debian --arch arm64")]
    [InlineData("image rm debian12")]
    [InlineData("token create ci --role admin")]
    [InlineData("token revoke ci")]
    [InlineData("login")]
    public async Task A_dry_run_changes_nothing(string line)
    {
        await using var manager = await ScriptedManager.StartAsync();
        foreach (var verb in new[] { "adopt", "forget", "install", "reinstall", "rescue", "boot", "wait", "restart" })
            manager.On("POST", $"/api/v1/nodes/actions/{verb}", Samples.Result(true, (3, true, "would")));
        foreach (var verb in new[] { "on", "off", "cycle" })
            manager.On("POST", $"/api/v1/power/{verb}", Samples.Result(true, (3, true, "would")));
        manager.On("GET", "/api/v1/nodes/3", Samples.Running)
            .On("GET", "/api/v1/tokens",
                """[{"id":"t1","name":"ci","role":"viewer","createdAt":"2026-04-01T12:00:00Z"}]""")
            .On("DELETE", "/api/v1/images/debian12", 204, "");
        var file = Path.Combine(manager.Folder, "x.img");
        await File.WriteAllTextAsync(file, "x", TestContext.Current.CancellationToken);
        var ran = await new CliRun(manager) { Input = "secret\n" }.RunAsync(
            [.. line.Replace("{file}", file, StringComparison.Ordinal).Split(' '), "--dry-run"]);
        Assert.Equal(0, ran.Code);
        Assert.Contains("dry run: ", ran.Error, StringComparison.Ordinal);
        Assert.All(manager.Asked, asked => Assert.True(asked.Method switch
        {
            "GET" => true,
            "POST" => JsonElement.Parse(asked.Body).GetProperty("dryRun").GetBoolean(),
            "DELETE" => asked.Path.EndsWith("?dryRun=true", StringComparison.Ordinal),
            _ => false,
        }, $"{asked.Method} {asked.Path} {asked.Body}"));
        Assert.False(File.Exists(Path.Combine(manager.Folder, ".config", "bramble", "client.json")));
    }

    [Fact]
    public async Task Set_sends_only_what_was_named_and_an_empty_value_clears()
    {
        await using var manager = await ScriptedManager.StartAsync();
        manager.On("PATCH", "/api/v1/nodes/shelf-3", Samples.Running);
        var ran = await CliRun.RunAsync(manager,
            "node", "set", "shelf-3", "--number", "5", "--image", "", "--label", "rack=a=b", "--label", "old=");
        Assert.Equal(0, ran.Code);
        Assert.Equal("""{"number":5,"image":"","labels":{"rack":"a=b","old":""}}""", Assert.Single(manager.Asked).Body);
    }

    [Fact]
    public async Task A_new_tokens_secret_is_alone_on_stdout()
    {
        await using var manager = await ScriptedManager.StartAsync();
        manager.On("POST", "/api/v1/tokens", """
            {"token":{"id":"t2","name":"ci","role":"operator","createdAt":"2026-05-01T12:00:00Z"},"secret":"brm_abc"}
            """);
        var ran = await CliRun.RunAsync(manager, "token", "create", "ci", "--role", "operator", "--expires", "12h");
        Assert.Equal("brm_abc\n", ran.Out);
        Assert.Equal("""{"name":"ci","role":"operator","expiresAt":"2026-05-02T00:00:00+00:00"}""",
            Assert.Single(manager.Asked).Body);
    }

    [Fact]
    public async Task Revoking_by_an_ambiguous_name_revokes_nothing()
    {
        await using var manager = await ScriptedManager.StartAsync();
        manager.On("GET", "/api/v1/tokens", """
            [{"id":"t1","name":"ci","role":"viewer","createdAt":"2026-04-01T12:00:00Z"},
             {"id":"t2","name":"ci","role":"admin","createdAt":"2026-04-01T12:00:00Z"}]
            """).On("DELETE", "/api/v1/tokens/t2", 204, "");
        Assert.Equal(5, (await CliRun.RunAsync(manager, "token", "revoke", "ci", "-y")).Code);
        Assert.DoesNotContain(manager.Asked, asked => asked.Method == "DELETE");
        Assert.Equal(0, (await CliRun.RunAsync(manager, "token", "revoke", "t2", "-y")).Code);
    }
}
