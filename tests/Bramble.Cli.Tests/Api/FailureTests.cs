using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;

namespace Bramble.Cli.Tests.Api;

/// <summary>Whatever goes wrong has its exit code and one sentence that says what to do.</summary>
public sealed class FailureTests
{
    [Theory]
    [InlineData(400, "name 'a b' is no host name", 1, "bramble: name 'a b' is no host name")]
    [InlineData(401, "no token", 4, "Log in with 'bramble login unix:")]
    [InlineData(403, "this needs the role operator", 4, "this needs the role operator. Ask an administrator")]
    [InlineData(404, "there is no node 'x'", 5, "bramble: there is no node 'x'")]
    [InlineData(409, "the name is taken", 1, "bramble: the name is taken")]
    [InlineData(500, "database is read-only", 1, "the manager failed (500): database is read-only. Its log says more")]
    [InlineData(503, "starting", 3, "cannot answer now (503): starting. Try again")]
    public async Task A_refusal_is_told_in_one_sentence(int status, string detail, int code, string says)
    {
        await using var manager = await ScriptedManager.StartAsync();
        manager.On("GET", "/api/v1/nodes/x", status, $$"""{"title":"No","status":{{status}},"detail":"{{detail}}"}""");
        var ran = await CliRun.RunAsync(manager, "node", "show", "x");
        Assert.Equal(code, ran.Code);
        Assert.Equal("", ran.Out);
        Assert.Contains(says, ran.Error, StringComparison.Ordinal);
        Assert.Equal(1, ran.Error.Count(c => c == '\n'));
    }

    [Fact]
    public async Task A_401_names_where_the_token_was_looked_for()
    {
        await using var manager = await ScriptedManager.StartAsync();
        manager.On("GET", "/api/v1/leases", 401, "{}");
        var ran = await CliRun.RunAsync(manager, "lease", "ls");
        Assert.Contains($"BRAMBLE_TOKEN is not set, and {manager.Folder}/.config/bramble/client.json holds no token",
            ran.Error, StringComparison.Ordinal);
        var run = new CliRun(manager);
        run.Environment["BRAMBLE_TOKEN"] = "wrong";
        Assert.Contains("the token in BRAMBLE_TOKEN is not known there",
            (await run.RunAsync(["lease", "ls"])).Error, StringComparison.Ordinal);
        Assert.Equal("Bearer wrong", manager.Asked.Last().Headers.Authorization);
    }

