using System.Buffers;
using Bramble.Lab.Network;
using Bramble.Wire;

namespace Bramble.Lab.Tftp;

/// <summary>What came of a file.</summary>
/// <param name="FirstAnswer">From the request to the server's first answer; null if there was none.</param>
internal readonly record struct TftpResult(TftpOutcome Outcome, long Length, string Reason, TimeSpan? FirstAnswer)
{
    public bool IsThere => Outcome is TftpOutcome.Fetched or TftpOutcome.Exists;
}

/// <summary>Fetches files over a board's link: one socket a file, as boot ROMs do it.</summary>
internal static class TftpClient
{
    private const ushort ServerPort = 69;

    /// <summary>Until the last word is said again.</summary>
    public static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);

    /// <param name="limit">For the whole file, or with <paramref name="perBlock"/> for the next block.</param>
    /// <param name="answered">Told once, at the server's first answer.</param>
    public static async Task<TftpResult> FetchAsync(
        IBoardLink link, TimeProvider time, IPv4Address server, TftpFetch fetch, TimeSpan limit,
        bool perBlock, Action? answered, CancellationToken cancellation)
    {
        var started = time.GetTimestamp();
        var said = started;
        var heard = started;
        TimeSpan? first = null;
        var turn = new Lock();
        using var port = link.OpenUdp();
        var buffer = ArrayPool<byte>.Shared.Rent(fetch.BufferSize);
        try
        {
            fetch.Start();
            port.Send(fetch.Reply, server, ServerPort);
            // One timer a file, not one a block: it repeats what was said last, and ends the wait at the limit.
            using var timer = time.CreateTimer(_ => Repeat(), null, Retry, TimeSpan.FromMilliseconds(250));
            while (fetch.Outcome == TftpOutcome.Running)
            {
                var datagram = await port.ReceiveAsync(buffer, cancellation).ConfigureAwait(false);
                if (datagram.Address != server) continue;
                lock (turn)
                {
                    if (!fetch.Receive(buffer.AsSpan(0, datagram.Length), datagram.Port)) continue;
                    said = heard = time.GetTimestamp();
                    port.Send(fetch.Reply, server, datagram.Port);
                }
                if (first is not null) continue;
                first = time.GetElapsedTime(started);
                answered?.Invoke();
            }
        }
        catch (ObjectDisposedException) when (!cancellation.IsCancellationRequested)
        {
            fetch.Fail("the socket was closed");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        return new TftpResult(fetch.Outcome, fetch.Length, fetch.Reason, first);

        void Repeat()
        {
            lock (turn)
            {
                if (fetch.Outcome != TftpOutcome.Running) return;
                if (time.GetElapsedTime(perBlock ? heard : started) >= limit)
                {
                    fetch.Fail($"{(first is null || perBlock ? "no answer" : "not finished")} within "
                        + $"{limit.TotalSeconds:0} s");
                    port.Dispose();
                }
                else if (time.GetElapsedTime(said) >= Retry)
                {
                    said = time.GetTimestamp();
                    port.Send(fetch.Reply, server, fetch.Port ?? ServerPort);
                }
            }
        }
    }
}
