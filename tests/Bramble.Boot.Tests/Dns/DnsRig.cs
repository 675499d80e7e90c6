using System.Net;
using System.Net.Sockets;
using Bramble.Boot.Dns;
using Bramble.Testing;
using Bramble.Wire;
using Bramble.Wire.Dns;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bramble.Boot.Tests.Dns;

/// <summary>Zones of a small rack that the tests change at will.</summary>
internal sealed class RackZones : IDnsZones
{
    public static readonly DnsName Zone = DnsName.Parse("bramble.internal");

    private volatile DnsZones _current = With();

    public DnsZones Current
    {
        get => _current;
        set => _current = value;
    }

    /// <summary>The zone with these records, the reverse zone of 10.77.0.0/24, and the special ones.</summary>
    public static DnsZones With(params DnsRecord[] more)
    {
        var ns = Zone.Prepend("ns");
        var soa = new DnsSoa(ns, Zone.Prepend("hostmaster"), 7, 3600, 600, 86400, 5);
        var services = Zone.Prepend("_tcp").Prepend("_metrics");
        var reverse = ReverseNames.ZonesOf(IPv4Prefix.Parse("10.77.0.0/24")).Single();
        return new DnsZones(7,
        [
            new DnsZone(Zone, soa, 10,
            [
                DnsRecord.OfName(Zone, DnsType.NS, 10, ns),
                DnsRecord.A(ns, 10, IPv4Address.Parse("10.77.0.1")),
                DnsRecord.A(ns, 10, IPv4Address.Parse("10.78.0.1")),
                DnsRecord.A(Node(7), 10, IPv4Address.Parse("10.77.0.7")),
                DnsRecord.Srv(services, 10, 0, 0, 9100, Node(7)),
                .. more,
            ]),
            new DnsZone(reverse, soa, 10,
            [
                DnsRecord.OfName(reverse, DnsType.NS, 10, ns),
                DnsRecord.OfName(ReverseNames.Of(IPv4Address.Parse("10.77.0.7")), DnsType.PTR, 10, Node(7)),
            ]),
            .. SpecialZones.All,
        ]);
    }

    public static DnsName Node(int n) => Zone.Prepend($"node-{n:00}");
}

/// <summary>A server on loopback, on one port for UDP and TCP, that runs until disposed.</summary>
internal sealed class RunningDns : IAsyncDisposable
{
    public static readonly IPv4Prefix Loopback = IPv4Prefix.Parse("127.0.0.1/8");

    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;

    private RunningDns(DnsServer server, DnsForwarder forwarder, int port)
    {
        (Forwarder, Port) = (forwarder, port);
        _running = server.RunAsync(_stop.Token);
    }

    public DnsForwarder Forwarder { get; }

    public int Port { get; }

    public IPEndPoint Door => new(IPAddress.Loopback, Port);

    public static async Task<RunningDns> StartAsync(
        IDnsZones zones, IReadOnlyList<IPEndPoint>? upstreams = null, Func<DnsOptions, DnsOptions>? options = null)
    {
        var forwarder = new DnsForwarder(() => upstreams ?? [],
            new DnsForwarderOptions { TryTimeout = TimeSpan.FromMilliseconds(300) }, TimeProvider.System,
            NullLogger<DnsForwarder>.Instance);
        var port = FreePort();
        var server = new DnsServer(
            (options ?? (o => o))(new DnsOptions { Address = Loopback, Port = port, Recursion = [Loopback] }),
            zones, forwarder, TimeProvider.System, NullLogger<DnsServer>.Instance);
        var running = new RunningDns(server, forwarder, port);
        await server.Listening.WithinAsync("the name server");
        await server.ListeningTcp.WithinAsync("the name server's TCP");
        return running;
    }

    /// <summary>One that was free for UDP and TCP a moment ago.</summary>
    public static int FreePort()
    {
        while (true)
        {
            using var udp = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
            var port = ((IPEndPoint)udp.Client.LocalEndPoint!).Port;
            using var tcp = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                tcp.Bind(new IPEndPoint(IPAddress.Loopback, port));
                return port;
            }
            catch (SocketException)
            {
                // Taken there.
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.WithinAsync("the name server's end");
        _stop.Dispose();
    }
}

/// <summary>Queries as octets, and one exchange over UDP.</summary>
internal static class DnsAsk
{
    public static byte[] Query(string name, DnsType type = DnsType.A, DnsEdns? edns = null, ushort id = 77)
    {
        var buffer = new byte[512];
        var query = new DnsMessage
        {
            Header = new DnsHeader(id, 0) with { RecursionDesired = true },
            Questions = [new DnsQuestion(DnsName.Parse(name), type)],
            Edns = edns,
        };
        return buffer[..query.Write(buffer)];
    }

    public static async Task<DnsMessage> OverUdpAsync(IPEndPoint door, byte[] packet)
    {
        using var client = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        await client.SendAsync(packet, packet.Length, door);
        var answer = await client.ReceiveAsync(TestContext.Current.CancellationToken).AsTask()
            .WithinAsync("an answer of the name server");
        Assert.True(DnsMessage.TryRead(answer.Buffer, out var message, out var error), error.ToString());
        return message;
    }

    public static Task<DnsMessage> OverUdpAsync(IPEndPoint door, string name, DnsType type = DnsType.A) =>
        OverUdpAsync(door, Query(name, type));
}
