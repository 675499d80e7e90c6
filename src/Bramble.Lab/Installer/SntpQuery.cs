using Bramble.Lab.Boards;
using Bramble.Wire;
using Bramble.Wire.Ntp;

namespace Bramble.Lab.Installer;

/// <summary>Asks a server for the time as an SNTP client does (RFC 4330 §5).</summary>
internal static class SntpQuery
{
    private const int Tries = 3;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Returns the server's time, or null if it did not answer three times.</summary>
    public static async Task<DateTimeOffset?> AskAsync(BoardRun run, IPv4Address server)
    {
        var buffer = new byte[512];
        for (var i = 0; i < Tries; i++)
        {
            using var port = run.Link.OpenUdp();
            // A board without a battery believes 1970 until it is told; RFC 4330 wants a stamp all the same.
            var token = new NtpTimestamp((ulong)run.Random.NextInt64());
            var request = new NtpPacket { Version = 4, Mode = NtpMode.Client, TransmitTime = token };
            port.Send(buffer.AsSpan(0, request.Write(buffer)), server, NtpPacket.Port);
            using var timer = new CancellationTokenSource(Patience, run.Time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, run.Cancellation);
            try
            {
                while (true)
                {
                    var datagram = await port.ReceiveAsync(buffer, either.Token);
                    if (datagram.Address == server
                        && NtpPacket.TryRead(buffer.AsSpan(0, datagram.Length), out var reply, out _)
                        && reply is { Mode: NtpMode.Server, Stratum: > 0 } && reply.OriginTime == token
                        && reply.Leap != NtpLeap.Alarm)
                        return reply.TransmitTime.ToDateTimeOffset(run.Time.GetUtcNow());
                }
            }
            catch (OperationCanceledException) when (!run.Cancellation.IsCancellationRequested)
            {
                // Not this time.
            }
        }
        return null;
    }
}
