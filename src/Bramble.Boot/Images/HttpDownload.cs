using System.Net;
using System.Net.Http.Headers;

namespace Bramble.Boot.Images;

/// <summary>
/// Downloads a file, going on where a broken connection left off (RFC 9110 section 14: Range, If-Range). A server
/// whose file changed meanwhile answers with the whole, and the download starts over.
/// </summary>
internal sealed class HttpDownload(HttpClient http, TimeProvider clock, SpaceGuard space)
{
    private const int MaxTries = 8;
    private static readonly TimeSpan Stall = TimeSpan.FromSeconds(60);

    /// <summary>Which version of the file the bytes so far are of; null if the server does not say.</summary>
    private RangeConditionHeaderValue? _version;

    /// <exception cref="ImageException">The server refuses, or every try failed.</exception>
    public async Task GetAsync(
        Uri uri, string path, IProgress<ImageProgress>? progress, CancellationToken cancellation)
    {
        if (uri.Scheme is not ("http" or "https"))
            throw new ImageException($"{uri} is neither http nor https. Download it yourself and add the file.");
        var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write);
        await using var _ = file.ConfigureAwait(false);
        for (var attempt = 1; ; attempt++)
        {
            var before = file.Position;
            try
            {
                await TryAsync(uri, file, progress, cancellation).ConfigureAwait(false);
                return;
            }
            catch (Exception e) when (e is HttpRequestException or IOException or TimeoutException)
            {
                var status = (e as HttpRequestException)?.StatusCode ?? 0;
                if (status == HttpStatusCode.RequestedRangeNotSatisfiable) _version = null;
                if ((int)status is >= 400 and < 500 && status is not (HttpStatusCode.RequestTimeout
                        or HttpStatusCode.TooManyRequests or HttpStatusCode.RequestedRangeNotSatisfiable))
                {
                    throw new ImageException($"{uri}: the server answers {(int)status} {status}.", e);
                }
                // Progress earns new tries: a large image over a bad link comes through in the end.
                if (file.Position > before) attempt = 1;
                if (attempt >= MaxTries)
                {
                    throw new ImageException(
                        $"{uri} could not be downloaded: {e.Message} ({file.Position} bytes came in {MaxTries} tries).",
                        e);
                }
                if (_version is null) Restart(file);
                await Task.Delay(TimeSpan.FromSeconds(Math.Min(30, 1 << attempt)), clock, cancellation)
                    .ConfigureAwait(false);
            }
        }
    }

    private async Task TryAsync(Uri uri, FileStream file,
        IProgress<ImageProgress>? progress, CancellationToken cancellation)
    {
        using var stall = new CancellationTokenSource(Stall, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, stall.Token);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, uri);
            if (file.Position > 0)
            {
                request.Headers.Range = new RangeHeaderValue(file.Position, null);
                request.Headers.IfRange = _version;
            }
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token)
                .ConfigureAwait(false);
            response.EnsureSuccessStatusCode();
            var resumed = response.StatusCode == HttpStatusCode.PartialContent
                && response.Content.Headers.ContentRange?.From == file.Position;
            if (!resumed) Restart(file);
            // Only a strong validator may bind parts together (RFC 9110 section 13.1.5).
            _version = response.Headers.ETag is { IsWeak: false } tag ? new RangeConditionHeaderValue(tag)
                : response.Content.Headers.LastModified is { } date ? new RangeConditionHeaderValue(date) : null;
            long? total = response.Content.Headers.ContentLength + file.Position;
            if (total is { } t) space.Need(t - file.Position);
            var body = await response.Content.ReadAsStreamAsync(either.Token).ConfigureAwait(false);
            await CopyAsync(body, file, total, stall, progress, either.Token).ConfigureAwait(false);
            if (total is { } whole && file.Position != whole)
                throw new IOException($"the connection ended after {file.Position} of {whole} bytes");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new TimeoutException($"nothing came for {Stall.TotalSeconds:0} s");
        }
    }

    private async Task CopyAsync(Stream body, FileStream file, long? total, CancellationTokenSource stall,
        IProgress<ImageProgress>? progress, CancellationToken cancellation)
    {
        var buffer = new byte[1 << 17];
        long reported = file.Position, checkedAt = file.Position;
        int n;
        while ((n = await body.ReadAsync(buffer, cancellation).ConfigureAwait(false)) > 0)
        {
            stall.CancelAfter(Stall);
            await file.WriteAsync(buffer.AsMemory(0, n), cancellation).ConfigureAwait(false);
            if (file.Position - checkedAt >= 64 << 20)
            {
                space.Need(64 << 20);
                checkedAt = file.Position;
            }
            if (file.Position - reported < 4 << 20) continue;
            reported = file.Position;
            progress?.Report(new ImageProgress("downloading", reported, total));
        }
    }

    private static void Restart(FileStream file)
    {
        file.Position = 0;
        file.SetLength(0);
    }
}
