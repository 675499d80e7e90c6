namespace Bramble.Wire.Tests;

public sealed class AddressTests
{
    [Theory]
    [InlineData("b8:27:eb:0a:0b:0c", "b8:27:eb:0a:0b:0c")]
    [InlineData("B8-27-EB-0A-0B-0C", "b8:27:eb:0a:0b:0c")]
    [InlineData("b827eb0a0b0c", "b8:27:eb:0a:0b:0c")]
    public void A_MAC_address_is_read_in_each_usual_form(string text, string shown) =>
        Assert.Equal(shown, MacAddress.Parse(text).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("b8:27:eb:0a:0b")]
    [InlineData("b8:27-eb:0a:0b:0c")]
    [InlineData("b8:27:eb:0a:0b:0g")]
    [InlineData("+827eb0a0b0c")]
    [InlineData("b8.27.eb.0a.0b.0c")]
    public void What_is_no_MAC_address_is_refused(string text) => Assert.False(MacAddress.TryParse(text, out _));

    [Fact]
    public void A_MAC_address_survives_the_wire()
    {
        var mac = MacAddress.Parse("dc:a6:32:01:02:03");
        Span<byte> octets = stackalloc byte[6];
        mac.Write(octets);
        Assert.Equal("DCA632010203", Convert.ToHexString(octets));
        Assert.Equal(mac, MacAddress.Read(octets));
        Assert.Equal(0xdca632u, mac.Oui);
        Assert.Equal("dc-a6-32-01-02-03", mac.ToString('-'));
    }

    [Theory]
    [InlineData("1.2.3")]
    [InlineData("1.2.3.4.5")]
    [InlineData("1.2.3.256")]
    [InlineData("01.2.3.4")]
    [InlineData("1..3.4")]
    [InlineData(" 1.2.3.4")]
    public void What_is_no_dotted_quad_is_refused(string text) => Assert.False(IPv4Address.TryParse(text, out _));

    [Fact]
    public void A_prefix_knows_its_bounds()
    {
        var prefix = IPv4Prefix.Parse("10.77.3.1/20");
        Assert.Equal("10.77.0.0", prefix.Network.ToString());
        Assert.Equal("10.77.15.255", prefix.Broadcast.ToString());
        Assert.True(prefix.Overlaps(IPv4Prefix.Parse("10.77.15.0/24")));
        Assert.False(prefix.Overlaps(IPv4Prefix.Parse("10.77.16.0/24")));
        Assert.True(IPv4Prefix.Parse("0.0.0.0/0").Contains(IPv4Address.Broadcast));
        Assert.False(IPv4Prefix.TryParse("10.0.0.0/33", out _));
    }
}
