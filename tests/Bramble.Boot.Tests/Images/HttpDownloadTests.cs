using System.Net;
using System.Net.Http.Headers;
using Bramble.Boot.Images;
using Bramble.Testing;

namespace Bramble.Boot.Tests.Images;

/// <summary>A download over a connection that breaks goes on where it was, and never joins two versions.</summary>
public sealed class HttpDownloadTests : IDisposable
{
    private static readonly Uri Address = new("http://images.example/pi.img.xz");
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);
    private readonly Scratch _scratch = new();
    private readonly byte[] _file = Scratch.Noise(1, 300_000);

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public async Task A_broken_connection_is_taken_up_where_it_ended()
    {
        using var server = new Server(_file) { BreakAfter = 70_000 };
        Assert.Equal(_file, await GetAsync(server));
        Assert.Equal([null, "bytes=70000-", "bytes=140000-", "bytes=210000-", "bytes=280000-"], server.Ranges);
        Assert.Equal([null, "\"1\"", "\"1\"", "\"1\"", "\"1\""], server.IfRanges);
    }

    [Fact]
    public async Task A_file_that_changed_meanwhile_is_fetched_from_the_start()
    {
        using var server = new Server(_file) { BreakAfter = 200_000 };
        server.AfterBreak = () =>
        {
            (server.File, server.Tag, server.BreakAfter) = (Scratch.Noise(2, 250_000), "\"2\"", int.MaxValue);
        };
        Assert.Equal(Scratch.Noise(2, 250_000), await GetAsync(server));
    }

    [Fact]
    public async Task A_server_without_ranges_or_validators_is_asked_for_the_whole_again()
    {
        using var server = new Server(_file) { BreakAfter = 200_000, Tag = null };
        server.AfterBreak = () => server.BreakAfter = int.MaxValue;
        Assert.Equal(_file, await GetAsync(server));
        Assert.Equal([null, null], server.Ranges);
    }

    [Fact]
    public async Task A_refusal_is_final_and_says_so()
    {
        using var server = new Server(_file) { Status = HttpStatusCode.NotFound };
        var e = await Assert.ThrowsAsync<ImageException>(() => GetAsync(server));
        Assert.Contains("404", e.Message, StringComparison.Ordinal);
        Assert.Single(server.Ranges);
    }

    [Fact]
    public async Task A_server_that_stays_broken_is_given_up_after_a_bounded_number_of_tries()
    {
        using var server = new Server(_file) { Status = HttpStatusCode.BadGateway };
        await Assert.ThrowsAsync<ImageException>(() => GetAsync(server));
        Assert.Equal(8, server.Ranges.Count);
    }

    [Fact]
    public async Task Only_http_is_fetched()
    {
        using var server = new Server(_file);
        await Assert.ThrowsAsync<ImageException>(() => GetAsync(server, new Uri("file:///etc/passwd")));
    }

    private async Task<byte[]> GetAsync(Server server, Uri? address = null)
    {
        var clock = new ManualTimeProvider();
        using var http = new HttpClient(server);
        var path = _scratch["download"];
        var space = new SpaceGuard(_scratch.Root, 0);
        var download = new HttpDownload(http, clock, space)
            .GetAsync(address ?? Address, path, null, Scratch.Cancellation);
        // Only the pauses between tries pass: a transfer that is slow on this machine has not stalled.
        await Patience.UntilAsync(() => download.IsCompleted, "the end of the download", () =>
        {
            if (clock.NextDue is { } pause && pause <= LongestPause) clock.Advance(pause);
        });
        await download;
        return File.ReadAllBytes(path);
    }

    /// <summary>A server of one file by RFC 9110, whose connections break.</summary>
    private sealed class Server(byte[] file) : HttpMessageHandler
    {
        public byte[] File { get; set; } = file;

        public string? Tag { get; set; } = "\"1\"";

        public int BreakAfter { get; set; } = int.MaxValue;

        public Action? AfterBreak { get; set; }

        public HttpStatusCode Status { get; init; } = HttpStatusCode.OK;

        public List<string?> Ranges { get; } = [];

        public List<string?> IfRanges { get; } = [];

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request,
            CancellationToken cancellationToken)
        {
            Ranges.Add(request.Headers.Range?.ToString());
            IfRanges.Add(request.Headers.IfRange?.ToString());
            if (Status != HttpStatusCode.OK) return Task.FromResult(new HttpResponseMessage(Status));
            var from = (int)(request.Headers.Range?.Ranges.First().From ?? 0);
            if (Tag is null || request.Headers.IfRange?.ToString() != Tag) from = 0;
            var response = new HttpResponseMessage(from > 0 ? HttpStatusCode.PartialContent : HttpStatusCode.OK)
            {
                Content = new StreamContent(new Breaking(File[from..], BreakAfter, () => AfterBreak?.Invoke())),
            };
            response.Content.Headers.ContentLength = File.Length - from;
            if (from > 0) response.Content.Headers.ContentRange =
                new ContentRangeHeaderValue(from, File.Length - 1, File.Length);
            if (Tag is not null) response.Headers.ETag = new EntityTagHeaderValue(Tag);
            return Task.FromResult(response);
        }
    }

    private sealed class Breaking(byte[] data, int after, Action broken) : MemoryStream(data)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var left = (int)Math.Min(after - Position, buffer.Length);
            if (left > 0 || Position == Length) return base.ReadAsync(buffer[..Math.Max(0, left)], cancellationToken);
            broken();
            throw new IOException("the connection was reset");
        }
    }
}
