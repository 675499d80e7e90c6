using System.Security.Cryptography;
using Bramble.Wire;
using Bramble.Wire.Dhcp;
using Bramble.Wire.Pcap;

namespace Bramble.Boot.Dhcp;

/// <summary>
/// Watches out for other DHCP servers on a network where we should be the only one: asks at the start and every few
/// minutes, as a client would, and hears what is said to others by broadcast meanwhile. It never takes an offer up.
/// </summary>
internal sealed class OtherServers(DhcpNetwork network, TimeProvider clock, Action<DhcpNoticeKind, string> notice)
{
    /// <summary>How often it asks.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMinutes(5);

    /// <summary>A server that let three questions pass is gone.</summary>
    private static readonly TimeSpan Memory = 3 * Interval + TimeSpan.FromSeconds(30);

    /// <summary>More servers than that are a flood of made-up ones.</summary>
    private const int Capacity = 16;

    private readonly Lock _gate = new();
    private readonly Dictionary<IPv4Address, (OtherServer Server, long At)> _heard = [];

    public IReadOnlyList<OtherServer> Snapshot()
    {
        lock (_gate) return [.. _heard.Values.Select(h => h.Server).OrderBy(s => s.Address)];
    }

    public async Task RunAsync(ILinkChannel link, CancellationToken cancellation)
    {
        var buffer = new byte[2048];
        using var turn = new PeriodicTimer(Interval, clock);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var asking = AskAsync(link, turn, end.Token);
        try
        {
            while (true)
            {
                var length = await link.ReceiveAsync(buffer, cancellation).ConfigureAwait(false);
                Hear(buffer.AsSpan(0, length), link.Mac);
            }
        }
        finally
        {
            await end.CancelAsync().ConfigureAwait(false);
            await asking.ConfigureAwait(false);
        }
    }

    /// <summary>Takes note of an answer to a client, if it is not our own.</summary>
    public void Hear(ReadOnlySpan<byte> frame, MacAddress own)
    {
        if (!UdpFrame.TryRead(frame, out var udp, out var payload, out _) || udp.DestinationPort != network.ClientPort
            || udp.SourceMac == own || !DhcpPacket.TryRead(payload, out var packet, out _)
            || packet.Operation != DhcpOperation.Reply
            || packet.MessageType is not (DhcpMessageType.Offer or DhcpMessageType.Ack or DhcpMessageType.Nak))
            return;
        // A proxy beside us gives no addresses, and so is no rival.
        if (packet.MessageType == DhcpMessageType.Offer && packet.YourAddress.IsAny) return;
        if (!packet.Options.TryGetAddress(DhcpOption.ServerIdentifier, out var server)) server = udp.Source;
        if (server == network.Server.Address) return;
        var now = clock.GetTimestamp();
        bool isNew;
        lock (_gate)
        {
            isNew = !_heard.ContainsKey(server);
            if (isNew && _heard.Count >= Capacity) return;
            _heard[server] = (new OtherServer(server, udp.SourceMac, clock.GetUtcNow()), now);
        }
        if (!isNew) return;
        notice(DhcpNoticeKind.OtherServer, $"another DHCP server, {server} ({udp.SourceMac}), answers on network "
            + $"{network.Name}, where Bramble is to be the only one: boards that take its offers do not boot from "
            + "here. Switch it off, or set this network's dhcp mode to proxy");
    }

    private async Task AskAsync(ILinkChannel link, PeriodicTimer turn, CancellationToken cancellation)
    {
        try
        {
            do
            {
                Forget();
                try
                {
                    link.Send(Question(link.Mac));
                }
                catch (IOException)
                {
                    // The interface is down; whether it is still there, others look after.
                }
            }
            while (await turn.WaitForNextTickAsync(cancellation).ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
    }

    private void Forget()
    {
        var gone = new List<OtherServer>();
        lock (_gate)
        {
            foreach (var (server, at) in _heard.Values)
                if (clock.GetElapsedTime(at) > Memory) gone.Add(server);
            foreach (var server in gone) _heard.Remove(server.Address);
        }
        foreach (var server in gone)
        {
            notice(DhcpNoticeKind.OtherServerGone,
                $"the other DHCP server {server.Address} on network {network.Name} has not been heard any more");
        }
    }

    /// <summary>
    /// A DISCOVER in a frame of its own: our own server, which listens above the link, does not hear it.
    /// </summary>
    private byte[] Question(MacAddress mac)
    {
        var packet = new DhcpPacket
        {
            TransactionId = (uint)RandomNumberGenerator.GetInt32(int.MaxValue),
            Mac = mac,
            // The answer must come by broadcast, whatever address is offered.
            Flags = DhcpPacket.BroadcastFlag,
        };
        packet.Options.Set(DhcpOption.MessageType, (byte)DhcpMessageType.Discover)
            .Set(DhcpOption.ParameterRequestList, [(byte)DhcpOption.SubnetMask, (byte)DhcpOption.Router]);
        var payload = packet.ToArray();
        var frame = new byte[UdpFrame.HeaderSize + payload.Length];
        new UdpFrame(mac, MacAddress.Broadcast, IPv4Address.Any, (ushort)network.ClientPort, IPv4Address.Broadcast,
            (ushort)network.ServerPort).Write(frame, payload);
        return frame;
    }
}
