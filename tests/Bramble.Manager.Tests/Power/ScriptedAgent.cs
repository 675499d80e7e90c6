using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Bramble.Wire.Snmp;

namespace Bramble.Manager.Tests.Power;

/// <summary>
/// An agent on loopback that does what a test tells it: each request is handed over, each answer is made.
/// </summary>
internal sealed class ScriptedAgent : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly Channel<(byte[] Bytes, EndPoint From)> _requests =
        Channel.CreateBounded<(byte[], EndPoint)>(100);

    public ScriptedAgent()
    {
        _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _ = ReceiveAsync();
    }

    public int Port => ((IPEndPoint)_socket.LocalEndPoint!).Port;

    public async Task<(SnmpPdu Pdu, byte[] Bytes, EndPoint From)> NextAsync()
    {
        var (bytes, from) = await _requests.Reader.ReadAsync(TestContext.Current.CancellationToken);
        return (SnmpMessage.TryRead(bytes, out var message, out _) ? message.Pdu : null!, bytes, from);
    }

    public static byte[] Answer(SnmpPdu request, params VarBind[] bindings) =>
        new SnmpMessage(SnmpVersion.V2c, "private"u8.ToArray(),
            new SnmpPdu(PduType.Response, request.RequestId, bindings)).ToBytes();

    public Task SendAsync(byte[] bytes, EndPoint to) => _socket.SendToAsync(bytes, SocketFlags.None, to);

    public void Dispose() => _socket.Dispose();

    private async Task ReceiveAsync()
    {
        var buffer = new byte[65536];
        try
        {
            while (true)
            {
                var received = await _socket.ReceiveFromAsync(
                    buffer, SocketFlags.None, new IPEndPoint(IPAddress.Any, 0));
                await _requests.Writer.WriteAsync((buffer[..received.ReceivedBytes], received.RemoteEndPoint));
            }
        }
        catch (SocketException)
        {
        }
        catch (ObjectDisposedException)
        {
        }
    }
}
