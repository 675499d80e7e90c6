using Bramble.Lab.Boards;
using Bramble.Lab.Dhcp;
using Bramble.Testing.Dhcp;
using Bramble.Wire;

namespace Bramble.Lab.Tests.Dhcp;

public sealed class RomPacketTests
{
    private static BoardSpec Spec(BoardModel model, string mac, uint serial, uint revision = 0) =>
        new(1, model, MacAddress.Parse(mac), serial, revision);

    private static readonly BoardSpec Pi4 = Spec(BoardModel.Pi4, "dc:a6:32:2e:f8:ed", 0x5b154510, 0xa03111);

    [Fact]
    public void A_3B_says_DISCOVER_octet_for_octet() => Assert.Equal(Hex(GoldenDhcp.Pi3BDiscover),
        Hex(RomPackets.Discover(Spec(BoardModel.Pi3B, "b8:27:eb:01:02:03", 0xdd010203), 0x26f30339).ToArray()));

    [Fact]
    public void A_3B_plus_says_DISCOVER_octet_for_octet() => Assert.Equal(Hex(GoldenDhcp.Pi3BPlusDiscover),
        Hex(RomPackets.Discover(Spec(BoardModel.Pi3BPlus, "b8:27:eb:0b:0c:0d", 0x5a0b0c0d), 0x26f30339).ToArray()));

    [Fact]
    public void An_old_Pi_4_says_DISCOVER_octet_for_octet() => Assert.Equal(Hex(GoldenDhcp.Pi4OldDiscover),
        Hex(RomPackets.Discover(Spec(BoardModel.Pi4Old, "dc:a6:32:01:02:03", 0x1a2b3c4d), 0x7a3be901).ToArray()));

    [Fact]
    public void A_Pi_4_says_DISCOVER_octet_for_octet() => Assert.Equal(
        Hex(GoldenDhcp.Pi4Discover), Hex(RomPackets.Discover(Pi4, 0x39c0ffee).ToArray()));

    [Fact]
    public void A_Pi_5_says_DISCOVER_octet_for_octet() => Assert.Equal(Hex(GoldenDhcp.Pi5Discover),
        Hex(RomPackets.Discover(Spec(BoardModel.Pi5, "2c:cf:67:a1:b2:c3", 0x9f8e7d6c, 0xc04170), 0x51a2b3c4)
            .ToArray()));

    [Fact]
    public void A_Pi_4_says_REQUEST_octet_for_octet() => Assert.Equal(Hex(GoldenDhcp.Pi4Request),
        Hex(RomPackets.Request(Pi4, 0x39c0ffee, IPv4Address.Parse("10.77.0.100"), IPv4Address.Parse("10.77.0.1"))
            .ToArray()));

    private static string Hex(byte[] octets) => Convert.ToHexStringLower(octets);
}
