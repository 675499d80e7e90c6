namespace Bramble.Testing.Dhcp;

/// <summary>
/// Packets of Raspberry Pis, octet for octet, as docs/protocols/dhcp.md describes them. They are written out as text
/// and not made by our codec, so that the codec cannot prove itself.
/// </summary>
public static class GoldenDhcp
{
    private const string VendorClass = "3c 20 505845436c69656e743a417263683a30303030303a554e44493a303032303031";

    private const string RomParameters = "37 0c 2b 3c 43 80 81 82 83 84 85 86 87 42";

    private const string EepromParameters = "37 0e 01 03 2b 3c 42 43 80 81 82 83 84 85 86 87";

    /// <summary>
    /// DISCOVER of a 3B's boot ROM: the constant xid, option 97 all 0x44, neither mask nor router asked for.
    /// </summary>
    public static byte[] Pi3BDiscover => Packet("26f30339", "b827eb010203",
        "35 01 01", RomParameters, "5d 02 0000", "5e 03 010201", "61 11 00 " + Times4("44444444"), VendorClass);

    /// <summary>DISCOVER of a 3B+: serial 5a0b0c0d four times.</summary>
    public static byte[] Pi3BPlusDiscover => Packet("26f30339", "b827eb0b0c0d",
        "35 01 01", RomParameters, "5d 02 0000", "5e 03 010201", "61 11 00 " + Times4("0d0c0b5a"), VendorClass);

    /// <summary>DISCOVER of a Pi 4 with an EEPROM before 2020-03: serial 1a2b3c4d four times.</summary>
    public static byte[] Pi4OldDiscover => Packet("7a3be901", "dca632010203",
        "35 01 01", EepromParameters, "5d 02 0000", "5e 03 010201", "61 11 00 " + Times4("4d3c2b1a"), VendorClass);

    /// <summary>
    /// DISCOVER of a Pi 4 today: revision a03111, serial 5b154510 (the identifier is from a field trace).
    /// </summary>
    public static byte[] Pi4Discover => Packet("39c0ffee", "dca6322ef8ed",
        "35 01 01", EepromParameters, "5d 02 0000", "5e 03 010201",
        "61 11 00 52506934 1131a000 322ef8ed 1045155b", VendorClass);

    /// <summary>DISCOVER of a Pi 5: revision c04170 (4 GB), serial 9f8e7d6c.</summary>
    public static byte[] Pi5Discover => Packet("51a2b3c4", "2ccf67a1b2c3",
        "35 01 01", EepromParameters, "5d 02 0000", "5e 03 010201",
        "61 11 00 52506935 7041c000 67a1b2c3 6c7d8e9f", VendorClass);

    /// <summary>REQUEST of a Pi 4 for 10.77.0.100 of server 10.77.0.1: option 60, no parameter list.</summary>
    public static byte[] Pi4Request => Packet("39c0ffee", "dca6322ef8ed",
        "35 01 03", "32 04 0a4d0064", "36 04 0a4d0001", "5d 02 0000", "5e 03 010201",
        "61 11 00 52506934 1131a000 322ef8ed 1045155b", VendorClass);

    /// <summary>All of them, with a name for a failing test to show.</summary>
    public static IReadOnlyDictionary<string, byte[]> All => new Dictionary<string, byte[]>
    {
        ["3B DISCOVER"] = Pi3BDiscover,
        ["3B+ DISCOVER"] = Pi3BPlusDiscover,
        ["Pi 4 old DISCOVER"] = Pi4OldDiscover,
        ["Pi 4 DISCOVER"] = Pi4Discover,
        ["Pi 5 DISCOVER"] = Pi5Discover,
        ["Pi 4 REQUEST"] = Pi4Request,
    };

    /// <summary>A client's packet from its xid, MAC and options in hex, blanks ignored; padded to 300 octets.</summary>
    public static byte[] Packet(string xid, string mac, params string[] options)
    {
        var hex = "01010600" + xid + "0000 0000" + Zeros(16) + mac + Zeros(10) + Zeros(64) + Zeros(128) + "63825363"
            + string.Concat(options) + "ff";
        var octets = Convert.FromHexString(hex.Replace(" ", ""));
        return octets.Length >= 300 ? octets : [.. octets, .. new byte[300 - octets.Length]];
    }

    private static string Zeros(int octets) => new('0', 2 * octets);

    private static string Times4(string word) => word + word + word + word;
}
