using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Bramble.Wire;
using Bramble.Wire.Dhcp;

namespace Bramble.Lab.Tests.StandIn;

/// <summary>
/// Puts a <see cref="StandInManager"/> on real sockets of another network namespace. A socket belongs for life to the
/// namespace of the thread that made it, so one short-lived thread moves there and makes them all.
/// </summary>
internal sealed partial class NamespaceServer : IDisposable
{
    private const int NewNetwork = 0x40000000;
    private const int BindToDevice = 25;

    private readonly StandInManager _manager;
    private readonly CancellationTokenSource _stop = new();
    private readonly Socket _dhcp;
    private readonly Socket _tftp;
    private readonly Socket _transfers;
    private readonly Socket _time;
    private readonly Socket _http;

    public NamespaceServer(string space, string interfaceName, StandInManager manager)
    {
        _manager = manager;
        Tftp = new StandInTftp(manager);
        Socket[] made = [];
        Exception? fault = null;
        var thread = new Thread(() =>
        {
            try
            {
                using var handle = File.OpenHandle("/run/netns/" + space);
                if (SetNamespace(handle.DangerousGetHandle().ToInt32(), NewNetwork) != 0)
                    throw new IOException($"setns {space}: {Marshal.GetLastPInvokeErrorMessage()}");
                var own = StandInManager.Address.ToIPAddress();
                made =
                [
                    Udp(IPAddress.Any, 67), Udp(own, 69), Udp(own, 0), Udp(own, 123),
                    new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp),
                ];
                made[0].EnableBroadcast = true;
                made[0].SetRawSocketOption(1, BindToDevice, Encoding.ASCII.GetBytes(interfaceName + "\0"));
                made[4].Bind(new IPEndPoint(own, 8067));
                made[4].Listen(4096);
            }
            catch (Exception e)
            {
                fault = e;
            }
        });
        thread.Start();
        thread.Join();
        if (fault is not null) throw fault;
        (_dhcp, _tftp, _transfers, _time, _http) = (made[0], made[1], made[2], made[3], made[4]);
        _ = ServeDhcpAsync();
        _ = ServeTftpAsync(_tftp);
        _ = ServeTftpAsync(_transfers);
        _ = ServeTimeAsync();
        _ = ServeHttpAsync();
    }

    public StandInTftp Tftp { get; }

    public void Dispose()
    {
        _stop.Cancel();
        foreach (var socket in (Socket[])[_dhcp, _tftp, _transfers, _time, _http]) socket.Dispose();
    }

    private static Socket Udp(IPAddress address, int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp)
        {
            ReceiveBufferSize = 4 << 20,
        };
        socket.Bind(new IPEndPoint(address, port));
        return socket;
    }

    private Task ServeDhcpAsync() => LoopAsync(_dhcp, async (packet, from) =>
    {
        if (!DhcpPacket.TryRead(packet.Span, out var request, out _) || _manager.Dhcp(request) is not { } reply) return;
        // What a 3B needs: no answer before two seconds are over.
        if (request.TransactionId == 0x26f30339) await Task.Delay(TimeSpan.FromSeconds(2.1), TimeProvider.System);
        var to = request.ClientAddress.IsAny ? IPAddress.Broadcast : request.ClientAddress.ToIPAddress();
        await _dhcp.SendToAsync(reply.ToArray(), new IPEndPoint(to, 68));
    });

    private Task ServeTftpAsync(Socket socket) => LoopAsync(socket, async (packet, from) =>
    {
        if (Tftp.Answer(packet.Span, IPv4Address.From(from.Address), (ushort)from.Port) is { } reply)
            await _transfers.SendToAsync(reply, from);
    });

    private Task ServeTimeAsync() => LoopAsync(_time, async (packet, from) =>
        await _time.SendToAsync(_manager.Ntp(packet.Span), from));

    private async Task LoopAsync(Socket socket, Func<ReadOnlyMemory<byte>, IPEndPoint, Task> take)
    {
        var buffer = new byte[2048];
        try
        {
            while (true)
            {
                var got = await socket.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0), _stop.Token);
                _ = take(buffer.AsSpan(0, got.ReceivedBytes).ToArray(), (IPEndPoint)got.RemoteEndPoint);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException)
        {
            // The test is over.
        }
    }

    private async Task ServeHttpAsync()
    {
        try
        {
            while (true) _ = AnswerAsync(await _http.AcceptAsync(_stop.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException)
        {
            // The test is over.
        }
    }

    private async Task AnswerAsync(Socket client)
    {
        try
        {
            await using var stream = new NetworkStream(client, ownsSocket: true);
            var head = new List<byte>(512);
            var one = new byte[1];
            while (!head.TakeLast(4).SequenceEqual("\r\n\r\n"u8.ToArray()))
            {
                if (await stream.ReadAsync(one, _stop.Token) == 0) return;
                head.Add(one[0]);
            }
            var lines = Encoding.ASCII.GetString([.. head]).Split("\r\n");
            string Header(string name) => lines
                .FirstOrDefault(line => line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))?
                [(name.Length + 1)..].Trim() ?? "";
            var body = new byte[int.TryParse(Header("Content-Length"), out var length) ? length : 0];
            await stream.ReadExactlyAsync(body, _stop.Token);
            var words = lines[0].Split(' ');
            var bearer = Header("Authorization").Replace("Bearer ", "", StringComparison.Ordinal);
            var (status, answer) = _manager.Http(words[0], words[1], bearer, body);
            await stream.WriteAsync(Encoding.ASCII.GetBytes(
                $"HTTP/1.1 {status} Stand-in\r\nContent-Length: {answer.Length}\r\nConnection: close\r\n\r\n"),
                _stop.Token);
            await stream.WriteAsync(answer, _stop.Token);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or SocketException)
        {
            // The board has lost its power.
        }
    }

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int SetNamespace(int descriptor, int kind);
}
