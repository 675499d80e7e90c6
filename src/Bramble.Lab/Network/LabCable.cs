using System.Collections.Concurrent;
using Bramble.Wire;
using Bramble.Wire.Dhcp;

namespace Bramble.Lab.Network;

/// <summary>
/// The boards' common cable in a network namespace. One packet socket carries what boards say without a kernel: DHCP
/// and ARP, each with the board's own MAC. What needs a leased address (TFTP, time, HTTP) goes through sockets of the
/// namespace's kernel, which accepts any board's address (see <see cref="LabNamespaces"/>).
/// </summary>
internal sealed class LabCable : IBoardNetwork, IDisposable
{
    private readonly PacketSocket _socket;
    private readonly TimeProvider _time;
    private readonly ConcurrentDictionary<MacAddress, KernelBoardLink> _byMac = [];
    private readonly ConcurrentDictionary<IPv4Address, KernelBoardLink> _byAddress = [];
    private readonly ConcurrentDictionary<IPv4Address, MacAddress> _hosts = [];
    private readonly Random _random;
    private int _frameId;

    public LabCable(string interfaceName, TimeProvider time, int seed)
    {
        _socket = new PacketSocket(interfaceName);
        _time = time;
        _random = new Random(seed);
    }

    /// <summary>Share of DHCP messages and TFTP datagrams lost in either direction, 0 to 1.</summary>
    public double Loss { get; set; }

    /// <summary>A frame left with this source address: the switch learns where the board lives.</summary>
    public event Action<MacAddress>? Sent;

    public long FramesIn { get; private set; }

    public IBoardLink Attach(MacAddress mac)
    {
        var link = new KernelBoardLink(this, mac, _time);
        _byMac[mac] = link;
        return link;
    }

    /// <summary>Answers ARP for a host of the lab that is no board: the switch.</summary>
    public void AnswerFor(IPv4Address address, MacAddress mac) => _hosts[address] = mac;

    /// <summary>Receives until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        var buffer = GC.AllocateUninitializedArray<byte>(65536, pinned: true);
        while (!cancellation.IsCancellationRequested)
        {
            int length;
            try
            {
                length = await _socket.ReceiveAsync(buffer, cancellation).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            FramesIn++;
            Take(buffer.AsSpan(0, length));
        }
    }

    public void Dispose() => _socket.Dispose();

    internal bool IsLost()
    {
        if (Loss <= 0) return false;
        lock (_random) return _random.NextDouble() < Loss;
    }

    internal void SendDhcp(UdpFlow flow, DhcpPacket packet)
    {
        Span<byte> frame = stackalloc byte[1600];
        var length = packet.Write(frame[EtherFrame.UdpPayload..(EtherFrame.UdpPayload + DhcpPacket.LargestSize)]);
        length = EtherFrame.WriteUdp(frame, flow, length, (ushort)Interlocked.Increment(ref _frameId));
        Sent?.Invoke(flow.SourceMac);
        if (!IsLost()) _socket.Send(frame[..length]);
    }

    /// <summary>Asks who has an address. The answer is not waited for: a neighbour entry is there already.</summary>
    internal void AskFor(MacAddress mac, IPv4Address own, IPv4Address wanted)
    {
        Span<byte> frame = stackalloc byte[60];
        frame.Clear();
        EtherFrame.WriteArp(frame, new ArpPacket(ArpPacket.Request, mac, own, default, wanted), MacAddress.Broadcast);
        Sent?.Invoke(mac);
        _socket.Send(frame);
    }

    internal void Moved(KernelBoardLink link, IPv4Address before, IPv4Address now)
    {
        // Only our own entry is taken away: another board may hold the address by now.
        if (!before.IsAny) _byAddress.TryRemove(new(before, link));
        if (!now.IsAny) _byAddress[now] = link;
    }

    internal void Detach(KernelBoardLink link)
    {
        _byMac.TryRemove(new(link.Mac, link));
        Moved(link, link.Address, IPv4Address.Any);
    }

    private void Take(ReadOnlySpan<byte> frame)
    {
        if (EtherFrame.TryReadArp(frame, out var arp))
        {
            Answer(arp);
        }
        else if (EtherFrame.TryReadUdp(frame, out var flow, out var payload) && flow.DestinationPort == 68
            && !IsLost() && DhcpPacket.TryRead(payload, out var packet, out _)
            && packet.Operation == DhcpOperation.Reply && _byMac.TryGetValue(packet.Mac, out var link)
            && (flow.DestinationMac == link.Mac || flow.DestinationMac.IsMulticast))
        {
            link.Deliver(new DhcpArrival(packet, flow.SourceMac, flow.Source));
        }
    }

    private void Answer(ArpPacket arp)
    {
        if (arp.Operation != ArpPacket.Request) return;
        if (!_hosts.TryGetValue(arp.Target, out var mac))
        {
            if (!_byAddress.TryGetValue(arp.Target, out var link) || link.ArpMuted || arp.SenderMac == link.Mac) return;
            mac = link.Mac;
        }
        Span<byte> frame = stackalloc byte[60];
        frame.Clear();
        EtherFrame.WriteArp(
            frame, new ArpPacket(ArpPacket.Reply, mac, arp.Target, arp.SenderMac, arp.Sender), arp.SenderMac);
        _socket.Send(frame);
    }
}
