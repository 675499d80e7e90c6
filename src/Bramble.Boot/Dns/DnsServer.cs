using System.Net;
using System.Net.Sockets;
using Bramble.Boot.Sockets;
using Bramble.Wire.Dns;
using Microsoft.Extensions.Logging;

namespace Bramble.Boot.Dns;

/// <summary>
/// Serves names on one network, over UDP and TCP: ours out of the zones, all others by way of the forwarder. What we
/// know is answered in the receiving loop; what others must be asked for waits elsewhere.
/// </summary>
public sealed partial class DnsServer
{
    /// <summary>More than any question takes.</summary>
    private const int ReceiveSize = 4096;

    private readonly DnsOptions _options;
    private readonly IDnsZones _zones;
    private readonly DnsForwarder _forwarder;
    private readonly ILogger<DnsServer> _logger;
    private readonly PortDoor _udp;
    private readonly PortDoor _tcp;
    private readonly DnsTcp _connections;
    private readonly ClientRates _rates;
    private readonly ClientSeats _waiting;

    public DnsServer(
        DnsOptions options, IDnsZones zones, DnsForwarder forwarder, TimeProvider clock, ILogger<DnsServer> logger)
    {
        _options = options;
        _zones = zones;
        _forwarder = forwarder;
        _logger = logger;
        var binding = new LocalBinding(options.Address.Address, options.Interface);
        _udp = new PortDoor("DNS", binding, ProtocolType.Udp, options.Port, clock, logger);
        _tcp = new PortDoor("DNS over TCP", binding, ProtocolType.Tcp, options.Port, clock, logger);
        _rates = new ClientRates(options.Burst, options.PerSecond, options.MaxClients, clock);
        _waiting = new ClientSeats(options.MaxWaiting, options.MaxWaitingOfClient);
        _connections = new DnsTcp(options, clock, AnswerOverTcpAsync, logger);
    }

    /// <summary>Completes when questions are taken over UDP, with the address and the port.</summary>
    public Task<IPEndPoint> Listening => _udp.Listening;

    /// <summary>As <see cref="Listening"/>, for TCP.</summary>
    public Task<IPEndPoint> ListeningTcp => _tcp.Listening;

    /// <summary>Serves until cancelled. An interface that is not there is waited for.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task[] doors = [_udp.RunAsync(ServeUdpAsync, stop.Token), _tcp.RunAsync(_connections.ServeAsync, stop.Token)];
        try
        {
            await await Task.WhenAny(doors);
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll(doors).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ServeUdpAsync(Socket socket, CancellationToken cancellation)
    {
        var buffer = new byte[ReceiveSize];
        var reply = new byte[DnsResponder.UdpSize];
        var sender = UdpPeer.Buffer();
        while (true)
        {
            var length = await socket.ReceiveFromAsync(buffer, SocketFlags.None, sender, cancellation);
            var peer = UdpPeer.From(sender);
            var decision = peer.Port == 0 ? DnsDecision.Drop("port") : Decide(peer, buffer.AsSpan(0, length));
            DnsMetrics.CountQuery(decision.Reason);
            if (decision.Verdict == DnsVerdict.Drop) LogIgnored(peer, decision.Reason);
            else if (decision.Verdict == DnsVerdict.Forward) _ = ForwardOverUdpAsync(socket, peer, decision.Message!);
            else Send(socket, peer, decision.Message!, reply, decision.UdpLimit);
        }
    }

    private DnsDecision Decide(UdpPeer peer, ReadOnlySpan<byte> packet)
    {
        if (!_rates.TryTake(peer.Address)) return DnsDecision.Drop("rate");
        var decision = DnsResponder.Decide(packet, _zones.Current, Asker(peer));
        if (decision.Verdict != DnsVerdict.Forward || _waiting.TryTake(peer.Address)) return decision;
        var busy = DnsResponder.Reply(decision.Message!, Asker(peer)) with { Code = DnsResponseCode.ServerFailure };
        return DnsDecision.Answer("busy", busy);
    }

    private DnsAsker Asker(UdpPeer peer)
    {
        var isClient = false;
        foreach (var network in _options.Recursion) isClient |= network.Contains(peer.Address);
        return new DnsAsker(_options.Address, isClient && _forwarder.HasUpstreams);
    }

    /// <summary>Asks upstream, and makes the answer ours. The client's seat is taken already, and left here.</summary>
    private async Task<DnsMessage> ForwardAsync(UdpPeer peer, DnsMessage query)
    {
        try
        {
            var found = await _forwarder.AskAsync(
                query.Questions[0], query.Edns?.DnssecOk ?? false, query.Header.CheckingDisabled);
            return DnsResponder.Reply(query, Asker(peer)) with
            {
                Code = found.Code,
                Answers = found.Answers,
                Authorities = found.Authorities,
                Additionals = found.Additionals,
            };
        }
        finally
        {
            _waiting.Leave(peer.Address);
        }
    }

    private async Task ForwardOverUdpAsync(Socket socket, UdpPeer peer, DnsMessage query)
    {
        try
        {
            var answer = await ForwardAsync(peer, query);
            Send(socket, peer, answer, new byte[DnsResponder.UdpSize], DnsResponder.UdpLimit(query.Edns));
        }
        catch (ObjectDisposedException)
        {
            // The door was closed meanwhile.
        }
        catch (Exception e)
        {
            LogBroken(e, peer);
        }
    }

    private async ValueTask<DnsMessage?> AnswerOverTcpAsync(UdpPeer peer, ReadOnlyMemory<byte> packet)
    {
        var decision = Decide(peer, packet.Span);
        DnsMetrics.CountQuery(decision.Reason);
        return decision.Verdict switch
        {
            DnsVerdict.Answer => decision.Message,
            DnsVerdict.Forward => await ForwardAsync(peer, decision.Message!),
            _ => null,
        };
    }

    private void Send(Socket socket, UdpPeer peer, DnsMessage message, byte[] buffer, int limit)
    {
        var length = message.Write(buffer.AsSpan(0, limit));
        try
        {
            socket.SendTo(buffer.AsSpan(0, length), SocketFlags.None, peer.ToSocketAddress());
        }
        catch (SocketException e)
        {
            // The client is not reachable, or its interface takes nothing: it asks again.
            LogSendFailed(peer, e.SocketErrorCode);
        }
    }
}
