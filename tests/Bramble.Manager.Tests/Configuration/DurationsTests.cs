using Bramble.Manager.Configuration;

namespace Bramble.Manager.Tests.Configuration;

public sealed class DurationsTests
{
    [Theory]
    [InlineData("250ms", 0.25)]
    [InlineData("90s", 90)]
    [InlineData("1.5m", 90)]
    [InlineData("12h", 43_200)]
    [InlineData("7d", 604_800)]
    [InlineData("0s", 0)]
    public void A_number_and_a_unit_are_a_duration(string text, double seconds)
    {
        Assert.True(Durations.TryParse(text, out var duration));
        Assert.Equal(seconds, duration.TotalSeconds);
    }

    [Theory]
    [InlineData("")]
    [InlineData("s")]
    [InlineData("5")]
    [InlineData("-5s")]
    [InlineData("5 s")]
    [InlineData("5S")]
    [InlineData("1.2.3s")]
    [InlineData(".s")]
    [InlineData("1e3s")]
    [InlineData("5w")]
    [InlineData("99999999999999999999d")]
    public void Anything_else_is_not(string text) => Assert.False(Durations.TryParse(text, out _));

    [Theory]
    [InlineData("250ms")]
    [InlineData("2.5s")]
    [InlineData("3m")]
    [InlineData("12h")]
    [InlineData("7d")]
    public void A_duration_is_shown_as_it_is_written(string text)
    {
        Assert.True(Durations.TryParse(text, out var duration));
        Assert.Equal(text, Durations.Show(duration));
    }
}
