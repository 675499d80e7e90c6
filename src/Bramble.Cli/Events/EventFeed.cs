using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Bramble.Contracts.Api;

namespace Bramble.Cli.Events;

/// <summary>
/// The live event stream, without end: when the connection breaks it is opened again with <c>Last-Event-ID</c>, after
/// a pause that doubles while the manager stays away. Only the first connection must succeed; a refusal (no token, no
/// such node) ends it at any time.
/// </summary>
internal sealed class EventFeed(Session session, string path, string? lastEventId)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    /// <summary>Octets of one event; a longer one comes from no manager.</summary>
    private const int MaxEvent = 1 << 20;

    private string? _lastEventId = lastEventId;

    public async IAsyncEnumerable<JsonElement> ReadAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        var (pause, connected) = (FirstPause, false);
        while (true)
        {
            using var response = await TryOpenAsync(connected, cancellation);
            if (response is not null)
            {
                if (connected) session.Say("connected again");
                connected = true;
                await using var stream = await response.Content.ReadAsStreamAsync(cancellation);
                var parser = SseParser.Create(stream, Parse);
                await using var items = parser.EnumerateAsync(cancellation).GetAsyncEnumerator(cancellation);
                while (await TryNextAsync(items, cancellation))
                {
                    pause = FirstPause;
                    if (items.Current.EventId is { Length: > 0 } id) _lastEventId = id;
                    if (items.Current.Data is { } raw) yield return raw;
                }
                var told = parser.ReconnectionInterval;
                if (told > TimeSpan.Zero && told < LongestPause) pause = told;
                session.Say("the event stream broke off; connecting again");
            }
            await Task.Delay(pause, session.Terminal.Time, cancellation);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    private async Task<HttpResponseMessage?> TryOpenAsync(bool again, CancellationToken cancellation)
    {
        try
        {
            return await session.Api.OpenStreamAsync(path, _lastEventId, cancellation);
        }
        catch (UnreachableException) when (again)
        {
            return null;
        }
    }

    /// <summary>False at the end of the stream, however it came.</summary>
    private static async Task<bool> TryNextAsync(
        IAsyncEnumerator<SseItem<JsonElement?>> items, CancellationToken cancellation)
    {
        try
        {
            return await items.MoveNextAsync();
        }
        catch (Exception broken) when (broken is IOException or HttpRequestException)
        {
            return false;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return false;
        }
    }

    /// <summary>Null for what is no event, such as a greeting.</summary>
    private JsonElement? Parse(string type, ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty || data.Length > MaxEvent) return null;
        try
        {
            var reader = new Utf8JsonReader(data);
            var raw = JsonElement.ParseValue(ref reader);
            // What people are shown must be readable as an event too.
            _ = raw.Deserialize(ContractsJson.Default.EventView);
            return raw;
        }
        catch (JsonException wrong)
        {
            session.Say($"left out an event of kind '{type}' that cannot be read: {wrong.Message}: "
                + Encoding.UTF8.GetString(data[..Math.Min(data.Length, 80)]));
            return null;
        }
    }
}
