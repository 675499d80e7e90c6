using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Bramble.Cli.Tests;

/// <summary>What the command line asked for.</summary>
public sealed record Asked(string Method, string Path, string Body, IHeaderDictionary Headers);

/// <summary>A real HTTP server on a Unix socket that gives the answers a test has written down.</summary>
public sealed class ScriptedManager : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, Func<HttpContext, string, Task>> _answers = [];

    private ScriptedManager(string folder)
    {
        Folder = folder;
        SocketPath = Path.Combine(folder, "api.sock");
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ListenUnixSocket(SocketPath);
            kestrel.Limits.MaxRequestBodySize = null;
        });
        _app = builder.Build();
        _app.Run(AnswerAsync);
    }

    /// <summary>A folder of this test alone: socket, home, files.</summary>
    public string Folder { get; }

    public string SocketPath { get; }

    public string Address => $"unix:{SocketPath}";

    public ConcurrentQueue<Asked> Asked { get; } = new();

    public static async Task<ScriptedManager> StartAsync()
    {
        var manager = new ScriptedManager(Directory.CreateTempSubdirectory("bramble-cli-").FullName);
        await manager._app.StartAsync(TestContext.Current.CancellationToken);
        return manager;
    }

    /// <summary>Each request in turn gets the next of these; the last one again and again.</summary>
    public ScriptedManager On(string method, string path, params string[] json)
    {
        var turn = 0;
        return On(method, path, (context, _) =>
        {
            context.Response.ContentType = "application/json";
            return context.Response.WriteAsync(json[Math.Min(Interlocked.Increment(ref turn), json.Length) - 1]);
        });
    }

    public ScriptedManager On(
        string method, string path, int status, string body, string type = "application/problem+json") =>
        On(method, path, (context, _) =>
        {
            context.Response.StatusCode = status;
            context.Response.ContentType = type;
            return context.Response.WriteAsync(body);
        });

    /// <param name="method">Of HTTP.</param>
    /// <param name="path">Without the query.</param>
    /// <param name="answer">Given the request and its body (empty for a PUT, whose body it reads itself).</param>
    public ScriptedManager On(string method, string path, Func<HttpContext, string, Task> answer)
    {
        _answers[$"{method} {path}"] = answer;
        return this;
    }

    public async ValueTask DisposeAsync()
    {
        using (var now = new CancellationTokenSource())
        {
            await now.CancelAsync();
            await _app.StopAsync(now.Token);
        }
        await _app.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var body = "";
        if (context.Request.Method != "PUT")
        {
            using var reader = new StreamReader(context.Request.Body, Encoding.UTF8);
            body = await reader.ReadToEndAsync(context.RequestAborted);
        }
        Asked.Enqueue(new Asked(context.Request.Method, context.Request.Path + context.Request.QueryString.Value, body,
            new HeaderDictionary(context.Request.Headers.ToDictionary(h => h.Key, h => h.Value))));
        if (_answers.TryGetValue($"{context.Request.Method} {context.Request.Path.Value}", out var answer))
        {
            await answer(context, body);
            return;
        }
        context.Response.StatusCode = 404;
        await context.Response.WriteAsync("no such path");
    }
}
