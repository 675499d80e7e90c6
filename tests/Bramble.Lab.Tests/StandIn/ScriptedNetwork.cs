using System.Net;
using System.Threading.Channels;
using Bramble.Lab.Network;
using Bramble.Wire;
using Bramble.Wire.Dhcp;
using Bramble.Wire.Ntp;

namespace Bramble.Lab.Tests.StandIn;

/// <summary>A cable in memory between boards and a <see cref="StandInManager"/>.</summary>
internal sealed class ScriptedNetwork : IBoardNetwork
{
    public ScriptedNetwork(StandInManager? manager = null)
    {
        Manager = manager ?? new StandInManager();
        Tftp = new StandInTftp(Manager);
    }

    public StandInManager Manager { get; }

    public StandInTftp Tftp { get; }

    /// <summary>How long an answer to DHCP takes.</summary>
    public TimeSpan OfferDelay { get; set; }

    /// <summary>Bytes of every DHCP message sent, for comparison with golden packets.</summary>
    public List<byte[]> Sent { get; } = [];

    /// <summary>Links that are alive.</summary>
    public int Alive;

    public IBoardLink Attach(MacAddress mac)
    {
        Interlocked.Increment(ref Alive);
        return new Link(this, mac);
    }

    private sealed class Link(ScriptedNetwork network, MacAddress mac) : IBoardLink
    {
        private readonly Channel<DhcpArrival> _arrivals = Channel.CreateUnbounded<DhcpArrival>();
        private readonly CancellationTokenSource _dead = new();
        private int _ports = 49151;

        public MacAddress Mac => mac;

        public IPv4Address Address { get; set; }

        public bool ArpMuted { get; set; }

        public void SendDhcp(DhcpPacket packet, IPv4Address source, (IPv4Address Address, MacAddress Mac)? server)
        {
            if (_dead.IsCancellationRequested) return;
            lock (network.Sent) network.Sent.Add(packet.ToArray());
            DhcpPacket.TryRead(packet.ToArray(), out var read, out _);
            if (network.Manager.Dhcp(read) is { } reply) _ = DeliverAsync(reply);
        }

        public void AskWho(IPv4Address address)
        {
            // There is only one to ask.
        }

        public async ValueTask<DhcpArrival?> ReceiveDhcpAsync(TimeSpan wait, CancellationToken cancellation)
        {
            using var timer = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _dead.Token);
            timer.CancelAfter(wait > TimeSpan.Zero ? wait : TimeSpan.Zero);
            try
            {
                return await _arrivals.Reader.ReadAsync(timer.Token);
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                return null;
            }
        }

        public IDatagramPort OpenUdp(ushort port) => new Port(
            network, Address, port > 0 ? port : (ushort)Interlocked.Increment(ref _ports), _dead.Token);

        public HttpMessageInvoker OpenHttp() => new(new Handler(network.Manager, _dead.Token));

        public void Dispose()
        {
            if (_dead.IsCancellationRequested) return;
            Interlocked.Decrement(ref network.Alive);
            _dead.Cancel();
        }

        private async Task DeliverAsync(DhcpPacket reply)
        {
            if (network.OfferDelay > TimeSpan.Zero)
                await Task.Delay(network.OfferDelay, TimeProvider.System);
            _arrivals.Writer.TryWrite(new DhcpArrival(reply, StandInManager.Mac, StandInManager.Address));
        }
    }

    private sealed class Port(ScriptedNetwork network, IPv4Address own, ushort number, CancellationToken dead)
        : IDatagramPort
    {
        private readonly Channel<(byte[] Octets, ushort Port)> _in = Channel.CreateUnbounded<(byte[], ushort)>();

        public void Send(ReadOnlySpan<byte> datagram, IPv4Address address, ushort port)
        {
            if (dead.IsCancellationRequested) return;
            var reply = port == NtpPacket.Port
                ? network.Manager.Ntp(datagram)
                : network.Tftp.Answer(datagram, own, number);
            if (reply is not null) _in.Writer.TryWrite((reply, port == NtpPacket.Port ? port : (ushort)6969));
        }

        public async ValueTask<Datagram> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellation)
        {
            try
            {
                using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, dead);
                var (octets, port) = await _in.Reader.ReadAsync(either.Token);
                octets.CopyTo(buffer);
                return new Datagram(octets.Length, StandInManager.Address, port);
            }
            catch (Exception e) when (e is ChannelClosedException
                or OperationCanceledException && !cancellation.IsCancellationRequested)
            {
                throw new ObjectDisposedException("port", e);
            }
        }

        public void Dispose() => _in.Writer.TryComplete();
    }

    private sealed class Handler(StandInManager manager, CancellationToken dead) : HttpMessageHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellation)
        {
            var body = request.Content is null ? [] : await request.Content.ReadAsByteArrayAsync(cancellation);
            // The power may go while the manager thinks.
            var answer = manager.Http(request.Method.Method, request.RequestUri!.AbsolutePath,
                request.Headers.Authorization?.Parameter ?? "", body);
            if (dead.IsCancellationRequested) throw new HttpRequestException("the board has no power");
            return new HttpResponseMessage((HttpStatusCode)answer.Status)
            {
                Content = new ByteArrayContent(answer.Body),
            };
        }
    }
}
