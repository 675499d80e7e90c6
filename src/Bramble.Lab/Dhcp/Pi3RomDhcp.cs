using System.Text;
using Bramble.Lab.Boards;
using Bramble.Lab.Network;
using Bramble.Wire;
using Bramble.Wire.Dhcp;

namespace Bramble.Lab.Dhcp;

/// <summary>
/// The boot ROM of a 3B and 3B+: five DISCOVERs, 5 s apart, then silence until the power is cycled. The first OFFER
/// whose option 43 says "Raspberry Pi Boot" is taken, without a REQUEST (FW#1699).
/// </summary>
internal sealed class Pi3RomDhcp(BoardSpec board) : IDhcpClient
{
    public const int Tries = 5;

    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private int _sent;
    private TimeSpan _sentAt;
    private DhcpArrival? _address;
    private DhcpArrival? _boot;

    public TimeSpan? Deadline { get; private set; }

    public DhcpLease? Lease { get; private set; }

    public bool HasGivenUp { get; private set; }

    public DhcpPacket? Start(TimeSpan now) => Discover(now);

    public DhcpPacket? Tick(TimeSpan now)
    {
        if (Deadline is null || now < Deadline) return null;
        if (_sent < Tries) return Discover(now);
        Deadline = null;
        HasGivenUp = true;
        return null;
    }

    public DhcpPacket? Receive(DhcpArrival arrival, TimeSpan now)
    {
        var packet = arrival.Packet;
        if (Deadline is null || packet.MessageType != DhcpMessageType.Offer || packet.Mac != board.Mac
            || packet.TransactionId != RomPackets.Pi3TransactionId || !packet.RelayAddress.IsAny)
            return null;
        // The address and the boot option may come from two servers, in either order.
        if (IsPiBoot(packet)) _boot = arrival;
        if (!packet.YourAddress.IsAny && (_address is null || IsPiBoot(packet))) _address = arrival;
        if (_boot is null || _address is null) return null;
        if (!_boot.Packet.YourAddress.IsAny) _address = _boot;
        var lease = DhcpLease.Read(_address, _sentAt, now);
        var tftp = PiBootServer(_boot);
        // The 3B's ROM knows no router: a server off its subnet is out of reach. Mended in the 3B+.
        if (board.Model == BoardModel.Pi3B
            && (lease.Mask.Bits & tftp.Bits) != (lease.Mask.Bits & lease.Address.Bits))
            return null;
        Lease = lease with { TftpServer = tftp };
        Deadline = null;
        return null;
    }

    // Option 66 as an address in ASCII, with no NUL at its end (FW#871), else option 54. The old ROM ignores siaddr
    // (FW#801).
    internal static IPv4Address PiBootServer(DhcpArrival arrival) =>
        arrival.Packet.Options.TryGet(DhcpOption.TftpServerName, out var name)
        && IPv4Address.TryParse(Encoding.Latin1.GetString(name), out var address)
            ? address
            : arrival.Packet.Options.TryGetAddress(DhcpOption.ServerIdentifier, out var server) ? server
            : arrival.Source;

    // The 3B wants the three trailing spaces; newer firmware looks for the text anywhere.
    private bool IsPiBoot(DhcpPacket packet) =>
        packet.Options.TryGet(DhcpOption.VendorSpecific, out var octets)
        && PxeVendorOptions.TryRead(octets, out var menu, out _)
        && (board.Model == BoardModel.Pi3B
            ? menu.Menu.Any(item => item.Text == PxeVendorOptions.PiMenuText + "   ")
            : menu.OffersPiBoot);

    private DhcpPacket Discover(TimeSpan now)
    {
        (_address, _boot) = (null, null);
        _sent++;
        _sentAt = now;
        Deadline = now + Interval;
        return RomPackets.Discover(board, RomPackets.Pi3TransactionId);
    }
}
