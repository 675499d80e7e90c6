using Bramble.Boot.Dhcp;
using Bramble.Testing;
using Bramble.Testing.Dhcp;
using Bramble.Wire;
using Bramble.Wire.Dhcp;
using static Bramble.Boot.Tests.Dhcp.Nets;

namespace Bramble.Boot.Tests.Dhcp;

/// <summary>An explanation is what the server would do, and changes nothing.</summary>
public sealed class DhcpExplanationTests
{
    private static DhcpExplanation Explain(DhcpRig rig, byte[] packet, DhcpNetwork? network = null) =>
        DhcpExplanation.Of(packet, default, network ?? Rack, [], rig.Directory, rig.Leases, rig.Clock.GetUtcNow());

    [Theory]
    [InlineData("3B DISCOVER")]
    [InlineData("3B+ DISCOVER")]
    [InlineData("Pi 4 old DISCOVER")]
    [InlineData("Pi 4 DISCOVER")]
    [InlineData("Pi 5 DISCOVER")]
    [InlineData("Pi 4 REQUEST")]
    public async Task It_is_octet_for_octet_what_the_server_then_sends(string golden)
    {
        await using var rig = new DhcpRig();
        var explained = Explain(rig, GoldenDhcp.All[golden]);
        rig.Channel.Receive(GoldenDhcp.All[golden]);
        if (golden.StartsWith("3B", StringComparison.Ordinal))
        {
            await Patience.UntilAsync(() => rig.Server.Snapshot().Delayed == 1, "the OFFER waits");
            rig.Clock.Advance(TimeSpan.FromSeconds(2));
        }
        var sent = (await rig.Channel.NextAsync()).Packet.ToArray();
        Assert.Equal(Convert.ToHexString(sent), Convert.ToHexString(explained.Octets.Span));
        Assert.All(explained.Options, option => Assert.NotEqual("", option.Rule));
        Assert.All(explained.Options, option => Assert.True(option.Sent));
    }

    [Fact]
    public async Task A_hundred_explanations_hold_no_address_and_record_nothing()
    {
        await using var rig = new DhcpRig(Small(2));
        for (var i = 1; i <= 100; i++)
        {
            var explained = Explain(rig, Client.Discover(Mac(i)).ToArray(), Small(2));
            Assert.Equal(Address(100), Assert.IsType<DhcpDecision.Reply>(explained.Decision).Packet.YourAddress);
        }
        Assert.Equal(0, rig.Leases.Known);
        Assert.Empty(rig.Directory.Steps);
        Assert.All(rig.Directory.Sightings, sighting => Assert.True(sighting.IsRehearsal));
        rig.Channel.Receive(Client.Discover(Mac(7)).ToArray());
        Assert.Equal(Address(100), (await rig.Channel.NextAsync()).Packet.YourAddress);
    }

    [Fact]
    public async Task It_sees_leases_as_they_are_and_leaves_them_so()
    {
        var network = Small(2);
        await using var rig = new DhcpRig(network);
        rig.Channel.Receive(Client.Packet(DhcpMessageType.Request, Mac(1), Address(100)).ToArray());
        await rig.Channel.NextAsync();
        var other = Explain(rig, Client.Discover(Mac(2)).ToArray(), network);
        Assert.Equal(Address(101), Assert.IsType<DhcpDecision.Reply>(other.Decision).Packet.YourAddress);
        var taken = Explain(rig, Client.Packet(DhcpMessageType.Request, Mac(2), Address(100)).ToArray(), network);
        Assert.Contains("belongs to another", Assert.IsType<DhcpDecision.Reply>(taken.Decision).Detail);
        // To explain what gives the address back does not give it back.
        var release = Client.Packet(DhcpMessageType.Release, Mac(1), server: Nets.Server, ciaddr: Address(100))
            .ToArray();
        Assert.IsType<DhcpDecision.Noted>(Explain(rig, release, network).Decision);
        Assert.IsType<DhcpDecision.Noted>(Explain(rig, release, network).Decision);
        Assert.True(rig.Leases.TryFind(Address(100), out _));
    }

    [Fact]
    public async Task It_names_the_step_at_which_a_packet_is_dropped()
    {
        await using var rig = new DhcpRig();
        rig.Directory.Plan = _ => new BoardPlan(Admission.AwaitsAdoption);
        var explained = Explain(rig, GoldenDhcp.Pi4Discover);
        Assert.Equal(DhcpIgnoreReason.AwaitsAdoption, Assert.IsType<DhcpDecision.Ignore>(explained.Decision).Reason);
        Assert.Contains("board: Raspberry Pi 4 Model B, serial 5b154510", explained.Notes);
        Assert.True(explained.Octets.IsEmpty);
        var garbage = Explain(rig, [1, 2, 3]);
        Assert.Equal(DhcpIgnoreReason.Malformed, Assert.IsType<DhcpDecision.Ignore>(garbage.Decision).Reason);
        Assert.Null(garbage.Question);
    }

    [Fact]
    public async Task An_option_that_does_not_fit_is_shown_as_left_out()
    {
        await using var rig = new DhcpRig();
        var network = Rack with
        {
            Options = new DhcpOptionSet("network rack", [new DhcpOptionRule((DhcpOption)224, new byte[600])]),
        };
        var explained = Explain(rig, Client.Discover(Mac(1)).ToArray(), network);
        Assert.False(explained.Options.Single(o => o.Option == (DhcpOption)224).Sent);
        Assert.True(DhcpPacket.TryRead(explained.Octets.Span, out var packet, out _));
        Assert.Equal(explained.Options.Count(o => o.Sent), packet.Options.Count);
    }

    [Theory]
    [InlineData("b8:27:eb:01:02:03", BoardFamily.Unknown, null, BoardFamily.Pi3B)]
    [InlineData("dc:a6:32:01:02:03", BoardFamily.Unknown, null, BoardFamily.Pi4)]
    [InlineData("52:54:00:01:02:03", BoardFamily.Pi3BPlus, null, BoardFamily.Pi3BPlus)]
    [InlineData("52:54:00:01:02:03", BoardFamily.Pi5, null, BoardFamily.Pi5)]
    [InlineData("52:54:00:01:02:03", BoardFamily.Unknown, 7, BoardFamily.Pxe)]
    [InlineData("dc:a6:32:01:02:03", BoardFamily.Unknown, 11, BoardFamily.PiOther)]
    [InlineData("52:54:00:01:02:03", BoardFamily.Unknown, null, BoardFamily.PlainClient)]
    public void A_sample_DISCOVER_looks_like_what_the_board_sends(
        string mac, BoardFamily known, int? architecture, BoardFamily seen)
    {
        var packet = SampleDiscover.Of(MacAddress.Parse(mac), known, "", (ushort?)architecture, null, null);
        Assert.True(BoardClassifier.TryClassify(Client.Read(packet.ToArray()), out var board, out _));
        Assert.True(seen == board.Family || (seen == BoardFamily.PiOther && board.Family.IsPi()), $"{board.Family}");
        Assert.Equal((ushort?)architecture ?? (seen == BoardFamily.PlainClient ? null : (ushort)0),
            board.ClientArchitecture);
    }
}
