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
    private DhcpArrival? _address;
    private DhcpArrival? _boot;

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
            case DhcpMessageType.Offer when _offer is null:
                return Take(arrival, now);
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

    // The address and the boot option may come from two servers, in either order.
    private DhcpPacket? Take(DhcpArrival arrival, TimeSpan now)
    {
        var boots = IsPiBoot(arrival.Packet);
        if (boots) _boot = arrival;
        if (!arrival.Packet.YourAddress.IsAny && (_address is null || boots)) _address = arrival;
        if (_boot is null || _address is null) return null;
        if (!_boot.Packet.YourAddress.IsAny) _address = _boot;
        _offer = DhcpLease.Read(_address, _sentAt, now) with { TftpServer = Pi3RomDhcp.PiBootServer(_boot) };
        return Request(_offer, now);
    }

    private static bool IsPiBoot(DhcpPacket packet) =>
        packet.Options.TryGet(DhcpOption.VendorSpecific, out var octets)
        && PxeVendorOptions.TryRead(octets, out var menu, out _) && menu.OffersPiBoot;

    private DhcpPacket Discover(TimeSpan now)
    {
        (_offer, _address, _boot) = (null, null, null);
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
