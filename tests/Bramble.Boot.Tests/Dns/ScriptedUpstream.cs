using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Bramble.Testing;
using Bramble.Wire.Dns;

namespace Bramble.Boot.Tests.Dns;

/// <summary>An upstream name server on loopback that says what the test wants, and notes who asked what.</summary>
internal sealed class ScriptedUpstream : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly UdpClient _udp;
    private readonly TcpListener _tcp;
    private readonly Task _running;

    /// <param name="udp">The packets that follow a query over UDP.</param>
    /// <param name="tcp">The message that answers one over TCP; null closes the connection.</param>
    public ScriptedUpstream(Func<DnsMessage, IEnumerable<DnsMessage>> udp, Func<DnsMessage, DnsMessage?>? tcp = null)
    {
        var port = RunningDns.FreePort();
        EndPoint = new IPEndPoint(IPAddress.Loopback, port);
        _udp = new UdpClient(EndPoint);
        _tcp = new TcpListener(EndPoint);
        _tcp.Start();
        _running = Task.WhenAll(ServeUdpAsync(udp), ServeTcpAsync(tcp ?? (_ => null)));
    }

    public IPEndPoint EndPoint { get; }

    /// <summary>Queries over UDP, with the port that each came from.</summary>
    public ConcurrentQueue<(int Port, DnsMessage Query)> Asked { get; } = new();

    public int AskedOverTcp { get; private set; }

    /// <summary>A reply that repeats the question, with records.</summary>
    public static DnsMessage Reply(DnsMessage query, params DnsRecord[] answers) => new()
    {
        Header = query.Header with { IsResponse = true, RecursionAvailable = true, AuthenticData = true },
        Questions = query.Questions,
        Answers = answers,
    };

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _udp.Dispose();
        _tcp.Stop();
        await _running.WithinAsync("the upstream's end");
        _stop.Dispose();
    }

    private async Task ServeUdpAsync(Func<DnsMessage, IEnumerable<DnsMessage>> script)
    {
        var buffer = new byte[DnsMessage.MaxSize];
        try
        {
            while (true)
            {
                var packet = await _udp.ReceiveAsync(_stop.Token);
                Assert.True(DnsMessage.TryRead(packet.Buffer, out var query, out _));
                Asked.Enqueue((packet.RemoteEndPoint.Port, query));
                foreach (var reply in script(query))
                    await _udp.SendAsync(buffer.AsMemory(0, reply.Write(buffer)), packet.RemoteEndPoint, _stop.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException)
        {
            // The test is over.
        }
    }

    private async Task ServeTcpAsync(Func<DnsMessage, DnsMessage?> script)
    {
        var buffer = new byte[2 + DnsMessage.MaxSize];
        try
        {
            while (true)
            {
                using var client = await _tcp.AcceptTcpClientAsync(_stop.Token);
                var stream = client.GetStream();
                await stream.ReadExactlyAsync(buffer.AsMemory(0, 2), _stop.Token);
                var length = BinaryPrimitives.ReadUInt16BigEndian(buffer);
                await stream.ReadExactlyAsync(buffer.AsMemory(0, length), _stop.Token);
                Assert.True(DnsMessage.TryRead(buffer.AsSpan(0, length), out var query, out _));
                AskedOverTcp++;
                if (script(query) is not { } reply) continue;
                length = (ushort)reply.Write(buffer.AsSpan(2));
                BinaryPrimitives.WriteUInt16BigEndian(buffer, length);
                await stream.WriteAsync(buffer.AsMemory(0, 2 + length), _stop.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException)
        {
            // The test is over.
        }
    }
}
