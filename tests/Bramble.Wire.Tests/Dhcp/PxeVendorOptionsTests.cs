using Bramble.Wire.Dhcp;

namespace Bramble.Wire.Tests.Dhcp;

public sealed class PxeVendorOptionsTests
{
    private const string Padded =
        "060103" + "0a0400505845" + "0917000014" + "52617370626572727920506920426f6f74202020" + "ff";

    private const string Unpadded =
        "060103" + "0a0400505845" + "0914000011" + "52617370626572727920506920426f6f74" + "ff";

    [Fact]
    public void The_Pi_menu_is_the_golden_one() =>
        Assert.Equal(Padded, Convert.ToHexStringLower(PxeVendorOptions.RaspberryPiBoot));

    [Theory]
    [InlineData(Padded)]
    [InlineData(Unpadded)]
    public void A_menu_survives_the_wire_and_is_known_as_a_Pis(string hex)
    {
        Assert.True(PxeVendorOptions.TryRead(Convert.FromHexString(hex), out var options, out _));
        Assert.Equal((byte)3, options.DiscoveryControl);
        Assert.Equal("PXE", options.Prompt);
        Assert.True(options.OffersPiBoot);
        var buffer = new byte[64];
        Assert.Equal(hex, Convert.ToHexStringLower(buffer.AsSpan(0, options.Write(buffer))));
    }

    [Theory]
    [InlineData("06")]
    [InlineData("0601")]
    [InlineData("0905000014aabb")]
    [InlineData("0904000014aa")]
    [InlineData("090200000a")]
    public void A_cut_menu_is_refused(string hex) =>
        Assert.False(PxeVendorOptions.TryRead(Convert.FromHexString(hex), out _, out _));

    [Fact]
    public void A_menu_of_another_maker_is_no_Pi_boot()
    {
        Assert.True(PxeVendorOptions.TryRead(Convert.FromHexString("0908000105776f726c64ff"), out var options, out _));
        Assert.Equal(new PxeMenuItem(1, "world"), Assert.Single(options.Menu));
        Assert.False(options.OffersPiBoot);
    }
}
