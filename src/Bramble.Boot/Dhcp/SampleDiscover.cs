using System.Globalization;
using System.Text;
using Bramble.Wire;
using Bramble.Wire.Dhcp;

namespace Bramble.Boot.Dhcp;

/// <summary>A DISCOVER as a client of a kind sends it, for an explanation of what it would get.</summary>
public static class SampleDiscover
{
    private const uint Pi3TransactionId = 0x26f30339;

    /// <summary>What the ROM of a 3B asks for: neither mask nor router.</summary>
    private static ReadOnlySpan<byte> RomParameters => [43, 60, 67, 128, 129, 130, 131, 132, 133, 134, 135, 66];

    private static ReadOnlySpan<byte> EepromParameters =>
        [1, 3, 43, 60, 66, 67, 128, 129, 130, 131, 132, 133, 134, 135];

    /// <summary>UEFI's and iPXE's, in short.</summary>
    private static ReadOnlySpan<byte> PxeParameters =>
        [1, 2, 3, 4, 5, 6, 12, 13, 15, 17, 18, 22, 23, 28, 40, 41, 42, 43, 50, 51, 54, 58, 59, 60, 66, 67, 97, 119,
            128, 129, 130, 131, 132, 133, 134, 135, 175, 203];

    /// <summary>dhclient's and systemd-networkd's, together.</summary>
    private static ReadOnlySpan<byte> SystemParameters =>
        [1, 3, 6, 12, 15, 17, 26, 28, 33, 42, 51, 54, 58, 59, 119, 120, 121];

    /// <param name="family">What the board is known to be; Unknown: what its maker's prefix tells.</param>
    /// <param name="architecture">Option 93; with one, a board that is no Pi is a PXE client.</param>
    /// <param name="serial">The board's, as 8 hex digits; empty if it is not known.</param>
    /// <param name="relay">giaddr; null for a client on our interface.</param>
    public static DhcpPacket Of(
        MacAddress mac, BoardFamily family, string serial, ushort? architecture, string? userClass, IPv4Address? relay)
    {
        if (family is BoardFamily.Unknown && architecture is null or 0 && PiOuis.TryFind(mac, out var made))
            family = made;
        var pi = family.IsPi() && architecture is null or 0;
        var pxe = pi || architecture is not null || family == BoardFamily.Pxe;
        var rom = pi && family.NeverRequests();
        var packet = new DhcpPacket
        {
            Mac = mac,
            TransactionId = rom ? Pi3TransactionId : 1,
            RelayAddress = relay ?? IPv4Address.Any,
        };
        var options = packet.Options;
        options.Set(DhcpOption.MessageType, (byte)DhcpMessageType.Discover).Set(DhcpOption.ParameterRequestList,
            rom ? RomParameters : pi ? EepromParameters : pxe ? PxeParameters : SystemParameters);
        if (userClass is not null) options.Set(DhcpOption.UserClass, Encoding.UTF8.GetBytes(userClass));
        if (!pxe) return packet;
        var number = architecture ?? 0;
        var undi = pi ? "002001" : "003016";
        // IANA's numbers for boot by HTTP: who has one of these calls itself by another name.
        var name = number is (>= 15 and <= 20) or 23 or 24 or 26 or 28 or 30 ? "HTTPClient" : "PXEClient";
        options.Set(DhcpOption.ClientArchitecture, number)
            .Set(DhcpOption.ClientNetworkInterface, pi ? [1, 2, 1] : [1, 3, 16])
            .Set(DhcpOption.VendorClass,
                string.Create(CultureInfo.InvariantCulture, $"{name}:Arch:{number:00000}:UNDI:{undi}"));
        if (pi && MachineIdentifier(family, mac, serial) is { } id)
        {
            var octets = new byte[PiOption97.Size];
            id.Write(octets);
            options.Set(DhcpOption.ClientMachineIdentifier, octets);
        }
        return packet;
    }

    private static PiOption97? MachineIdentifier(BoardFamily family, MacAddress mac, string serial)
    {
        // Of an unknown serial the end of the MAC takes the place, which is where most boards have theirs from.
        if (!uint.TryParse(serial, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number))
            number = (uint)mac.Bits;
        return family switch
        {
            BoardFamily.Pi3B => PiOption97.Pi3B,
            BoardFamily.Pi3BPlus => PiOption97.FromSerial(number),
            BoardFamily.Pi4 => PiOption97.FromFourCc(4, 0, mac, number),
            BoardFamily.Pi5 => PiOption97.FromFourCc(5, 0, mac, number),
            _ => null,
        };
    }
}
