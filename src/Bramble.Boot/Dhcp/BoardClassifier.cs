using Bramble.Wire;
using Bramble.Wire.Dhcp;

namespace Bramble.Boot.Dhcp;

/// <summary>
/// Reads from a packet what board sent it. Option 97 first, then the maker's prefix. Every Pi claims to be an x86 BIOS
/// (option 93 = 0, RE#182), so the architecture tells a Pi from nothing.
/// </summary>
public static class BoardClassifier
{
    /// <summary>The xid of every 3B, 3B+ and bootcode.bin.</summary>
    private const uint Pi3TransactionId = 0x26f30339;

    private const ushort RpibootArchitecture = 41;

    private const long Gibibyte = 1L << 30;

    /// <summary>
    /// False if option 97 is there with a length that RFC 4578 §2.3 forbids: then nothing else is believed.
    /// </summary>
    public static bool TryClassify(DhcpPacket packet, out BoardIdentity board, out WireError error)
    {
        error = default;
        board = new BoardIdentity { Family = BoardFamily.PlainClient };
        var client = ClientOf(packet);
        PiOption97? id = null;
        if (packet.Options.TryGet(DhcpOption.ClientMachineIdentifier, out var octets))
        {
            if (octets.Length != PiOption97.Size)
            {
                PiOption97.TryRead(octets, out _, out error);
                return false;
            }
            if (PiOption97.TryRead(octets, out var read, out _)) id = read;
        }
        ushort? architecture =
            packet.Options.TryGetUInt16(DhcpOption.ClientArchitecture, out var number) ? number : null;
        if (client == BootClient.None)
        {
            board = board with { ClientArchitecture = architecture };
            return true;
        }

        var pi = id is { } known ? FromIdentifier(packet, known) : null;
        if (pi is null && (PiOuis.TryFind(packet.Mac, out var family) || architecture == RpibootArchitecture))
            pi = FromPrefix(packet, family == BoardFamily.Unknown ? BoardFamily.PiOther : family);
        board = (pi ?? new BoardIdentity { Family = BoardFamily.Pxe, Client = client, Model = ModelOf(architecture) })
            with { ClientArchitecture = architecture };
        return true;
    }

    private static BootClient ClientOf(DhcpPacket packet)
    {
        // RFC 3004 wants each class behind its length; iPXE writes its name bare.
        if (packet.Options.StartsWith(DhcpOption.UserClass, "iPXE"u8)
            || packet.Options.StartsWith(DhcpOption.UserClass, "\x04iPXE"u8)) return BootClient.Ipxe;
        if (packet.Options.StartsWith(DhcpOption.VendorClass, "HTTPClient"u8)) return BootClient.Http;
        if (packet.Options.StartsWith(DhcpOption.VendorClass, "PXEClient"u8))
            return IsUBoot(packet) ? BootClient.UBoot : BootClient.Pxe;
        return packet.Options.StartsWith(DhcpOption.VendorClass, "U-Boot"u8) ? BootClient.UBoot : BootClient.None;
    }

    /// <summary>
    /// U-Boot looking for an EFI program says that it is UEFI, with a network interface (option 94) of version 0.0 that
    /// no UEFI has (U-Boot's net/bootp.c).
    /// </summary>
    private static bool IsUBoot(DhcpPacket packet) =>
        packet.Options.TryGet(DhcpOption.ClientNetworkInterface, out var version)
        && version.SequenceEqual<byte>([1, 0, 0]);

    /// <summary>
    /// All that a client architecture tells of a machine; its maker is known when its installer runs.
    /// </summary>
    private static string ModelOf(ushort? architecture) => architecture switch
    {
        Loaders.ClientArchitecture.Bios => "PC (BIOS)",
        Loaders.ClientArchitecture.UefiX64 or Loaders.ClientArchitecture.UefiEbc
            or Loaders.ClientArchitecture.HttpX64 => "PC (UEFI)",
        Loaders.ClientArchitecture.UefiArm64 or Loaders.ClientArchitecture.HttpArm64 => "arm64 machine (UEFI)",
        Loaders.ClientArchitecture.UBootArm64 or Loaders.ClientArchitecture.UBootArm32 => "arm board (U-Boot)",
        _ => "",
    };

    private static BoardIdentity? FromIdentifier(DhcpPacket packet, PiOption97 id)
    {
        switch (id.Form)
        {
            case PiOption97Form.Constant:
                return Pi3(BoardFamily.Pi3B, "");
            case PiOption97Form.SerialFourTimes:
                var serial = id.Serial.ToString("x8");
                if (IsPi3Rom(packet)) return Pi3(BoardFamily.Pi3BPlus, serial);
                // Some PC firmware repeats a word as well; only the maker's prefix makes it a Pi 4 of 2019.
                return PiOuis.TryFind(packet.Mac, out _)
                    ? new BoardIdentity { Family = BoardFamily.Pi4, Model = "Raspberry Pi 4", Serial = serial }
                    : null;
            case PiOption97Form.FourCc:
                return FromFourCc(id, FamilyOf(id.Generation));
            default:
                // A prefix of the owner's own choice: the end of the MAC and a sane revision give the Pi away.
                return id.MacTail == (uint)packet.Mac.Bits && PiRevision.TryDecode(id.Revision, out _)
                    ? FromFourCc(id, BoardFamily.PiOther)
                    : null;
        }
    }

    private static BoardIdentity FromFourCc(PiOption97 id, BoardFamily family)
    {
        var board = new BoardIdentity { Family = family, Serial = id.Serial.ToString("x8"), Revision = id.Revision };
        if (PiRevision.TryDecode(id.Revision, out var revision))
        {
            return board with
            {
                Family = revision.Family == BoardFamily.PiOther ? family : revision.Family,
                Model = revision.Model,
                MemoryBytes = revision.MemoryBytes,
                Maker = revision.Maker,
            };
        }
        return board with { Model = id.Generation > 0 ? $"Raspberry Pi {id.Generation}" : "Raspberry Pi" };
    }

    private static BoardIdentity FromPrefix(DhcpPacket packet, BoardFamily family)
    {
        // Whoever speaks with the ROM's xid is answered as a 3B: late, and bound from the OFFER on.
        if (IsPi3Rom(packet)) return Pi3(BoardFamily.Pi3B, "");
        return new BoardIdentity
        {
            Family = family == BoardFamily.Pi3B ? BoardFamily.PiOther : family,
            Model = family == BoardFamily.Pi4 ? "Raspberry Pi 4" : "Raspberry Pi",
        };
    }

    /// <summary>All 3B and 3B+ have 1 GiB.</summary>
    private static BoardIdentity Pi3(BoardFamily family, string serial) => new()
    {
        Family = family,
        Model = family == BoardFamily.Pi3B ? "Raspberry Pi 3 Model B" : "Raspberry Pi 3 Model B+",
        MemoryBytes = Gibibyte,
        Serial = serial,
    };

    /// <summary>The ROM's xid, or its parameter list that asks for neither mask nor router.</summary>
    private static bool IsPi3Rom(DhcpPacket packet) =>
        packet.TransactionId == Pi3TransactionId
        || (packet.MessageType == DhcpMessageType.Discover
            && packet.Options.TryGet(DhcpOption.ParameterRequestList, out var list)
            && !list.Contains((byte)DhcpOption.SubnetMask));

    private static BoardFamily FamilyOf(int generation) => generation switch
    {
        4 => BoardFamily.Pi4,
        5 => BoardFamily.Pi5,
        _ => BoardFamily.PiOther,
    };
}
