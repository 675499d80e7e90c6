using System.Globalization;
using Bramble.Lab.Boards;
using Bramble.Wire;
using Bramble.Wire.Dhcp;

namespace Bramble.Lab.Dhcp;

/// <summary>Which program of a PC asks for an address and a boot file.</summary>
internal enum PxeKind
{
    /// <summary>PXE in the ROM of a network card (PXE 2.1).</summary>
    BiosRom,

    /// <summary>EDK II: PXE, or HTTP boot.</summary>
    Uefi,

    /// <summary>iPXE, whoever has loaded it.</summary>
    Ipxe,
}

/// <summary>What PCs' boot programs send: options 60, 93, 94 and 97 in each message (RFC 4578).</summary>
internal static class PxePackets
{
    private static ReadOnlySpan<byte> BiosParameters =>
        [1, 2, 3, 5, 6, 11, 12, 13, 15, 16, 17, 18, 43, 54, 60, 67, 128, 129, 130, 131, 132, 133, 134, 135];

    private static ReadOnlySpan<byte> UefiParameters =>
    [
        1, 2, 3, 4, 5, 6, 12, 13, 15, 17, 18, 22, 23, 28, 40, 41, 42, 43, 50, 51, 54, 58, 59, 60, 66, 67, 97, 128, 129,
        130, 131, 132, 133, 134, 135,
    ];

    private static ReadOnlySpan<byte> UefiHttpParameters => [1, 3, 6, 15, 54, 60, 67];

    private static ReadOnlySpan<byte> IpxeParameters =>
        [1, 3, 6, 7, 12, 15, 17, 26, 43, 60, 66, 67, 119, 128, 129, 130, 131, 132, 133, 134, 135, 175, 203];

    /// <summary>ipxe.org: encapsulated options, here the version and that it speaks HTTP, TFTP and bzImage.</summary>
    private static ReadOnlySpan<byte> IpxeFeatures => [177, 1, 1, 235, 3, 1, 0, 0, 19, 1, 1, 23, 1, 1, 24, 1, 1];

    public static DhcpPacket Discover(BoardSpec board, PxeKind kind, uint xid) =>
        Message(board, kind, xid, DhcpMessageType.Discover);

    public static DhcpPacket Request(
        BoardSpec board, PxeKind kind, uint xid, IPv4Address wanted, IPv4Address server)
    {
        var packet = Message(board, kind, xid, DhcpMessageType.Request);
        packet.Options.Set(DhcpOption.RequestedAddress, wanted);
        packet.Options.Set(DhcpOption.ServerIdentifier, server);
        return packet;
    }

    /// <summary>The question to a boot server's port 4011 (PXE 2.1 §2.2.3): it has an address by now.</summary>
    public static DhcpPacket BootQuestion(BoardSpec board, PxeKind kind, uint xid, IPv4Address own)
    {
        var packet = Message(board, kind, xid, DhcpMessageType.Request);
        packet.Flags = 0;
        packet.ClientAddress = own;
        return packet;
    }

    private static DhcpPacket Message(BoardSpec board, PxeKind kind, uint xid, DhcpMessageType type)
    {
        var pc = board.Traits.Pc!;
        var packet = new DhcpPacket { TransactionId = xid, Mac = board.Mac };
        // Both firmwares cannot be reached by their new address before they have it; iPXE can.
        if (kind != PxeKind.Ipxe) packet.Flags = DhcpPacket.BroadcastFlag;
        packet.Options.Set(DhcpOption.MessageType, (byte)type);
        packet.Options.Set(DhcpOption.MaximumMessageSize, (ushort)(kind == PxeKind.BiosRom ? 1260 : 1472));
        packet.Options.Set(DhcpOption.ParameterRequestList, kind switch
        {
            PxeKind.BiosRom => BiosParameters,
            PxeKind.Ipxe => IpxeParameters,
            _ => pc.IsHttp ? UefiHttpParameters : UefiParameters,
        });
        Span<byte> id = stackalloc byte[17];
        id[0] = 0;
        board.Uuid.TryWriteBytes(id[1..]);
        packet.Options.Set(DhcpOption.ClientMachineIdentifier, id);
        packet.Options.Set(DhcpOption.ClientNetworkInterface, [1, pc.Undi.Major, pc.Undi.Minor]);
        packet.Options.Set(DhcpOption.ClientArchitecture, pc.Architecture);
        var name = pc.IsHttp ? "HTTPClient" : "PXEClient";
        packet.Options.Set(DhcpOption.VendorClass, string.Create(CultureInfo.InvariantCulture,
            $"{name}:Arch:{pc.Architecture:00000}:UNDI:{pc.Undi.Major:000}{pc.Undi.Minor:000}"));
        if (kind != PxeKind.Ipxe) return packet;
        // iPXE writes its class bare, against RFC 3004 §4.
        packet.Options.Set(DhcpOption.UserClass, "iPXE");
        packet.Options.Set(DhcpOption.IpxeEncapsulated, IpxeFeatures);
        Span<byte> client = stackalloc byte[7];
        client[0] = 1;
        board.Mac.Write(client[1..]);
        packet.Options.Set(DhcpOption.ClientIdentifier, client);
        return packet;
    }
}
