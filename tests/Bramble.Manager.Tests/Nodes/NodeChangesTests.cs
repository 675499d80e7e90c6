using Bramble.Contracts.Nodes;
using Bramble.Manager.Api;
using Bramble.Manager.Configuration;
using Bramble.Manager.Nodes;

namespace Bramble.Manager.Tests.Nodes;

public sealed class NodeChangesTests
{
    private static readonly BrambleOptions s_options = Sample.Options() with
    {
        PowerDevices = [new PowerDeviceSection { Name = "sw1", Driver = "none" }],
    };

    private static readonly NodeSpec s_spec = new()
    {
        Adopted = true,
        Image = "debian",
        Disk = "only sd",
        ReservedAddress = Wire.IPv4Address.Parse("10.77.0.9"),
        PowerDevice = "sw1",
        PowerPort = "7",
        Labels = new Dictionary<string, string> { ["role"] = "worker", ["row"] = "3" },
    };

    [Fact]
    public void What_a_patch_does_not_name_stays() =>
        Assert.Equal(s_spec, NodeChanges.Apply(s_spec, new NodePatch(), s_options));

    [Fact]
    public void What_a_patch_names_is_set()
    {
        var after = NodeChanges.Apply(new NodeSpec(), new NodePatch
        {
            Image = "raspios",
            Disk = "/dev/nvme0n1",
            ReservedAddress = "10.77.0.33",
            PowerDevice = "sw1",
            PowerPort = "3",
            Labels = new Dictionary<string, string> { ["role"] = "head" },
        }, s_options);
        Assert.Equal(("raspios", "/dev/nvme0n1", "10.77.0.33", "sw1", "3"),
            (after.Image, after.Disk, after.ReservedAddress.ToString(), after.PowerDevice, after.PowerPort));
        Assert.Equal("head", after.Labels["role"]);
    }

    [Fact]
    public void An_empty_string_clears()
    {
        var after = NodeChanges.Apply(s_spec, new NodePatch
        {
            Image = "",
            Disk = "",
            ReservedAddress = "",
            PowerDevice = "",
            PowerPort = "",
            Labels = new Dictionary<string, string> { ["role"] = "", ["new"] = "1" },
        }, s_options);
        Assert.Equal((null, null, null, null, null),
            (after.Image, after.Disk, after.ReservedAddress, after.PowerDevice, after.PowerPort));
        Assert.Equal("new=1 row=3",
            string.Join(' ', after.Labels.OrderBy(l => l.Key).Select(l => $"{l.Key}={l.Value}")));
    }

    [Fact]
    public void A_label_without_a_value_is_removed() => Assert.Equal(["row"], NodeChanges.Apply(
        s_spec, new NodePatch { Labels = new Dictionary<string, string> { ["role"] = null! } }, s_options).Labels.Keys);

    public static TheoryData<NodePatch, string> Bad() => new()
    {
        { new NodePatch { Disk = "the big one" }, "'the big one' is not a disk such as" },
        { new NodePatch { Disk = "/dev/../sda" }, "'/dev/../sda' is not a disk such as" },
        { new NodePatch { ReservedAddress = "10.77.0" }, "'10.77.0' is not an IPv4 address" },
        { new NodePatch { ReservedAddress = "10.99.0.1" }, "10.99.0.1 lies in none of the networks 10.77.0.1/24" },
        { new NodePatch { ReservedAddress = "10.77.0.1" }, "is the manager's" },
        { new NodePatch { ReservedAddress = "10.77.0.0" }, "is the manager's, the network's" },
        { new NodePatch { ReservedAddress = "10.77.0.255" }, "or the broadcast address" },
        { new NodePatch { PowerDevice = "sw9" }, "there is no power device 'sw9' in the configuration; there are sw1" },
        { new NodePatch { Labels = new Dictionary<string, string> { ["a=b"] = "c" } },
            "'a=b' cannot be the name of a label" },
        { new NodePatch { Labels = new Dictionary<string, string> { [""] = "c" } },
            "'' cannot be the name of a label" },
    };

    [Theory]
    [MemberData(nameof(Bad))]
    public void What_makes_no_sense_is_a_bad_request(NodePatch patch, string message)
    {
        var e = Assert.Throws<ProblemException>(() => NodeChanges.Apply(s_spec, patch, s_options));
        Assert.Equal(400, e.Status);
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("pi-03", true)]
    [InlineData("a", true)]
    [InlineData("3b", true)]
    [InlineData("Pi", false)]
    [InlineData("-pi", false)]
    [InlineData("pi-", false)]
    [InlineData("pi.local", false)]
    [InlineData("pi\n", false)]
    [InlineData("", false)]
    [InlineData("7", false)]
    [InlineData("2-9", false)]
    [InlineData("abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabc", true)]
    [InlineData("abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcd", false)]
    public void A_name_is_a_host_name_that_cannot_be_taken_for_a_number(string name, bool good)
    {
        if (good) Assert.Equal(name, NodeChanges.CheckName(name));
        else Assert.Equal(400, Assert.Throws<ProblemException>(() => NodeChanges.CheckName(name)).Status);
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(1_000_000, true)]
    [InlineData(0, false)]
    [InlineData(-3, false)]
    [InlineData(1_000_001, false)]
    public void A_number_is_one_that_can_be_typed(int number, bool good)
    {
        if (good) Assert.Equal(number, NodeChanges.CheckNumber(number));
        else Assert.Equal(400, Assert.Throws<ProblemException>(() => NodeChanges.CheckNumber(number)).Status);
    }
}
