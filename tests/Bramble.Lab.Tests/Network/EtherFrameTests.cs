using Bramble.Lab.Network;
using Bramble.Wire;

namespace Bramble.Lab.Tests.Network;

public sealed class EtherFrameTests
{
    private static readonly MacAddress Board = MacAddress.Parse("b8:27:eb:01:02:03");

    [Fact]
    public void A_broadcast_datagram_octet_for_octet()
    {
        var frame = new byte[64];
        "hello"u8.CopyTo(frame.AsSpan(EtherFrame.UdpPayload));

        var length = EtherFrame.WriteUdp(frame,
            new UdpFlow(Board, MacAddress.Broadcast, IPv4Address.Any, IPv4Address.Broadcast, 68, 67), 5, 1);

        // Checksums worked out by hand from RFC 791 and RFC 768.
        Assert.Equal("ffffffffffffb827eb0102030800"
            + "45000021000100004011" + "7acc" + "00000000ffffffff"
            + "00440043000d" + "bb7b" + "68656c6c6f", Convert.ToHexStringLower(frame.AsSpan(0, length)));
    }

    [Fact]
    public void What_is_written_is_read_back()
    {
        var frame = new byte[64];
        "abc"u8.CopyTo(frame.AsSpan(EtherFrame.UdpPayload));
        var flow = new UdpFlow(Board, MacAddress.Parse("02:00:00:00:00:01"), IPv4Address.Parse("10.77.0.9"),
            IPv4Address.Parse("10.77.0.1"), 68, 67);

        var length = EtherFrame.WriteUdp(frame, flow, 3, 7);

        // What follows the datagram is Ethernet's padding.
        Assert.True(EtherFrame.TryReadUdp(frame.AsSpan(0, length + 10), out var read, out var payload));
        Assert.Equal(flow, read);
        Assert.Equal("abc"u8.ToArray(), payload.ToArray());
    }

    [Fact]
    public void ARP_octet_for_octet()
    {
        var frame = new byte[EtherFrame.ArpSize];
        var arp = new ArpPacket(ArpPacket.Reply, Board, IPv4Address.Parse("10.77.0.9"),
            MacAddress.Parse("02:00:00:00:00:01"), IPv4Address.Parse("10.77.0.1"));

        EtherFrame.WriteArp(frame, arp, arp.TargetMac);

        Assert.Equal("020000000001b827eb0102030806" + "0001080006040002" + "b827eb0102030a4d0009"
            + "0200000000010a4d0001",
            Convert.ToHexStringLower(frame));
        Assert.True(EtherFrame.TryReadArp(frame, out var read));
        Assert.Equal(arp, read);
    }

    [Fact]
    public void No_cut_or_flipped_frame_throws()
    {
        var frame = new byte[60];
        EtherFrame.WriteUdp(frame, new UdpFlow(Board, MacAddress.Broadcast, default, default, 68, 67), 8, 1);
        var random = new Random(11);
        for (var i = 0; i < 5000; i++)
        {
            var broken = Bramble.Testing.Mutation.Of(frame, random);
            EtherFrame.TryReadUdp(broken, out _, out _);
            EtherFrame.TryReadArp(broken, out _);
        }
    }
}
