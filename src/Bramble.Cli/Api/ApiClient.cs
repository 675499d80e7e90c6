using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Bramble.Cli.Login;

namespace Bramble.Cli.Api;

/// <summary>An answer as the record that we know, and as the manager sent it: scripts lose no unknown member.</summary>
internal readonly record struct Answer<T>(T Value, JsonElement Raw);

/// <summary>HTTP to the manager. Each call returns what was asked for or throws a <see cref="CliException"/>.</summary>
internal sealed class ApiClient : IDisposable
{
    /// <summary>For one answer. Reading a rack's power over SNMP may take a while; more means that it hangs.</summary>
    public static readonly TimeSpan UsualTimeout = TimeSpan.FromSeconds(30);

    /// <summary>Octets of a JSON answer; a thousand nodes with all their labels come to about two million.</summary>
    private const int MaxAnswer = 64 << 20;

    private readonly Connection _connection;
    private readonly TimeSpan _timeout;
    private readonly TimeProvider _time;
    private readonly HttpClient _http;

    public ApiClient(Connection connection, TimeSpan timeout, TimeProvider time)
    {
        _connection = connection;
        _timeout = timeout;
        _time = time;
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            // An upload's refusal should come before its gigabytes have gone.
            Expect100ContinueTimeout = TimeSpan.FromSeconds(3),
            ConnectTimeout = timeout < TimeSpan.FromSeconds(10) ? timeout : TimeSpan.FromSeconds(10),
            ConnectCallback = ConnectAsync,
        };
        if (connection.Address.SocketPath is not null) handler.UseProxy = false;
        _http = new HttpClient(handler)
        {
            BaseAddress = connection.Address.Base,
            Timeout = Timeout.InfiniteTimeSpan,
            MaxResponseContentBufferSize = MaxAnswer,
        };
        _http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("bramble", Product.Version));
        if (connection.Token is { } token)
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    public Task<Answer<T>> GetAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellation) =>
        SendAsync(HttpMethod.Get, path, null, type, cancellation);

    public Task<Answer<T>> PostAsync<TBody, T>(
        string path, TBody body, JsonTypeInfo<TBody> bodyType, JsonTypeInfo<T> type, CancellationToken cancellation) =>
        SendAsync(HttpMethod.Post, path, Json(body, bodyType), type, cancellation);

    public Task<Answer<T>> PatchAsync<TBody, T>(
        string path, TBody body, JsonTypeInfo<TBody> bodyType, JsonTypeInfo<T> type, CancellationToken cancellation) =>
        SendAsync(HttpMethod.Patch, path, Json(body, bodyType), type, cancellation);

    public async Task DeleteAsync(string path, CancellationToken cancellation)
    {
        using var bound = Bound(_timeout, cancellation);
        using var request = new HttpRequestMessage(HttpMethod.Delete, Relative(path));
        using var response = await OpenAsync(request, bound, cancellation);
    }

    /// <summary>Sends a body of any length; without a time limit, for as long as it takes.</summary>
    public async Task<Answer<T>> PutAsync<T>(
        string path, HttpContent body, JsonTypeInfo<T> type, TimeSpan? timeout, CancellationToken cancellation)
    {
        using var bound = Bound(timeout, cancellation);
        using var request = new HttpRequestMessage(HttpMethod.Put, Relative(path)) { Content = body };
        request.Headers.ExpectContinue = true;
        using var response = await OpenAsync(request, bound, cancellation);
        return await ReadAsync(response, type, bound, cancellation);
    }

    /// <summary>Opens an event stream. The time limit is for the answer's head only. The caller disposes it.</summary>
    public Task<HttpResponseMessage> OpenStreamAsync(
        string path, string? lastEventId, CancellationToken cancellation) =>
        OpenStreamAsync(path, "text/event-stream", lastEventId, cancellation);

    /// <summary>The same for any other kind of content that comes as it is made.</summary>
    public async Task<HttpResponseMessage> OpenStreamAsync(
        string path, string mediaType, string? lastEventId, CancellationToken cancellation)
    {
        using var bound = Bound(_timeout, cancellation);
        using var request = new HttpRequestMessage(HttpMethod.Get, Relative(path));
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(mediaType));
        if (lastEventId is not null) request.Headers.TryAddWithoutValidation("Last-Event-ID", lastEventId);
        var response = await OpenAsync(request, bound, cancellation);
        if (response.Content.Headers.ContentType?.MediaType == mediaType) return response;
        response.Dispose();
        throw ApiErrors.NotBramble(_connection, $"it sent no {mediaType}");
    }

    /// <summary>Fetches a body of any length; with --timeout, within that, else for as long as it takes.</summary>
    public async Task DownloadAsync(string path, Stream to, CancellationToken cancellation)
    {
        using var bound = Bound(_timeout == UsualTimeout ? null : _timeout, cancellation);
        using var request = new HttpRequestMessage(HttpMethod.Get, Relative(path));
        using var response = await OpenAsync(request, bound, cancellation);
        await using var body = await GuardAsync(() => response.Content.ReadAsStreamAsync(bound.Token), cancellation);
        var buffer = new byte[128 << 10];
        int read;
        // A broken connection is the manager's matter, a full disk is not.
        while ((read = await GuardAsync(() => body.ReadAsync(buffer, bound.Token).AsTask(), cancellation)) > 0)
            await to.WriteAsync(buffer.AsMemory(0, read), cancellation);
        await to.FlushAsync(cancellation);
    }

    public void Dispose() => _http.Dispose();

    private async Task<Answer<T>> SendAsync<T>(
        HttpMethod method, string path, HttpContent? body, JsonTypeInfo<T> type, CancellationToken cancellation)
    {
        using var bound = Bound(_timeout, cancellation);
        using var request = new HttpRequestMessage(method, Relative(path)) { Content = body };
        using var response = await OpenAsync(request, bound, cancellation);
        return await ReadAsync(response, type, bound, cancellation);
    }

    private async Task<HttpResponseMessage> OpenAsync(
        HttpRequestMessage request, CancellationTokenSource bound, CancellationToken cancellation)
    {
        var response = await GuardAsync(
            () => _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, bound.Token), cancellation);
        if (response.IsSuccessStatusCode) return response;
        using (response)
        {
            var body = await GuardAsync(() => response.Content.ReadAsByteArrayAsync(bound.Token), cancellation);
            throw ApiErrors.Refused(_connection, response, body);
        }
    }

    private async Task<Answer<T>> ReadAsync<T>(
        HttpResponseMessage response, JsonTypeInfo<T> type, CancellationTokenSource bound,
        CancellationToken cancellation)
    {
        var body = await GuardAsync(() => response.Content.ReadAsByteArrayAsync(bound.Token), cancellation);
        try
        {
            using var document = JsonDocument.Parse(body);
            var raw = document.RootElement.Clone();
            var value = raw.Deserialize(type) ?? throw new JsonException("it is null");
            return new Answer<T>(value, raw);
        }
        catch (JsonException wrong)
        {
            throw ApiErrors.NotBramble(_connection, wrong.Message, wrong);
        }
    }

    /// <summary>Turns the many ways in which a connection can fail into one.</summary>
    private async Task<T> GuardAsync<T>(Func<Task<T>> call, CancellationToken cancellation)
    {
        try
        {
            return await call();
        }
        catch (HttpRequestException failed)
        {
            throw ApiErrors.Unreachable(_connection, failed);
        }
        catch (IOException failed) when (failed is not FileNotFoundException)
        {
            throw ApiErrors.Unreachable(_connection, failed);
        }
        catch (OperationCanceledException late) when (!cancellation.IsCancellationRequested)
        {
            throw ApiErrors.Late(_connection, late);
        }
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        var path = _connection.Address.SocketPath;
        var socket = path is null
            ? new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true }
            : new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            if (path is null) KeepAlive(socket);
            EndPoint to = path is null ? context.DnsEndPoint : new UnixDomainSocketEndPoint(path);
            await socket.ConnectAsync(to, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>An event stream may be silent for hours; the kernel finds out in two minutes if it is dead.</summary>
    private static void KeepAlive(Socket socket)
    {
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 60);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 15);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 4);
    }

    private CancellationTokenSource Bound(TimeSpan? timeout, CancellationToken cancellation)
    {
        return timeout is { } limit
            ? new DeadlineSource(limit, _time, cancellation)
            : CancellationTokenSource.CreateLinkedTokenSource(cancellation);
    }

    private static ByteArrayContent Json<T>(T body, JsonTypeInfo<T> type) =>
        new(JsonSerializer.SerializeToUtf8Bytes(body, type))
        {
            Headers = { ContentType = new MediaTypeHeaderValue("application/json") },
        };

    private static Uri Relative(string path) => new(path.TrimStart('/'), UriKind.Relative);
}
