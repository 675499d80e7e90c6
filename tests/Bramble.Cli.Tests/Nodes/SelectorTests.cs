using Bramble.Cli.Nodes;

namespace Bramble.Cli.Tests.Nodes;

public sealed class SelectorTests
{
    [Theory]
    [InlineData("2-5", "2 3 4 5")]
    [InlineData("7-7", "7")]
    [InlineData("2,4,7-9", "2 4 7 8 9")]
    [InlineData("12", "12")]
    [InlineData("2 3 2-4", "2 3 4")]
    [InlineData("shelf-3", "shelf-3")]
    [InlineData("3-shelf", "3-shelf")]
    [InlineData("rack=a phase=lost", "rack=a phase=lost")]
    [InlineData("b8:27:eb:12:34:56", "b8:27:eb:12:34:56")]
    [InlineData("10000000a1b2c3d4", "10000000a1b2c3d4")]
    [InlineData("1-2-3", "1-2-3")]
    [InlineData("b8-27-eb-12-34-56", "b8-27-eb-12-34-56")]
    [InlineData("a,b", "a,b")]
    public void Ranges_of_numbers_are_spelled_out_and_all_else_is_passed_on(string typed, string selectors) =>
        Assert.Equal(selectors.Split(' '), Selectors.Expand(typed.Split(' ')));

    [Theory]
    [InlineData("9-2")]
    [InlineData("1-501")]
    [InlineData("1-99999999999")]
    [InlineData(" ")]
    public void A_range_that_cannot_be_meant_is_refused(string typed) =>
        Assert.Throws<UsageException>(() => Selectors.Expand([typed]));

    [Fact]
    public async Task Selectors_go_to_the_manager_escaped()
    {
        await using var manager = await ScriptedManager.StartAsync();
        manager.On("GET", "/api/v1/nodes", "[]");
        await CliRun.RunAsync(manager, "node", "ls", "2-3", "rack=a&b", "phase=lost");
        Assert.Equal("/api/v1/nodes?select=2&select=3&select=rack%3Da%26b&select=phase%3Dlost",
            Assert.Single(manager.Asked).Path);
    }
}
