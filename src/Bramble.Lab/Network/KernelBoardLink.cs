using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Bramble.Wire;
using Bramble.Wire.Dhcp;

namespace Bramble.Lab.Network;

/// <summary>A board's port at the <see cref="LabCable"/>.</summary>
internal sealed class KernelBoardLink(LabCable cable, MacAddress mac, TimeProvider time) : IBoardLink
{
    // A board's network chip keeps a few frames and drops the rest.
    private readonly Channel<DhcpArrival> _arrivals = Channel.CreateBounded<DhcpArrival>(
        new BoundedChannelOptions(8) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });

    private readonly Lock _lock = new();
    private readonly List<Socket> _sockets = [];
    private IPv4Address _address;
    private bool _dead;

    public MacAddress Mac => mac;

    public bool ArpMuted { get; set; }

    public IPv4Address Address
    {
        get => _address;
        set
        {
            var before = _address;
            if (before == value || _dead) return;
            _address = value;
            cable.Moved(this, before, value);
        }
    }

    public void SendDhcp(DhcpPacket packet, IPv4Address source, (IPv4Address Address, MacAddress Mac)? server)
    {
        if (_dead) return;
        var (address, to) = server ?? (IPv4Address.Broadcast, MacAddress.Broadcast);
        cable.SendDhcp(new UdpFlow(mac, to, source, address, 68, 67), packet);
    }

    public void AskWho(IPv4Address address)
    {
        if (!_dead) cable.AskFor(mac, _address, address);
    }

    public async ValueTask<DhcpArrival?> ReceiveDhcpAsync(TimeSpan wait, CancellationToken cancellation)
    {
        if (_arrivals.Reader.TryRead(out var arrival)) return arrival;
        if (wait <= TimeSpan.Zero) return null;
        using var timer = new CancellationTokenSource(wait, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellation);
        try
        {
            return await _arrivals.Reader.ReadAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return null;
        }
    }

    public IDatagramPort OpenUdp(ushort port) =>
        new UdpPort(cable, Track(NewSocket(SocketType.Dgram, ProtocolType.Udp, port)));

    public HttpMessageInvoker OpenHttp() => new(new SocketsHttpHandler
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        ConnectTimeout = TimeSpan.FromSeconds(10),
        ConnectCallback = async (context, cancellation) =>
        {
            var socket = Track(NewSocket(SocketType.Stream, ProtocolType.Tcp));
            socket.NoDelay = true;
            await socket.ConnectAsync(context.DnsEndPoint, cancellation).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        },
    });

    internal void Deliver(DhcpArrival arrival) => _arrivals.Writer.TryWrite(arrival);

    public void Dispose()
    {
        lock (_lock)
        {
            if (_dead) return;
            _dead = true;
            foreach (var socket in _sockets) Kill(socket);
            _sockets.Clear();
        }
        cable.Detach(this);
    }

    /// <summary>
    /// A board that loses power sends no farewell: with linger 0 the kernel says RST in place of FIN, and the lab's
    /// firewall lets no RST out.
    /// </summary>
    private static void Kill(Socket socket)
    {
        try
        {
            if (socket.SocketType == SocketType.Stream) socket.LingerState = new LingerOption(true, 0);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It was closed already.
        }
        socket.Dispose();
    }

    private Socket NewSocket(SocketType type, ProtocolType protocol, ushort port = 0)
    {
        if (_address.IsAny) throw new InvalidOperationException("the board has no address yet");
        var socket = new Socket(AddressFamily.InterNetwork, type, protocol);
        try
        {
            socket.Bind(new IPEndPoint(_address.ToIPAddress(), port));
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private Socket Track(Socket socket)
    {
        lock (_lock)
        {
            _sockets.RemoveAll(s => s.SafeHandle.IsClosed);
            if (!_dead) _sockets.Add(socket);
            else socket.Dispose();
        }
        return socket;
    }

    /// <summary>A UDP socket of the namespace's kernel, bound to the board's address.</summary>
    private sealed class UdpPort(LabCable cable, Socket socket) : IDatagramPort
    {
        private readonly SocketAddress _from = new(AddressFamily.InterNetwork);
        private readonly SocketAddress _to = new(AddressFamily.InterNetwork);

        public void Send(ReadOnlySpan<byte> datagram, IPv4Address address, ushort port)
        {
            if (cable.IsLost()) return;
            var octets = _to.Buffer.Span;
            System.Buffers.Binary.BinaryPrimitives.WriteUInt16BigEndian(octets[2..], port);
            address.Write(octets[4..]);
            try
            {
                socket.SendTo(datagram, SocketFlags.None, _to);
            }
            catch (SocketException)
            {
                // Nobody there, or no room: to a boot ROM that is a lost packet.
            }
            catch (ObjectDisposedException)
            {
                // The power went.
            }
        }

        public async ValueTask<Datagram> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellation)
        {
            while (true)
            {
                int length;
                try
                {
                    length = await socket.ReceiveFromAsync(buffer, SocketFlags.None, _from, cancellation)
                        .ConfigureAwait(false);
                }
                catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset
                    or SocketError.ConnectionRefused or SocketError.HostUnreachable)
                {
                    continue;
                }
                catch (SocketException e) when (e.SocketErrorCode == SocketError.OperationAborted)
                {
                    throw new ObjectDisposedException("a socket of a board", e);
                }
                if (cable.IsLost()) continue;
                var octets = _from.Buffer.Span;
                return new Datagram(length, IPv4Address.Read(octets[4..]),
                    System.Buffers.Binary.BinaryPrimitives.ReadUInt16BigEndian(octets[2..]));
            }
        }

        public void Dispose() => socket.Dispose();
    }
}
