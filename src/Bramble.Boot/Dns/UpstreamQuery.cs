using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Bramble.Wire.Dns;

namespace Bramble.Boot.Dns;

/// <summary>
/// One question to one upstream server. Each has a socket of its own, so that whoever forges an answer has to guess the
/// port as well as the id (RFC 5452 §9).
/// </summary>
internal static class UpstreamQuery
{
    /// <summary>After so many answers that do not fit, somebody is guessing: TCP cannot be guessed at.</summary>
    private const int MaxStrangers = 32;

    private const int FirstPort = 10_000;
    private const int PortTries = 8;

    /// <summary>Asks over UDP, and over TCP if the answer is too long for UDP.</summary>
    /// <returns>The answer with its length; null if none came in time.</returns>
    /// <exception cref="SocketException">The server cannot be reached.</exception>
    public static async Task<(DnsMessage Message, int Octets)?> AskAsync(
        IPEndPoint server, DnsCacheKey key, bool edns, DnsForwarderOptions options, TimeProvider clock,
        CancellationToken cancellation)
    {
        var query = Write(key, edns, out var id);
        (DnsMessage, int)? answer;
        using (var timeout = new CancellationTokenSource(options.TryTimeout, clock))
        using (var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellation))
        {
            try
            {
                answer = await OverUdpAsync(server, key, query, id, either.Token);
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                return null;
            }
        }
        if (answer is { Item1.Header.IsTruncated: false }) return answer;
        DnsMetrics.CountUpstream(answer is null ? "forged" : "truncated");
        using (var timeout = new CancellationTokenSource(options.TcpTimeout, clock))
        using (var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellation))
        {
            try
            {
                return await OverTcpAsync(server, key, query, id, either.Token);
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                return null;
            }
        }
    }

    private static byte[] Write(DnsCacheKey key, bool edns, out ushort id)
    {
        id = (ushort)RandomNumberGenerator.GetInt32(ushort.MaxValue + 1);
        var buffer = new byte[DnsMessage.PlainUdpSize];
        var message = new DnsMessage
        {
            Header = new DnsHeader(id, 0) with
            {
                RecursionDesired = true,
                CheckingDisabled = key.CheckingDisabled,
            },
            Questions = [key.Question],
            Edns = edns ? new DnsEdns(DnsResponder.UdpSize, 0, key.DnssecOk, default) : null,
        };
        return buffer[..message.Write(buffer)];
    }

    /// <summary>Null if too many answers came that are none.</summary>
    private static async Task<(DnsMessage Message, int Octets)?> OverUdpAsync(
        IPEndPoint server, DnsCacheKey key, byte[] query, ushort id, CancellationToken cancellation)
    {
        using var socket = new Socket(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        BindAnywhere(socket);
        // Connected: the kernel drops what comes from any other address or port.
        await socket.ConnectAsync(server, cancellation);
        await socket.SendAsync(query, SocketFlags.None, cancellation);
        var buffer = new byte[4096];
        for (var strangers = 0; strangers < MaxStrangers; strangers++)
        {
            var length = await socket.ReceiveAsync(buffer, SocketFlags.None, cancellation);
            if (Fits(buffer.AsSpan(0, length), key.Question, id) is { } message) return (message, length);
            DnsMetrics.CountUpstream("stranger");
        }
        return null;
    }

    private static async Task<(DnsMessage Message, int Octets)?> OverTcpAsync(
        IPEndPoint server, DnsCacheKey key, byte[] query, ushort id, CancellationToken cancellation)
    {
        using var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(server, cancellation);
        await using var stream = new NetworkStream(socket);
        var framed = new byte[2 + query.Length];
        BinaryPrimitives.WriteUInt16BigEndian(framed, (ushort)query.Length);
        query.CopyTo(framed, 2);
        await stream.WriteAsync(framed, cancellation);
        try
        {
            await stream.ReadExactlyAsync(framed.AsMemory(0, 2), cancellation);
            var answer = new byte[BinaryPrimitives.ReadUInt16BigEndian(framed)];
            await stream.ReadExactlyAsync(answer, cancellation);
            return Fits(answer, key.Question, id) is { } message ? (message, answer.Length) : null;
        }
        catch (IOException)
        {
            // It closed the connection in place of an answer.
            return null;
        }
    }

    /// <summary>RFC 5452 §9.1: the answer has our id and repeats our question.</summary>
    private static DnsMessage? Fits(ReadOnlySpan<byte> packet, DnsQuestion question, ushort id)
    {
        if (!DnsHeader.TryRead(packet, out var header, out _) || !header.IsResponse || header.Id != id
            || header.Opcode != DnsOpcode.Query || !DnsMessage.TryRead(packet, out var message, out _))
            return null;
        // Servers that cannot make sense of a query return its header alone.
        if (message.Questions.Count == 0 && message.Code == DnsResponseCode.FormatError) return message;
        return message.Questions is [var repeated] && repeated.Equals(question) ? message : null;
    }

    /// <summary>A random port out of the high ones; the kernel's choice if those that were tried are taken.</summary>
    private static void BindAnywhere(Socket socket)
    {
        var any = socket.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any;
        for (var i = 0; i < PortTries; i++)
        {
            try
            {
                socket.Bind(new IPEndPoint(any, RandomNumberGenerator.GetInt32(FirstPort, ushort.MaxValue + 1)));
                return;
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                // Another one, then.
            }
        }
        socket.Bind(new IPEndPoint(any, 0));
    }
}
