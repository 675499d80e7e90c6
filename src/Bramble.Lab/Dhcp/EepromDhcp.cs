using Bramble.Lab.Boards;
using Bramble.Lab.Network;
using Bramble.Wire.Dhcp;

namespace Bramble.Lab.Dhcp;

/// <summary>
/// The EEPROM boot loader of a Pi 4 and 5: a random xid, a message repeated every 4 s (DHCP_REQ_TIMEOUT), a REQUEST
/// after the OFFER, and the next entry of BOOT_ORDER after 45 s (DHCP_TIMEOUT).
/// </summary>
internal sealed class EepromDhcp(BoardSpec board, Random random) : IDhcpClient
{
    public static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(4);

    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(45);

    private readonly uint _xid = (uint)random.NextInt64(1, 0x1_0000_0000);
    private TimeSpan _end;
    private TimeSpan _sentAt;
    private DhcpLease? _offer;

    public TimeSpan? Deadline { get; private set; }

    public DhcpLease? Lease { get; private set; }

    public bool HasGivenUp { get; private set; }

    public DhcpPacket? Start(TimeSpan now)
    {
        _end = now + Timeout;
        return Discover(now);
    }

    public DhcpPacket? Tick(TimeSpan now)
    {
        if (Deadline is null || now < Deadline) return null;
        if (now >= _end)
        {
            Deadline = null;
            HasGivenUp = true;
            return null;
        }
        // A REQUEST that is not answered is said again once; then the loader looks for another offer.
        if (_offer is null || now - _offer.GrantedAt >= RequestTimeout + RequestTimeout) return Discover(now);
        return Request(_offer, now);
    }

    public DhcpPacket? Receive(DhcpArrival arrival, TimeSpan now)
    {
        var packet = arrival.Packet;
        if (Deadline is null || packet.TransactionId != _xid || packet.Mac != board.Mac) return null;
        switch (packet.MessageType)
        {
            case DhcpMessageType.Offer when _offer is null && !packet.YourAddress.IsAny && IsPiBoot(packet):
                var lease = DhcpLease.Read(arrival, _sentAt, now);
                _offer = lease with { TftpServer = Pi3RomDhcp.PiBootServer(packet, lease.Server) };
                return Request(_offer, now);
            case DhcpMessageType.Ack when _offer is not null && packet.YourAddress == _offer.Address:
                Lease = _offer with { GrantedAt = now };
                Deadline = null;
                return null;
            case DhcpMessageType.Nak when _offer is not null:
                return Discover(now);
            default:
                return null;
        }
    }

    private static bool IsPiBoot(DhcpPacket packet) =>
        packet.Options.TryGet(DhcpOption.VendorSpecific, out var octets)
        && PxeVendorOptions.TryRead(octets, out var menu, out _) && menu.OffersPiBoot;

    private DhcpPacket Discover(TimeSpan now)
    {
        _offer = null;
        Arm(now);
        return RomPackets.Discover(board, _xid);
    }

    private DhcpPacket Request(DhcpLease offer, TimeSpan now)
    {
        Arm(now);
        return RomPackets.Request(board, _xid, offer.Address, offer.Server);
    }

    private void Arm(TimeSpan now)
    {
        _sentAt = now;
        var next = now + RequestTimeout;
        Deadline = next < _end ? next : _end;
    }
}
