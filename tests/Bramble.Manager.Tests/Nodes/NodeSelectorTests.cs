using Bramble.Contracts.Nodes;
using Bramble.Manager.Nodes;

namespace Bramble.Manager.Tests.Nodes;

public sealed class NodeSelectorTests
{
    private static readonly NodeSnapshot[] s_nodes =
    [
        With(1, NodePhase.Running, "rack", "debian", "00f00d01", ("role", "worker")),
        With(2, NodePhase.Lost, "rack", "debian", "5b154510", ("role", "head")),
        With(3, NodePhase.Running, "bench", "raspios", "00f00d03", ("role", "worker")),
        With(9, NodePhase.Failed, "bench", null, "", []),
    ];

    private static NodeSnapshot With(int n, NodePhase phase, string network, string? image, string serial,
        params (string Key, string Value)[] labels) => Sample.Node(n,
            new NodeSpec { Adopted = true, Image = image, Labels = labels.ToDictionary(l => l.Key, l => l.Value) },
            new NodeStatus
            {
                Phase = phase,
                Network = network,
                Serial = serial,
                Installed = n == 9 ? new InstallRecord("old", "d1", "/dev/sda", 2, "ext4", 1, Sample.Start) : null,
            });

    [Theory]
    [InlineData("1", "1")]
    [InlineData("node-02", "2")]
    [InlineData("2-9", "2 3 9")]
    [InlineData("1-1", "1")]
    [InlineData("b8:27:eb:00:00:03", "3")]
    [InlineData("B8-27-EB-00-00-03", "3")]
    [InlineData("5B154510", "2")]
    [InlineData("phase=running", "1 3")]
    [InlineData("network=bench", "3 9")]
    [InlineData("image=debian", "1 2")]
    [InlineData("image=old", "9")]
    [InlineData("role=worker", "1 3")]
    [InlineData("9 1 1-2 node-01", "1 2 9")]
    public void A_word_picks_nodes_each_once_in_the_order_of_their_numbers(string words, string numbers) =>
        Assert.Equal(numbers,
            string.Join(' ', NodeSelector.Select(s_nodes, words.Split(' '), all: false).Select(n => n.Number)));

    [Fact]
    public void All_picks_all() => Assert.Equal(4, NodeSelector.Select(s_nodes, [], all: true).Count);

    [Theory]
    [InlineData("4")]
    [InlineData("9-2")]
    [InlineData("4-8")]
    [InlineData("-1")]
    [InlineData("1-")]
    [InlineData("+1")]
    [InlineData("99999999999")]
    [InlineData("node")]
    [InlineData("")]
    [InlineData("f00d")]
    [InlineData("b8:27:eb:00:00:99")]
    public void A_word_that_picks_nothing_is_an_error_and_nothing_is_picked_for_the_others(string word)
    {
        var e = Assert.Throws<SelectionException>(() => NodeSelector.Select(s_nodes, ["1", word], all: false));
        Assert.StartsWith($"'{word}' is no node", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("phase=rescue")]
    [InlineData("phase=dancing")]
    [InlineData("role=")]
    [InlineData("=worker")]
    public void A_filter_that_matches_none_at_the_moment_picks_none(string word)
    {
        Assert.Empty(NodeSelector.Select(s_nodes, [word], all: false));
        Assert.Single(NodeSelector.Select(s_nodes, ["1", word], all: false));
    }

    [Fact]
    public void No_word_at_all_picks_nothing_by_accident() =>
        Assert.Contains("--all",
            Assert.Throws<SelectionException>(() => NodeSelector.Select(s_nodes, [], all: false)).Message,
            StringComparison.Ordinal);

    [Fact]
    public void An_empty_serial_is_nobodys() =>
        Assert.Throws<SelectionException>(() => NodeSelector.Select(s_nodes, ["        "], all: false));
}
