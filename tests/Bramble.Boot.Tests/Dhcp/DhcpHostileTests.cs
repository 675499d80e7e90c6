using Bramble.Boot.Dhcp;
using Bramble.Boot.Loaders;
using Bramble.Testing;
using Bramble.Testing.Dhcp;
using Bramble.Wire;
using Bramble.Wire.Dhcp;
using static Bramble.Boot.Tests.Dhcp.Nets;

namespace Bramble.Boot.Tests.Dhcp;

public sealed class DhcpHostileTests
{
    private const int Seed = 20260120;

    private const string Discover = "350101";

    public static TheoryData<string, byte[], DhcpIgnoreReason> Hostile => new()
    {
        { "nothing", [], DhcpIgnoreReason.Malformed },
        { "one octet", [1], DhcpIgnoreReason.Malformed },
        { "a header without options", GoldenDhcp.Pi4Discover[..239], DhcpIgnoreReason.Malformed },
        { "64 KiB of ones", Enumerable.Repeat((byte)1, 65507).ToArray(), DhcpIgnoreReason.Malformed },
        { "no cookie", Changed(236, 0), DhcpIgnoreReason.Malformed },
        { "hlen 255", Changed(2, 255), DhcpIgnoreReason.Malformed },
        { "a reply", Changed(0, 2), DhcpIgnoreReason.NotARequest },
        { "hlen 0", Changed(2, 0), DhcpIgnoreReason.NoHardwareAddress },
        { "token ring", Changed(1, 6), DhcpIgnoreReason.NoHardwareAddress },
        { "a multicast MAC", Changed(28, 0x01), DhcpIgnoreReason.NoHardwareAddress },
        { "the broadcast MAC", From("ffffffffffff", Discover), DhcpIgnoreReason.NoHardwareAddress },
        { "a MAC of zeros", From("000000000000", Discover), DhcpIgnoreReason.NoHardwareAddress },
        { "plain BOOTP", From("020000000001", "0c0161"), DhcpIgnoreReason.BootpUnreserved },
        { "an empty message type", From("020000000001", "3500"), DhcpIgnoreReason.NoMessageType },
        { "two message types", From("020000000001", Discover, Discover), DhcpIgnoreReason.NoMessageType },
        { "an OFFER from a client", From("020000000001", "350102"), DhcpIgnoreReason.UnexpectedMessage },
        { "a LEASEQUERY", From("020000000001", "35010a"), DhcpIgnoreReason.UnexpectedMessage },
        { "message type 255", From("020000000001", "3501ff"), DhcpIgnoreReason.UnexpectedMessage },
        { "an option over the end", From("020000000001", Discover, "0cff41"), DhcpIgnoreReason.Malformed },
        { "overload into a field that is none", From("020000000001", Discover, "340107"), DhcpIgnoreReason.Malformed },
        { "a machine identifier of 16", From("020000000001", Discover, "611000000000000000000000000000000000"),
            DhcpIgnoreReason.BadMachineIdentifier },
        { "a foreign relay", Changed(24, 99), DhcpIgnoreReason.RelayedFromElsewhere },
        { "RELEASE of another's address", From("020000000001", "350107"), DhcpIgnoreReason.NotItsAddress },
        { "DECLINE without an address", From("020000000001", "350104"), DhcpIgnoreReason.NotItsAddress },
        { "DECLINE with half an address", From("020000000001", "350104", "32020a4d"), DhcpIgnoreReason.NotItsAddress },
        { "INFORM from nowhere", From("020000000001", "350108"), DhcpIgnoreReason.UnknownLease },
        { "REQUEST of nothing", From("020000000001", "350103"), DhcpIgnoreReason.UnknownLease },
    };

    [Theory]
    [MemberData(nameof(Hostile))]
    public async Task A_hostile_packet_is_ignored_for_its_reason_and_the_next_client_is_served(
        string what, byte[] octets, DhcpIgnoreReason reason)
    {
        await using var rig = new DhcpRig();
        rig.Channel.Receive(octets);
        rig.Channel.Receive(Client.Discover(Mac(99)).ToArray());
        var (packet, _) = await rig.Channel.NextAsync();
        Assert.Equal(Mac(99), packet.Mac);
        var ignored = rig.Server.Snapshot().Ignored;
        Assert.True(ignored.GetValueOrDefault(reason) == 1, $"{what}: {string.Join(", ", ignored)}");
        Assert.Contains(rig.Directory.Steps, step => step.Outcome == StepOutcome.Ignored);
    }

    [Fact]
    public void Broken_copies_of_golden_packets_never_throw()
    {
        var random = new Random(Seed);
        var leases = new LeaseTable(new ManualTimeProvider());
        var network = Rack with
        {
            Loaders = new LoaderRules { ByHand = new Dictionary<ushort, string> { [0] = "undionly.kpxe" } },
            Reservations = new Dictionary<MacAddress, IPv4Address> { [Mac(1)] = Address(50) },
        };
        DhcpNetwork[] networks =
            [network, network with { Mode = DhcpMode.Reservations }, network with { Mode = DhcpMode.Proxy }];
        var buffer = new byte[DhcpPacket.LargestSize];
        var replies = 0;
        byte[][] plain = [.. Enumerable.Range(1, 8).Select(type =>
            Client.Packet((DhcpMessageType)type, Mac(1), Address(50), Server, Address(50)).ToArray())];
        foreach (var golden in GoldenDhcp.All.Values.Concat(plain))
        {
            for (var i = 0; i < 1500; i++)
            {
                if (!DhcpPacket.TryRead(Mutation.Of(golden, random), out var packet, out _)) continue;
                var net = networks[i % 3];
                if (DhcpResponder.Screen(packet, net) is not null) continue;
                if (!BoardClassifier.TryClassify(packet, out var board, out _)) continue;
                var decision = DhcpResponder.Decide(packet, new DhcpIngress(default, 68, i % 2 == 0), board,
                    new BoardPlan(Admission.Serve), net, leases, DateTimeOffset.UnixEpoch);
                if (decision is not DhcpDecision.Reply reply) continue;
                replies++;
                var size = DhcpReplies.Write(reply.Packet, buffer.AsSpan(0, reply.MaximumSize));
                Assert.InRange(size, 300, reply.MaximumSize);
            }
        }
        Assert.True(replies > 1000, $"only {replies} answers: the mutation is too wild to test anything (seed {Seed})");
    }

    private static byte[] Changed(int offset, byte value)
    {
        var octets = GoldenDhcp.Pi4Discover;
        octets[offset] = value;
        return octets;
    }

    private static byte[] From(string mac, params string[] options) => GoldenDhcp.Packet("00000001", mac, options);
}
