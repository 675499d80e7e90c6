using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Bramble.Contracts.Installer;
using Bramble.Lab.Boards;

namespace Bramble.Lab.Installer;

/// <summary>The manager says that this token or session is over (401, 403).</summary>
internal sealed class SessionOverException(string message) : Exception(message);

/// <summary>The manager knows no such job (404, 409, 410): the plan is to be asked for again.</summary>
internal sealed class PlanOverException(string message) : Exception(message);

/// <summary>Calls to the manager as the installer makes them: repeated with back-off until they are answered.</summary>
internal sealed class ManagerClient(BoardRun run, string url, HttpMessageInvoker http) : IDisposable
{
    private const int LongestList = 16 << 20;

    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan DownloadLimit = TimeSpan.FromSeconds(300);

    private readonly Uri _url = new(url);

    /// <summary>Token, session or credential.</summary>
    public string Bearer { get; set; } = "";

    /// <summary>Why the last try failed; empty if it did not.</summary>
    public string LastError { get; private set; } = "";

    /// <summary>Sends a message and reads one, trying until it is answered.</summary>
    public Task<InstallerMessage> CallAsync(HttpMethod method, string path, InstallerMessage? body = null) =>
        RetryAsync(method, path, body, CallLimit, ReadMessageAsync);

    /// <summary>One try; null if there was no answer.</summary>
    public async Task<InstallerMessage?> TryCallAsync(HttpMethod method, string path, InstallerMessage? body = null)
    {
        try
        {
            return await OnceAsync(method, path, body, CallLimit, ReadMessageAsync);
        }
        catch (Exception e) when (IsTransient(e))
        {
            LastError = Words(e);
            return null;
        }
    }

    /// <summary>Reads lines that may be more than a message holds.</summary>
    public Task<string> TextAsync(string path) => RetryAsync(HttpMethod.Get, path, null, CallLimit,
        async (response, cancellation) => Encoding.UTF8.GetString(
            await ReadAllAsync(response, LongestList, cancellation)));

    /// <summary>Fetches octets; the reader throws <see cref="IOException"/> to have them sent again.</summary>
    public Task<T> DownloadAsync<T>(string path, Func<Stream, CancellationToken, Task<T>> read) =>
        RetryAsync(HttpMethod.Get, path, null, DownloadLimit, async (response, cancellation) =>
        {
            await using var stream = await response.Content.ReadAsStreamAsync(cancellation);
            return await read(stream, cancellation);
        });

    public void Dispose() => http.Dispose();

    private async Task<T> RetryAsync<T>(
        HttpMethod method, string path, InstallerMessage? body, TimeSpan limit,
        Func<HttpResponseMessage, CancellationToken, Task<T>> read)
    {
        var delay = TimeSpan.FromSeconds(1);
        while (true)
        {
            try
            {
                var result = await OnceAsync(method, path, body, limit, read);
                LastError = "";
                return result;
            }
            catch (Exception e) when (IsTransient(e))
            {
                LastError = Words(e);
            }
            await run.WaitAsync(delay * (0.75 + 0.5 * run.Random.NextDouble()));
            if (delay < Longest) delay = delay * 2 < Longest ? delay * 2 : Longest;
        }
    }

    private bool IsTransient(Exception e) => !run.Cancellation.IsCancellationRequested
        && e is HttpRequestException or IOException or OperationCanceledException
            or System.Net.Sockets.SocketException;

    private static string Words(Exception e) => e is OperationCanceledException ? "no answer in time" : e.Message;

    private async Task<T> OnceAsync<T>(
        HttpMethod method, string path, InstallerMessage? body, TimeSpan limit,
        Func<HttpResponseMessage, CancellationToken, Task<T>> read)
    {
        using var timer = new CancellationTokenSource(limit, run.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, run.Cancellation);
        using var request = new HttpRequestMessage(method, new Uri(_url, path));
        // busybox's wget opens a connection for each request.
        request.Headers.ConnectionClose = true;
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("Wget", null));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Bearer);
        if (body is not null) request.Content = new StringContent(body.ToString(), Encoding.UTF8, "text/plain");
        using var response = await http.SendAsync(request, either.Token);
        switch (response.StatusCode)
        {
            case HttpStatusCode.OK:
                return await read(response, either.Token);
            case HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden:
                throw new SessionOverException($"{path}: HTTP {(int)response.StatusCode}");
            case HttpStatusCode.NotFound or HttpStatusCode.Conflict or HttpStatusCode.Gone:
                throw new PlanOverException($"{path}: HTTP {(int)response.StatusCode}");
            default:
                throw new HttpRequestException($"{path}: HTTP {(int)response.StatusCode}");
        }
    }

    private static async Task<InstallerMessage> ReadMessageAsync(
        HttpResponseMessage response, CancellationToken cancellation)
    {
        var octets = await ReadAllAsync(response, InstallerMessage.MaxLength, cancellation);
        return InstallerMessage.TryRead(octets, out var message, out var error)
            ? message
            : throw new IOException(error);
    }

    private static async Task<byte[]> ReadAllAsync(
        HttpResponseMessage response, int limit, CancellationToken cancellation)
    {
        await using var stream = await response.Content.ReadAsStreamAsync(cancellation);
        using var all = new MemoryStream();
        var buffer = new byte[8192];
        int n;
        while ((n = await stream.ReadAsync(buffer, cancellation)) > 0)
        {
            if (all.Length + n > limit) throw new IOException($"the answer has more than {limit} octets");
            all.Write(buffer, 0, n);
        }
        return all.ToArray();
    }
}
