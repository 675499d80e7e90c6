namespace Bramble.Boot.Dhcp;

/// <summary>How a family of boards must be treated on the DHCP door.</summary>
public static class BoardFamilies
{
    /// <summary>A Raspberry Pi's boot firmware.</summary>
    public static bool IsPi(this BoardFamily family) => family
        is BoardFamily.Pi3B or BoardFamily.Pi3BPlus or BoardFamily.Pi4 or BoardFamily.Pi5 or BoardFamily.PiOther;

    /// <summary>3B, 3B+ and bootcode.bin use what is offered at once and never send a REQUEST (FW#1699).</summary>
    public static bool NeverRequests(this BoardFamily family) =>
        family is BoardFamily.Pi3B or BoardFamily.Pi3BPlus;
}
