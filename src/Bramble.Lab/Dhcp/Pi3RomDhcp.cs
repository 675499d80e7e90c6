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
            || packet.TransactionId != RomPackets.Pi3TransactionId || packet.YourAddress.IsAny
            || !IsPiBoot(packet) || !packet.RelayAddress.IsAny)
            return null;
        var lease = DhcpLease.Read(arrival, _sentAt, now);
        var tftp = PiBootServer(packet, lease.Server);
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
    internal static IPv4Address PiBootServer(DhcpPacket packet, IPv4Address server) =>
        packet.Options.TryGet(DhcpOption.TftpServerName, out var name)
        && IPv4Address.TryParse(Encoding.Latin1.GetString(name), out var address)
            ? address
            : server;

    // The 3B wants the three trailing spaces; newer firmware looks for the text anywhere.
    private bool IsPiBoot(DhcpPacket packet) =>
        packet.Options.TryGet(DhcpOption.VendorSpecific, out var octets)
        && PxeVendorOptions.TryRead(octets, out var menu, out _)
        && (board.Model == BoardModel.Pi3B
            ? menu.Menu.Any(item => item.Text == PxeVendorOptions.PiMenuText + "   ")
            : menu.OffersPiBoot);

    private DhcpPacket Discover(TimeSpan now)
    {
        _sent++;
        _sentAt = now;
        Deadline = now + Interval;
        return RomPackets.Discover(board, RomPackets.Pi3TransactionId);
    }
}
