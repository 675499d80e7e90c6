using System.Net;
using System.Net.Http.Headers;
using Bramble.Lab.Boards;
using Bramble.Lab.Rom;
using Bramble.Lab.Tftp;
using Bramble.Wire;

namespace Bramble.Lab.Firmware;

/// <summary>A download that failed in a way that trying again may mend.</summary>
internal sealed class FetchFailedException(string message) : Exception(message);

/// <summary>How a PC's firmware and boot loaders fetch: whole files into memory.</summary>
internal sealed class PcFiles(BoardRun run)
{
    /// <summary>EDK II (MdeModulePkg, Mtftp4): the size is asked for first, in a request of its own.</summary>
    public static readonly TftpHabits Firmware = new(TransferSize: true, BlockSize: 1468, Rollover: true);

    public static readonly TftpHabits BiosRom = new(TransferSize: true, BlockSize: 1456, Rollover: true);

    public static readonly TftpHabits Grub = new(TransferSize: true, BlockSize: 1024, Rollover: true);

    /// <summary>Octets of the largest file that fits into such a machine.</summary>
    private const int Largest = 1 << 30;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Null if the server says that there is no such file.</summary>
    /// <exception cref="FetchFailedException">No answer, or none that a loader takes.</exception>
    public async Task<byte[]?> TryTftpAsync(IPv4Address server, string path, TftpHabits habits)
    {
        using var content = new MemoryStream();
        var result = await TftpAsync(server, path, habits, probe: false, content);
        return result.IsThere ? content.ToArray() : null;
    }

    /// <exception cref="FetchFailedException">It is not there either.</exception>
    public async Task<byte[]> TftpAsync(IPv4Address server, string path, TftpHabits habits) =>
        await TryTftpAsync(server, path, habits) ?? throw new FetchFailedException($"{path} is not there");

    /// <summary>Asks how large a file is and wants no more of it.</summary>
    public async Task<bool> ProbeAsync(IPv4Address server, string path, TftpHabits habits) =>
        (await TftpAsync(server, path, habits, probe: true, null)).IsThere;

    /// <exception cref="FetchFailedException">No answer, or another than 200.</exception>
    public async Task<byte[]> HttpAsync(HttpMethod method, string url, string agent)
    {
        run.Note(BoardStage.Tftp, $"{method} {url}");
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme != "http")
            throw new BootStoppedException($"{url} is no URL that the loader knows");
        using var http = run.Link.OpenHttp();
        using var timer = new CancellationTokenSource(TimeSpan.FromMinutes(5), run.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, run.Cancellation);
        using var request = new HttpRequestMessage(method, uri);
        request.Headers.UserAgent.Add(ProductInfoHeaderValue.Parse(agent));
        try
        {
            using var response = await http.SendAsync(request, either.Token);
            if (response.StatusCode != HttpStatusCode.OK)
                throw new FetchFailedException($"{url}: HTTP {(int)response.StatusCode}");
            // Both loaders allocate the room first: they want to be told how much.
            var length = response.Content.Headers.ContentLength
                ?? throw new FetchFailedException($"{url}: no Content-Length");
            if (length > Largest) throw new FetchFailedException($"{url}: {length} octets do not fit");
            if (method == HttpMethod.Head) return [];
            var octets = await response.Content.ReadAsByteArrayAsync(either.Token);
            return octets.Length == length ? octets
                : throw new FetchFailedException($"{url}: {octets.Length} of {length} octets");
        }
        catch (Exception e) when (!run.Cancellation.IsCancellationRequested
            && e is HttpRequestException or IOException or OperationCanceledException)
        {
            throw new FetchFailedException($"{url}: {(e is OperationCanceledException ? "no answer" : e.Message)}");
        }
    }

    private async Task<TftpResult> TftpAsync(
        IPv4Address server, string path, TftpHabits habits, bool probe, Stream? sink)
    {
        run.Note(BoardStage.Tftp, path);
        var result = await TftpClient.FetchAsync(run.Link, run.Time, server, new TftpFetch(path, habits, probe, sink),
            Patience, perBlock: true, null, run.Cancellation);
        return result.Outcome != TftpOutcome.Failed ? result
            : throw new FetchFailedException($"{path}: {result.Reason}");
    }
}
