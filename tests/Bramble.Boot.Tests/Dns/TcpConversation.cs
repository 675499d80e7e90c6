using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Bramble.Testing;
using Bramble.Wire.Dns;

namespace Bramble.Boot.Tests.Dns;

/// <summary>A client's connection to the name server.</summary>
internal sealed class TcpConversation : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public TcpConversation(IPEndPoint door, string from = "127.0.0.1")
    {
        _socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
        _socket.Connect(door);
    }

    /// <summary>Null if the server closed the connection.</summary>
    public async Task<DnsMessage?> AskAsync(byte[] packet)
    {
        var framed = new byte[2 + packet.Length];
        BinaryPrimitives.WriteUInt16BigEndian(framed, (ushort)packet.Length);
        packet.CopyTo(framed, 2);
        try
        {
            await SendAsync(framed);
        }
        catch (SocketException)
        {
            return null;
        }
        return await ReadAsync();
    }

    public async Task SendAsync(byte[] octets) =>
        await _socket.SendAsync(octets, SocketFlags.None, TestContext.Current.CancellationToken);

    public async Task<DnsMessage?> ReadAsync()
    {
        var head = new byte[2];
        if (!await FillAsync(head)) return null;
        var answer = new byte[BinaryPrimitives.ReadUInt16BigEndian(head)];
        if (!await FillAsync(answer)) return null;
        Assert.True(DnsMessage.TryRead(answer, out var message, out var error), error.ToString());
        return message;
    }

    public void Dispose() => _socket.Dispose();

    private async Task<bool> FillAsync(byte[] buffer)
    {
        try
        {
            for (var at = 0; at < buffer.Length;)
            {
                var n = await _socket.ReceiveAsync(
                    buffer.AsMemory(at), SocketFlags.None, TestContext.Current.CancellationToken)
                    .AsTask().WithinAsync("octets of the name server");
                if (n == 0) return false;
                at += n;
            }
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
