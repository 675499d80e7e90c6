using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Bramble.Boot.Sockets;
using Bramble.Wire.Dns;
using Microsoft.Extensions.Logging;

namespace Bramble.Boot.Dns;

/// <summary>
/// DNS over TCP (RFC 7766): each message behind its length in two octets. Connections are bounded, in all and for each
/// client; when all are taken, the one that has rested longest makes room. One that sends or takes too slowly is cut.
/// </summary>
internal sealed class DnsTcp(
    DnsOptions options, TimeProvider clock, Func<UdpPeer, ReadOnlyMemory<byte>, ValueTask<DnsMessage?>> answer,
    ILogger logger)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<Connection> _resting = [];
    private readonly ClientSeats _seats = new(options.MaxConnections, options.MaxConnectionsOfClient);

    public async Task ServeAsync(Socket listener, CancellationToken cancellation)
    {
        while (true)
        {
            Socket socket;
            try
            {
                socket = await listener.AcceptAsync(cancellation);
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionAborted
                or SocketError.ConnectionReset)
            {
                // accept(2): whoever had connected is gone already. Any other fault opens the door anew.
                continue;
            }
            if (socket.RemoteEndPoint is not IPEndPoint remote || Seat(UdpPeer.From(remote), socket) is not { } mine)
            {
                DnsMetrics.CountConnection("refused");
                socket.Dispose();
                continue;
            }
            DnsMetrics.CountConnection("accepted");
            _ = RunAsync(mine, cancellation);
        }
    }

    private Connection? Seat(UdpPeer peer, Socket socket)
    {
        if (_seats.IsFull) CutLongestResting();
        return _seats.TryTake(peer.Address) ? new Connection(peer, socket) : null;
    }

    private void CutLongestResting()
    {
        Connection? oldest;
        lock (_lock)
        {
            oldest = _resting.First?.Value;
            if (oldest is null) return;
            _resting.RemoveFirst();
        }
        DnsMetrics.CountConnection("cut");
        Leave(oldest);
        // Its own loop ends by that.
        oldest.Socket.Dispose();
    }

    private async Task RunAsync(Connection connection, CancellationToken cancellation)
    {
        try
        {
            connection.Socket.NoDelay = true;
            while (await ServeOneAsync(connection, cancellation))
            {
                // Another question may follow.
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // It went away, was too slow, or made room for another.
        }
        catch (Exception e)
        {
            logger.LogConnectionBroken(e, connection.Peer);
        }
        finally
        {
            Wake(connection);
            Leave(connection);
            connection.Socket.Dispose();
        }
    }

    /// <summary>False when there is nothing more to come.</summary>
    private async Task<bool> ServeOneAsync(Connection connection, CancellationToken cancellation)
    {
        var socket = connection.Socket;
        var head = new byte[2];
        Rest(connection);
        if (!await ReadAsync(socket, head.AsMemory(0, 1), options.IdleTimeout, cancellation)) return false;
        Wake(connection);
        if (!await ReadAsync(socket, head.AsMemory(1), options.TransferTimeout, cancellation)) return false;
        var question = new byte[BinaryPrimitives.ReadUInt16BigEndian(head)];
        if (!await ReadAsync(socket, question, options.TransferTimeout, cancellation)) return false;
        // What gets no answer gets no further hearing either.
        if (await answer(connection.Peer, question) is not { } message) return false;
        var buffer = new byte[2 + DnsMessage.MaxSize];
        var length = message.Write(buffer.AsSpan(2));
        BinaryPrimitives.WriteUInt16BigEndian(buffer, (ushort)length);
        await WriteAsync(socket, buffer.AsMemory(0, 2 + length), cancellation);
        return true;
    }

    private async Task<bool> ReadAsync(
        Socket socket, Memory<byte> buffer, TimeSpan limit, CancellationToken cancellation)
    {
        using var timeout = new CancellationTokenSource(limit, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellation);
        while (buffer.Length > 0)
        {
            var n = await socket.ReceiveAsync(buffer, SocketFlags.None, either.Token);
            if (n == 0) return false;
            buffer = buffer[n..];
        }
        return true;
    }

    private async Task WriteAsync(Socket socket, ReadOnlyMemory<byte> octets, CancellationToken cancellation)
    {
        using var timeout = new CancellationTokenSource(options.TransferTimeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellation);
        while (octets.Length > 0) octets = octets[await socket.SendAsync(octets, SocketFlags.None, either.Token)..];
    }

    private void Rest(Connection connection)
    {
        lock (_lock)
            if (!connection.HasLeft) _resting.AddLast(connection.Resting);
    }

    private void Wake(Connection connection)
    {
        lock (_lock)
            if (connection.Resting.List is not null) _resting.Remove(connection.Resting);
    }

    private void Leave(Connection connection)
    {
        lock (_lock)
        {
            if (connection.HasLeft) return;
            connection.HasLeft = true;
        }
        _seats.Leave(connection.Peer.Address);
    }

    private sealed class Connection
    {
        public Connection(UdpPeer peer, Socket socket)
        {
            (Peer, Socket) = (peer, socket);
            Resting = new LinkedListNode<Connection>(this);
        }

        public UdpPeer Peer { get; }

        public Socket Socket { get; }

        public LinkedListNode<Connection> Resting { get; }

        public bool HasLeft { get; set; }
    }
}

internal static partial class DnsTcpLog
{
    [LoggerMessage(2223, LogLevel.Error, "A connection of {Peer} to the name server broke")]
    public static partial void LogConnectionBroken(this ILogger logger, Exception exception, UdpPeer peer);
}
