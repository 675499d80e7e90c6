using Bramble.Wire.Snmp;

namespace Bramble.Wire.Tests.Snmp;

public sealed class ObjectIdTests
{
    [Theory]
    [InlineData("1.3.6.1.2.1.1.1.0", "1.3.6.1.2.1.1.1.0")]
    [InlineData(".1.3.6.1", "1.3.6.1")]
    [InlineData("0.0", "0.0")]
    [InlineData("2.999.4294967295", "2.999.4294967295")]
    public void Dotted_decimal_is_read_with_or_without_a_leading_dot(string text, string shown) =>
        Assert.Equal(shown, ObjectId.Parse(text).ToString());

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("1..3")]
    [InlineData("1.3.")]
    [InlineData("1.40")]
    [InlineData("3.1")]
    [InlineData("1.3.4294967296")]
    [InlineData("1.3.-1")]
    [InlineData("1.3.iso")]
    public void What_is_no_object_identifier_is_refused(string text) => Assert.False(ObjectId.TryParse(text, out _));

    [Fact]
    public void An_identifier_has_at_most_128_arcs()
    {
        Assert.True(ObjectId.TryParse(string.Join('.', Enumerable.Repeat("1", 128)), out _));
        Assert.False(ObjectId.TryParse(string.Join('.', Enumerable.Repeat("1", 129)), out _));
    }

    [Fact]
    public void Identifiers_are_ordered_as_a_walk_meets_them()
    {
        string[] inOrder = ["1.3", "1.3.6", "1.3.6.1.2", "1.3.6.1.2.0", "1.3.6.1.2.1", "1.3.6.1.10", "2.1"];
        var shuffled = inOrder.Reverse().Select(t => ObjectId.Parse(t)).Order().Select(o => o.ToString());
        Assert.Equal(inOrder, shuffled);
        Assert.True(ObjectId.Parse("1.3.6.1").StartsWith(ObjectId.Parse("1.3.6")));
        Assert.False(ObjectId.Parse("1.3.61").StartsWith(ObjectId.Parse("1.3.6")));
    }

    [Fact]
    public void A_MAC_address_becomes_six_arcs() =>
        Assert.Equal("1.3.6.1.2.1.17.4.3.1.2.184.39.235.1.2.255",
            ObjectId.Parse("1.3.6.1.2.1.17.4.3.1.2").Append(MacAddress.Parse("b8:27:eb:01:02:ff")).ToString());
}