    [Theory]
    [InlineData(404, "<html>nginx</html>", 5, "is it a Bramble manager")]
    [InlineData(200, "<html>hello</html>", 3, "is no Bramble manager of this version")]
    [InlineData(200, "null", 3, "is no Bramble manager of this version")]
    [InlineData(200, """[{"number":"three"}]""", 3, "is no Bramble manager of this version")]
    [InlineData(200, "", 3, "is no Bramble manager of this version")]
    [InlineData(302, "", 3, "sends us on to")]
    public async Task What_is_no_manager_is_called_so(int status, string body, int code, string says)
    {
        await using var manager = await ScriptedManager.StartAsync();
        manager.On("GET", "/api/v1/nodes", status, body, "text/html");
        var ran = await CliRun.RunAsync(manager, "node", "ls");
        Assert.Equal(code, ran.Code);
        Assert.Contains(says, ran.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_socket_that_is_not_there_is_named_with_what_to_do()
    {
        var run = new CliRun(null);
        var ran = await run.RunAsync(["node", "ls", "--server", "unix:/nowhere/api.sock"]);
        Assert.Equal(3, ran.Code);
        Assert.Contains("unix:/nowhere/api.sock: there is no such socket. Start it with 'systemctl start brambled'",
            ran.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_dead_socket_is_told_from_a_missing_one()
    {
        var folder = Directory.CreateTempSubdirectory("bramble-cli-");
        try
        {
            var path = Path.Combine(folder.FullName, "dead.sock");
            using (var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
            {
                // Bound and never listening: what kill -9 leaves behind.
                socket.Bind(new UnixDomainSocketEndPoint(path));
                var ran = await new CliRun(null).RunAsync(["status", "-s", $"unix:{path}"]);
                Assert.Equal(3, ran.Code);
                Assert.Contains("nobody listens on it", ran.Error, StringComparison.Ordinal);
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task A_closed_port_is_named_by_its_url()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        var ran = await new CliRun(null).RunAsync(["status", "--server", $"http://127.0.0.1:{port}"]);
        Assert.Equal(3, ran.Code);
        Assert.Contains($"cannot reach the manager at http://127.0.0.1:{port}: connection refused.", ran.Error,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_manager_that_says_nothing_is_given_up_on()
    {
        await using var manager = await ScriptedManager.StartAsync();
        var time = new Bramble.Testing.ManualTimeProvider(CliRun.Now);
        manager.On("GET", "/api/v1/nodes", async (context, _) =>
        {
            var hungUp = new TaskCompletionSource();
            await using var registration = context.RequestAborted.Register(hungUp.SetResult);
            time.Advance(TimeSpan.FromSeconds(5));
            await hungUp.Task;
        });
        var ran = await new CliRun(manager) { Time = time }.RunAsync(["node", "ls", "--timeout", "5s"]);
        Assert.Equal(3, ran.Code);
        Assert.Contains("did not answer in time. Give it longer with --timeout", ran.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_that_breaks_off_is_no_answer()
    {
        await using var manager = await ScriptedManager.StartAsync();
        manager.On("GET", "/api/v1/nodes", async (context, _) =>
        {
            context.Response.ContentLength = 1000;
            await context.Response.WriteAsync("[");
            await context.Response.Body.FlushAsync();
            context.Abort();
        });
        var ran = await CliRun.RunAsync(manager, "node", "ls");
        Assert.Equal(3, ran.Code);
        Assert.Contains("the connection broke off", ran.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("node ls --server ftp://x", "is no server")]
    [InlineData("node ls --server unix:api.sock", "names no socket")]
    [InlineData("node ls --server https://me:secret@x", "holds a user name")]
    [InlineData("node show ..", "is no name")]
    [InlineData("node ls -o xml", "not recognized")]
    [InlineData("restart 2 --timeout 3x", "is not a time")]
    [InlineData("restart", "no node is named")]
    [InlineData("power on", "no node is named")]
    [InlineData("adopt 3", "Unrecognized command")]
    [InlineData("node adopt --all 3", "contradict")]
    [InlineData("node adopt 9-2", "is no range")]
    [InlineData("node adopt 1-100000", "at most 500")]
    [InlineData("node set 3", "nothing to set")]
    [InlineData("node set 3 --label x", "is no label")]
    [InlineData("timeline 3 --boots 0", "at least 1")]
    [InlineData("image build debian", "--arch")]
    [InlineData("image add http://h/x.img --sha256 12", "64 hex digits")]
    [InlineData("image add http://h/", "no name for the image")]
    [InlineData("", "Required command")]
    public async Task A_wrong_command_line_asks_the_manager_nothing(string line, string says)
    {
        await using var manager = await ScriptedManager.StartAsync();
        var ran = await CliRun.RunAsync(manager, line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(2, ran.Code);
        Assert.Contains(says, ran.Error, StringComparison.Ordinal);
        Assert.Equal("", ran.Out);
        Assert.Empty(manager.Asked);
    }

    [Fact]
    public async Task An_interrupt_ends_with_130()
    {
        await using var manager = await ScriptedManager.StartAsync();
        using var interrupt = new CancellationTokenSource();
        manager.On("GET", "/api/v1/nodes", (_, _) => interrupt.CancelAsync());
        var ran = await new CliRun(manager).RunAsync(["node", "ls"], interrupt.Token);
        Assert.Equal(130, ran.Code);
    }

    [Fact]
    public async Task Every_command_has_help_with_an_example()
    {
        await using var manager = await ScriptedManager.StartAsync();
        var root = CommandLine.Build(new Terminal
        {
            Out = TextWriter.Null,
            Error = TextWriter.Null,
            In = TextReader.Null,
            InIsTerminal = false,
            OutIsTerminal = false,
            ErrorIsTerminal = false,
            Width = () => 80,
            Variable = _ => null,
            Time = TimeProvider.System,
            ReadSecret = () => "",
        });
        foreach (var path in Leaves(root))
        {
            var ran = await CliRun.RunAsync(manager, [.. path, "--help"]);
            Assert.Equal(0, ran.Code);
            Assert.Contains($"Example:\n  bramble {string.Join(' ', path)}", ran.Out, StringComparison.Ordinal);
        }
        Assert.Empty(manager.Asked);
    }

    private static IEnumerable<string[]> Leaves(System.CommandLine.Command command) =>
        command.Subcommands.SelectMany(sub => sub.Subcommands.Count == 0
            ? [[sub.Name]]
            : Leaves(sub).Select(rest => (string[])[sub.Name, .. rest]));
}
