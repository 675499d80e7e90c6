using Microsoft.AspNetCore.Http;

namespace Bramble.Cli.Tests.Events;

public sealed class EventTests
{
    private const string Rest = """
        "nodeId":12,"nodeName":"shelf-3","actor":"board","message":"running"}
        """;

    private static string Event(int id) =>
        $$"""{"id":{{id}},"at":"2026-05-01T12:00:0{{id % 10}}Z","kind":"node.phase",{{Rest}}""";

    private static async Task SendAsync(HttpContext context, params int[] ids)
    {
        context.Response.ContentType = "text/event-stream";
        await context.Response.WriteAsync(": hello\n\n");
        foreach (var id in ids)
            await context.Response.WriteAsync($"id: {id}\nevent: node.phase\ndata: {Event(id)}\n\n");
        await context.Response.Body.FlushAsync();
    }

    [Fact]
    public async Task The_log_is_a_table()
    {
        await using var manager = await ScriptedManager.StartAsync();
        manager.On("GET", "/api/v1/events", $"[{Event(7)}]");
        var ran = await CliRun.RunAsync(manager, "events", "--after", "6", "--node", "shelf-3", "--limit", "5");
        Assert.Equal("""
            ID  TIME                  KIND        NODE     ACTOR  MESSAGE
            7   2026-05-01 12:00:07Z  node.phase  shelf-3  board  running

            """, ran.Out);
        Assert.Equal("/api/v1/events?node=shelf-3&after=6&limit=5", Assert.Single(manager.Asked).Path);
    }

    [Fact]
    public async Task A_broken_stream_is_resumed_after_the_last_event_seen()
    {
        await using var manager = await ScriptedManager.StartAsync();
        var time = new ImpatientTime();
        var turn = 0;
        manager.On("GET", "/api/v1/events/stream", async (context, _) =>
        {
            switch (++turn)
            {
                case 1:
                    await SendAsync(context, 1, 2);
                    break;
                case 2:
                    await SendAsync(context, 3);
                    // Half an event is none, and its id is not the last seen.
                    await context.Response.WriteAsync($"id: 9\ndata: {Event(9)}\n");
                    break;
                case 3 or 4 or 5:
                    context.Response.StatusCode = 503;
                    break;
                case 6:
                    await SendAsync(context, 4);
                    break;
                default:
                    context.Response.StatusCode = 401;
                    break;
            }
        });
        var ran = await new CliRun(manager) { Time = time }
            .RunAsync(["events", "--watch", "-o", "json", "--timeout", "1h"]);
        // The revoked token at last ends what else has no end.
        Assert.Equal(4, ran.Code);
        Assert.Equal($"{Event(1)}\n{Event(2)}\n{Event(3)}\n{Event(4)}\n", ran.Out);
        Assert.Equal(["", "2", "3", "3", "3", "3", "4"],
            manager.Asked.Select(asked => asked.Headers["Last-Event-ID"].ToString()));
        Assert.Equal([1, 1, 2, 4, 8, 1], time.Pauses.Select(pause => (int)pause.TotalSeconds));
    }

    [Fact]
    public async Task Watching_can_begin_after_a_given_event()
    {
        await using var manager = await ScriptedManager.StartAsync();
        using var interrupt = new CancellationTokenSource();
        manager.On("GET", "/api/v1/events/stream", async (context, _) =>
        {
            await SendAsync(context, 8);
            await interrupt.CancelAsync();
        });
        var ran = await new CliRun(manager)
            .RunAsync(["events", "-w", "--after", "7", "--node", "shelf-3"], interrupt.Token);
        Assert.Equal(130, ran.Code);
        var asked = Assert.Single(manager.Asked);
        Assert.Equal("7", asked.Headers["Last-Event-ID"]);
        Assert.Equal("/api/v1/events/stream?node=shelf-3", asked.Path);
    }

    [Fact]
    public async Task People_get_a_line_an_event()
    {
        await using var manager = await ScriptedManager.StartAsync();
        manager.On("GET", "/api/v1/events/stream", async (context, _) =>
        {
            if (manager.Asked.Count > 1) context.Response.StatusCode = 401;
            else await SendAsync(context, 1);
        });
        var ran = await new CliRun(manager) { Time = new ImpatientTime() }
            .RunAsync(["events", "-w", "--timeout", "1h"]);
        Assert.Equal("2026-05-01 12:00:01Z  node.phase        shelf-3: running (board)\n", ran.Out);
    }

    [Fact]
    public async Task An_event_that_cannot_be_read_is_left_out_and_said()
    {
        await using var manager = await ScriptedManager.StartAsync();
        manager.On("GET", "/api/v1/events/stream", async (context, _) =>
        {
            if (manager.Asked.Count > 1)
            {
                context.Response.StatusCode = 403;
                return;
            }
            context.Response.ContentType = "text/event-stream";
            await context.Response.WriteAsync($"id: 1\ndata: not json\n\nid: 2\ndata: {Event(2)}\n\n");
        });
        var ran = await new CliRun(manager) { Time = new ImpatientTime() }
            .RunAsync(["events", "-w", "-o", "yaml", "--timeout", "1h"]);
        Assert.StartsWith("---\nid: 2\n", ran.Out, StringComparison.Ordinal);
        Assert.Contains("left out an event", ran.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_first_connection_must_succeed()
    {
        var ran = await new CliRun(null).RunAsync(["events", "--watch", "-s", "unix:/nowhere/api.sock"]);
        Assert.Equal(3, ran.Code);
    }
}
