using System.Collections.Concurrent;
using System.Diagnostics;
using Bramble.Processes;
using Bramble.System.Tests.Rack;

namespace Bramble.System.Tests.Moving;

/// <summary>
/// The real brambled on the loopback interface, serving no boards, and the command line that speaks to it.
/// </summary>
internal sealed class LoneManager : IAsyncDisposable
{
    private Process? _daemon;

    private LoneManager()
    {
        var socket = Path.Combine(Directory, "api.sock");
        File.WriteAllText(Config,
            $$"""
            cluster: moving
            state: {{State}}
            api:
              listen: ["unix:{{socket}}"]
            networks:
              - name: lo
                interface: lo
                address: 127.0.0.1/8
                tftp: false
                time: false
                http_port: {{Random.Shared.Next(20_000, 30_000)}}
                dhcp: {mode: off}
            """);
        Environment["BRAMBLE_SERVER"] = $"unix:{socket}";
        Environment["HOME"] = Directory;
        // 'bramble restore' runs the daemon's program.
        var daemon = Write("brambled",
            $"#!/bin/sh\nexec dotnet '{Path.Combine(AppContext.BaseDirectory, "brambled.dll")}' \"$@\"\n");
        File.SetUnixFileMode(daemon, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        Environment["BRAMBLED"] = daemon;
    }

    public string Directory { get; } = global::System.IO.Directory.CreateTempSubdirectory("bramble-moving-").FullName;

    public string State => Path.Combine(Directory, "state");

    public string Config => Path.Combine(Directory, "bramble.yaml");

    public ConcurrentQueue<string> Log { get; } = new();

    private Dictionary<string, string> Environment { get; } = [];

    public static async Task<LoneManager> StartAsync()
    {
        var manager = new LoneManager();
        manager.Environment["BRAMBLE_TOKEN"] =
            (await Programs.RunAsync("brambled", "first-token", "--config", manager.Config)).Trim();
        await manager.StartDaemonAsync();
        return manager;
    }

    public async Task StartDaemonAsync()
    {
        _daemon = Programs.StartSaying("brambled", Log, "--config", Config);
        for (var tries = 0; !(await RunAsync("status")).Succeeded; tries++)
        {
            Assert.False(_daemon.HasExited, string.Join('\n', Log));
            Assert.True(tries < 300, "brambled does not answer");
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        }
    }

    /// <summary>As <c>kill -9</c>.</summary>
    public async Task KillDaemonAsync()
    {
        if (_daemon is null) return;
        ChildProcess.Kill(_daemon);
        await _daemon.WaitForExitAsync();
        _daemon.Dispose();
        _daemon = null;
    }

    /// <summary>The command line, to whatever end it comes.</summary>
    public Task<ChildResult> RunAsync(params string[] arguments) =>
        Programs.ResultAsync(Environment, "bramble", arguments);

    public async Task<string> BrambleAsync(params string[] arguments)
    {
        var result = await RunAsync(arguments);
        Assert.True(result.Succeeded, $"bramble {string.Join(' ', arguments)}: {result.Output}{result.Errors}");
        return result.Output + result.Errors;
    }

    public string Write(string name, string text)
    {
        var path = Path.Combine(Directory, name);
        File.WriteAllText(path, text);
        return path;
    }

    public async ValueTask DisposeAsync()
    {
        await KillDaemonAsync();
        global::System.IO.Directory.Delete(Directory, recursive: true);
    }
}
