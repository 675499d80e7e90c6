using System.Globalization;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Win32.SafeHandles;

namespace Bramble.Manager.Provisioning;

/// <summary>
/// Whole files to boards by sendfile(2): from the kernel's file cache to the connection, without a copy in between,
/// which the web server's response body has no way to do. It looks at each request before the web server does, and
/// answers itself only those that are plain in every respect: GET, a known path without escapes, no header but those of
/// <see cref="PlainRequest"/>, a file that lies on disk as it is. The first that is not, and all after it on that
/// connection, are the web server's: ranges, conditions, errors, the installer's calls. Nothing is lost by that, as
/// nothing of it was taken from the connection.
/// </summary>
internal sealed partial class BootFileConnections(PlainFiles files, TimeProvider clock, ILogger logger)
{
    /// <summary>Octets handed to the kernel at once; a client must take them in <see cref="SendTimeout"/>.</summary>
    private const long PieceSize = 2 << 20;

    private static readonly TimeSpan SendTimeout = TimeSpan.FromMinutes(2);

    // As the web server's own.
    private static readonly TimeSpan HeadTimeout = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan IdleTimeout = TimeSpan.FromSeconds(130);

    private readonly ILogger _logger = logger;

    public async Task ServeAsync(ConnectionContext connection, ConnectionDelegate webServer)
    {
        if (connection.Features.Get<IConnectionSocketFeature>()?.Socket is not { } socket
            || connection.RemoteEndPoint is not IPEndPoint remote)
        {
            await webServer(connection).ConfigureAwait(false);
            return;
        }
        var lifetime = connection.Features.Get<IConnectionLifetimeNotificationFeature>();
        using var closing = CancellationTokenSource.CreateLinkedTokenSource(
            connection.ConnectionClosed, lifetime?.ConnectionClosedRequested ?? default);
        try
        {
            for (var isFirst = true; ; isFirst = false)
            {
                var (next, request) = await ReadAsync(connection.Transport.Input, isFirst, closing.Token)
                    .ConfigureAwait(false);
                if (next == Next.End) return;
                using var file = request is null ? null : await files.FindAsync(request, remote.Address, closing.Token)
                    .ConfigureAwait(false);
                if (file is null)
                {
                    await webServer(connection).ConfigureAwait(false);
                    return;
                }
                await TakeAsync(connection.Transport.Input, request!.Length).ConfigureAwait(false);
                await SendAsync(socket, file, connection.ConnectionClosed).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is SocketException or IOException or OperationCanceledException
            or ConnectionAbortedException or ConnectionResetException)
        {
            LogEnded(remote, e.Message);
            // Not in order: the client must not take what came for the whole.
            connection.Abort(new ConnectionAbortedException(e.Message, e));
        }
    }

    private enum Next
    {
        /// <summary>A request, or null for one that is not for us.</summary>
        Request,

        /// <summary>The client is done, or silent for too long.</summary>
        End,
    }

    /// <summary>Looks at the next request without taking it.</summary>
    private async Task<(Next, PlainRequest?)> ReadAsync(PipeReader input, bool isFirst, CancellationToken closing)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(closing);
        using var limit = clock.CreateTimer(static source => ((CancellationTokenSource)source!).Cancel(), patience,
            isFirst ? HeadTimeout : IdleTimeout, Timeout.InfiniteTimeSpan);
        var hasBegun = false;
        while (true)
        {
            ReadResult read;
            try
            {
                read = await input.ReadAsync(patience.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return (Next.End, null);
            }
            var seen = read.Buffer;
            if (seen.IsEmpty && read.IsCompleted)
            {
                input.AdvanceTo(seen.Start);
                return (Next.End, null);
            }
            var verdict = PlainRequest.TryRead(seen, out var request);
            if (verdict != PlainVerdict.Incomplete || read.IsCompleted)
            {
                // Nothing is marked as examined: the web server sees all of it at its first look.
                input.AdvanceTo(seen.Start);
                return (Next.Request, request);
            }
            input.AdvanceTo(seen.Start, seen.End);
            if (hasBegun) continue;
            hasBegun = true;
            limit.Change(HeadTimeout, Timeout.InfiniteTimeSpan);
        }
    }

    private static async Task TakeAsync(PipeReader input, int octets)
    {
        // It is all there: it was read before, and given back.
        var read = await input.ReadAsync().ConfigureAwait(false);
        input.AdvanceTo(read.Buffer.GetPosition(octets));
    }

    private async Task SendAsync(Socket socket, BootFileReply file, CancellationToken closed)
    {
        var head = new SendPacketsElement(Encoding.Latin1.GetBytes(string.Create(CultureInfo.InvariantCulture, $"""
            HTTP/1.1 200 OK
            Content-Length: {file.Length}
            Content-Type: application/octet-stream
            Date: {clock.GetUtcNow():R}{(file.Tag is { } tag ? $"\nAccept-Ranges: bytes\nETag: \"{tag}\"" : "")}


            """).ReplaceLineEndings("\r\n")));
        using var sender = new FileSender(socket, clock, SendTimeout, closed);
        var first = true;
        // All extents of a reply lie in one file.
        using var stream = file.Extents.Count > 0 ? Reopen(file.Extents[0].File) : null;
        foreach (var extent in file.Extents)
        {
            for (long done = 0; done < extent.Length;)
            {
                var n = (int)Math.Min(PieceSize, extent.Length - done);
                var piece = new SendPacketsElement(stream!, extent.Offset + done, n);
                await sender.SendAsync(first ? [head, piece] : [piece], n + (first ? head.Count : 0))
                    .ConfigureAwait(false);
                first = false;
                done += n;
            }
        }
        if (first) await sender.SendAsync([head], head.Count).ConfigureAwait(false);
    }

    /// <summary>
    /// The same open file by a descriptor of its own, as the socket takes streams alone, and those own theirs.
    /// </summary>
    private static FileStream Reopen(SafeFileHandle file) =>
        new(string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{file.DangerousGetHandle()}"),
            new FileStreamOptions
            {
                BufferSize = 0,
                Options = FileOptions.Asynchronous,
                Share = FileShare.ReadWrite | FileShare.Delete,
            });

    [LoggerMessage(2102, LogLevel.Debug, "A file to {Client} was not sent to its end: {Why}")]
    private partial void LogEnded(IPEndPoint client, string why);
}
