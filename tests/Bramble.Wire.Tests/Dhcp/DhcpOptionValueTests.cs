using Bramble.Testing;
using Bramble.Wire.Dhcp;

namespace Bramble.Wire.Tests.Dhcp;

public sealed class DhcpOptionValueTests
{
    [Theory]
    [InlineData("router", "10.0.0.1", "0a000001", "10.0.0.1")]
    [InlineData("dns", "10.0.0.1|10.0.0.2", "0a0000010a000002", "10.0.0.1 10.0.0.2")]
    [InlineData("domain", "rack.example", "7261636b2e6578616d706c65", "rack.example")]
    [InlineData("mtu", "9000", "2328", "9000")]
    [InlineData("default-ttl", "64", "40", "64")]
    [InlineData("time-offset", "3600", "00000e10", "3600")]
    [InlineData("ip-forwarding", "true", "01", "true")]
    [InlineData("vendor-specific", "0a 0b:0C", "0a0b0c", "0a0b0c")]
    [InlineData("224", "0xdeadbeef", "deadbeef", "deadbeef")]
    // RFC 3397 §2's own example.
    [InlineData("domain-search", "eng.apple.com|marketing.apple.com",
        "03656e67056170706c6503636f6d00096d61726b6574696e67c004", "eng.apple.com marketing.apple.com")]
    [InlineData("119", "a.example|a.example", "01610765 78616d706c6500 c000", "a.example a.example")]
    // RFC 3442's table of compact forms.
    [InlineData("classless-routes", "default via 10.0.0.1", "00 0a000001", "0.0.0.0/0 via 10.0.0.1")]
    [InlineData("121", "10.0.0.0/8 via 10.0.0.1|10.229.0.128/25 via 10.0.0.2",
        "08 0a 0a000001 19 0ae50080 0a000002", "10.0.0.0/8 via 10.0.0.1, 10.229.0.128/25 via 10.0.0.2")]
    [InlineData("121", "10.198.122.47/32 via 0.0.0.0", "20 0ac67a2f 00000000", "10.198.122.47/32 via 0.0.0.0")]
    public void A_value_is_encoded_as_its_RFC_says_and_shown_in_words(
        string option, string items, string hex, string shown)
    {
        Assert.True(DhcpOptionCatalog.TryFind(option, out var name));
        Assert.True(
            DhcpOptionValue.TryEncode(name.Type, items.Split('|'), out var octets, out var complaint), complaint);
        Assert.Equal(hex.Replace(" ", "", StringComparison.Ordinal), Convert.ToHexStringLower(octets));
        Assert.Equal(shown, DhcpOptionCatalog.Show(name.Option, octets));
    }

    [Theory]
    [InlineData("router", "10.0.0", "IPv4 address")]
    [InlineData("subnet-mask", "10.0.0.1|10.0.0.2", "one value")]
    [InlineData("mtu", "65536", "0 to 65535")]
    [InlineData("mtu", "-1", "0 to 65535")]
    [InlineData("default-ttl", "256", "0 to 255")]
    [InlineData("ip-forwarding", "yes", "true or false")]
    [InlineData("domain", "räck", "printable ASCII")]
    [InlineData("224", "0a0", "hexadecimal")]
    [InlineData("224", "xy", "hexadecimal")]
    [InlineData("domain-search", "a..b", "a domain")]
    [InlineData("domain-search", "-a", "a domain")]
    [InlineData("classless-routes", "10.0.0.1/8 via 10.0.0.1", "a route")]
    [InlineData("classless-routes", "10.0.0.0/33 via 10.0.0.1", "a route")]
    [InlineData("classless-routes", "10.0.0.0/8", "a route")]
    public void What_does_not_fit_its_type_is_said(string option, string items, string complaint)
    {
        Assert.True(DhcpOptionCatalog.TryFind(option, out var name));
        Assert.False(DhcpOptionValue.TryEncode(name.Type, items.Split('|'), out _, out var said));
        Assert.Contains(complaint, said);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("255")]
    [InlineData("256")]
    [InlineData("-1")]
    [InlineData("nonsense")]
    public void There_is_no_such_option(string option) => Assert.False(DhcpOptionCatalog.TryFind(option, out _));

    [Theory]
    [InlineData("c000", "onwards")]
    [InlineData("0161c0", "pointer runs out")]
    [InlineData("0161", "runs out")]
    [InlineData("0361", "runs out")]
    [InlineData("4061", "unknown kind")]
    [InlineData("016100c004c003", "onwards")]
    public void A_list_of_domains_cannot_lead_in_circles_or_out_of_the_option(string hex, string complaint)
    {
        Assert.False(DomainList.TryRead(Convert.FromHexString(hex), out _, out var error));
        Assert.Contains(complaint, error.Reason);
        // It is shown as octets instead.
        Assert.Equal(hex, DhcpOptionCatalog.Show(DhcpOption.DomainSearch, Convert.FromHexString(hex)));
    }

    [Fact]
    public void Whatever_octets_an_option_holds_it_can_be_shown()
    {
        const int seed = 4242;
        var random = new Random(seed);
        Assert.True(DhcpOptionValue.TryEncode(
            DhcpOptionType.DomainList, ["a.b.example", "c.b.example", "example"], out var domains, out _));
        Assert.True(DhcpOptionValue.TryEncode(
            DhcpOptionType.Routes, ["10.0.0.0/8 via 10.0.0.1", "default via 10.0.0.2"], out var routes, out _));
        var whole = 0;
        for (var i = 0; i < 20_000; i++)
        {
            var octets = Mutation.Of(i % 2 == 0 ? domains : routes, random);
            foreach (var type in Enum.GetValues<DhcpOptionType>()) Assert.NotNull(DhcpOptionValue.Show(type, octets));
            if (DomainList.TryRead(octets, out _, out _)) whole++;
        }
        Assert.True(whole > 100, $"seed {seed}: the mutation leaves nothing whole");
    }

    [Theory]
    [InlineData("0104 61626364 0202 6566 0504 0a010000", RelayInformation.CircuitId, "61626364")]
    [InlineData("0104 61626364 0202 6566 0504 0a010000", RelayInformation.RemoteId, "6566")]
    [InlineData("0104 61626364 0202 6566 0504 0a010000", RelayInformation.LinkSelection, "0a010000")]
    [InlineData("0104 61626364", RelayInformation.RemoteId, null)]
    [InlineData("0105 61626364", RelayInformation.CircuitId, null)]
    [InlineData("01", RelayInformation.CircuitId, null)]
    public void Sub_options_of_a_relay_are_found_or_not_there(string hex, byte number, string? value)
    {
        var octets = Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
        Assert.Equal(value is not null, RelayInformation.TryGet(octets, number, out var found));
        Assert.Equal(value ?? "", Convert.ToHexStringLower(found));
    }
}
