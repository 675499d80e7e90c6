using Bramble.Wire.Dhcp;

namespace Bramble.Wire.Tests.Dhcp;

public sealed class PiOption97Tests
{
    [Theory]
    [InlineData("0044444444444444444444444444444444", PiOption97Form.Constant, 0, 0u, 0u)]
    [InlineData("000d0c0b5a0d0c0b5a0d0c0b5a0d0c0b5a", PiOption97Form.SerialFourTimes, 0, 0x5a0b0c0du, 0u)]
    [InlineData("00525069341131a000322ef8ed1045155b", PiOption97Form.FourCc, 4, 0x5b154510u, 0xa03111u)]
    [InlineData("00346950521131a000322ef8ed1045155b", PiOption97Form.FourCc, 4, 0x5b154510u, 0xa03111u)]
    [InlineData("00525069357041c00067a1b2c36c7d8e9f", PiOption97Form.FourCc, 5, 0x9f8e7d6cu, 0xc04170u)]
    [InlineData("0000000000000000000000000000000000", PiOption97Form.Other, 0, 0u, 0u)]
    [InlineData("00ffffffffffffffffffffffffffffffff", PiOption97Form.Other, 0, 0xffffffffu, 0xffffffffu)]
    public void Each_form_is_known_and_written_back(
        string hex, PiOption97Form form, int generation, uint serial, uint revision)
    {
        var octets = Convert.FromHexString(hex);
        Assert.True(PiOption97.TryRead(octets, out var id, out _));
        Assert.Equal(form, id.Form);
        Assert.Equal(generation, id.Generation);
        Assert.Equal(serial, id.Serial);
        Assert.Equal(revision, id.Revision);
        var back = new byte[PiOption97.Size];
        Assert.Equal(PiOption97.Size, id.Write(back));
        Assert.Equal(hex, Convert.ToHexStringLower(back));
    }

    [Fact]
    public void The_constructors_make_the_golden_identifiers()
    {
        var mac = MacAddress.Parse("dc:a6:32:2e:f8:ed");
        Assert.Equal("00525069341131a000322ef8ed1045155b", Hex(PiOption97.FromFourCc(4, 0xa03111, mac, 0x5b154510)));
        Assert.Equal("00346950521131a000322ef8ed1045155b",
            Hex(PiOption97.FromFourCc(4, 0xa03111, mac, 0x5b154510, reversed: true)));
        Assert.Equal("000d0c0b5a0d0c0b5a0d0c0b5a0d0c0b5a", Hex(PiOption97.FromSerial(0x5a0b0c0d)));
        Assert.Equal("0044444444444444444444444444444444", Hex(PiOption97.Pi3B));
    }

    [Theory]
    [InlineData("", "17 octets")]
    [InlineData("00", "17 octets")]
    [InlineData("00525069341131a000322ef8ed104515", "17 octets")]
    [InlineData("00525069341131a000322ef8ed1045155b00", "17 octets")]
    [InlineData("01525069341131a000322ef8ed1045155b", "type 0")]
    public void Another_length_or_type_is_refused(string hex, string cause)
    {
        Assert.False(PiOption97.TryRead(Convert.FromHexString(hex), out _, out var error));
        Assert.Contains(cause, error.Reason);
    }

    private static string Hex(PiOption97 id)
    {
        var octets = new byte[PiOption97.Size];
        id.Write(octets);
        return Convert.ToHexStringLower(octets);
    }
}
