using Bramble.Lab.Boards;
using Bramble.Wire;
using Bramble.Wire.Dhcp;

namespace Bramble.Lab.Dhcp;

/// <summary>
/// What the boot ROMs send, octet for octet: 300 octets, flags 0, the options in this order, no client identifier, and
/// an architecture that claims an x86 BIOS (RE#182).
/// </summary>
internal static class RomPackets
{
    /// <summary>The xid of every 3B and 3B+.</summary>
    public const uint Pi3TransactionId = 0x26f30339;

    private const string VendorClass = "PXEClient:Arch:00000:UNDI:002001";

    // Neither mask (1) nor router (3): a 3B is to be sent them unasked.
    private static ReadOnlySpan<byte> Pi3Parameters => [43, 60, 67, 128, 129, 130, 131, 132, 133, 134, 135, 66];

    private static ReadOnlySpan<byte> EepromParameters =>
        [1, 3, 43, 60, 66, 67, 128, 129, 130, 131, 132, 133, 134, 135];

    public static DhcpPacket Discover(BoardSpec board, uint xid)
    {
        var packet = New(board, xid, DhcpMessageType.Discover);
        packet.Options.Set(
            DhcpOption.ParameterRequestList, board.Traits.IsPi3 ? Pi3Parameters : EepromParameters);
        return Finish(packet, board);
    }

    /// <summary>A Pi 4's or 5's; it has no parameter list.</summary>
    public static DhcpPacket Request(BoardSpec board, uint xid, IPv4Address wanted, IPv4Address server)
    {
        var packet = New(board, xid, DhcpMessageType.Request);
        packet.Options.Set(DhcpOption.RequestedAddress, wanted);
        packet.Options.Set(DhcpOption.ServerIdentifier, server);
        return Finish(packet, board);
    }

    private static DhcpPacket New(BoardSpec board, uint xid, DhcpMessageType type)
    {
        var packet = new DhcpPacket { TransactionId = xid, Mac = board.Mac };
        packet.Options.Set(DhcpOption.MessageType, (byte)type);
        return packet;
    }

    private static DhcpPacket Finish(DhcpPacket packet, BoardSpec board)
    {
        Span<byte> id = stackalloc byte[PiOption97.Size];
        Identifier(board).Write(id);
        packet.Options.Set(DhcpOption.ClientArchitecture, (ushort)0);
        packet.Options.Set(DhcpOption.ClientNetworkInterface, [1, 2, 1]);
        packet.Options.Set(DhcpOption.ClientMachineIdentifier, id);
        packet.Options.Set(DhcpOption.VendorClass, VendorClass);
        return packet;
    }

    private static PiOption97 Identifier(BoardSpec board) => board.Model switch
    {
        BoardModel.Pi3B => PiOption97.Pi3B,
        BoardModel.Pi3BPlus or BoardModel.Pi4Old => PiOption97.FromSerial(board.Serial),
        BoardModel.Pi4 => PiOption97.FromFourCc(4, board.Revision, board.Mac, board.Serial),
        _ => PiOption97.FromFourCc(5, board.Revision, board.Mac, board.Serial),
    };
}
