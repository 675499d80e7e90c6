using Bramble.Testing.Dhcp;
using Bramble.Wire.Dhcp;

namespace Bramble.Wire.Tests.Dhcp;

public sealed class DhcpPacketTests
{
    public static TheoryData<string> Golden => [.. GoldenDhcp.All.Keys];

    [Theory]
    [MemberData(nameof(Golden))]
    public void A_golden_packet_is_written_back_octet_for_octet(string name)
    {
        var octets = GoldenDhcp.All[name];
        Assert.True(DhcpPacket.TryRead(octets, out var packet, out var error), error.ToString());
        Assert.Equal(Convert.ToHexString(octets), Convert.ToHexString(packet.ToArray()));
    }

    [Fact]
    public void Every_field_of_a_Pi_4s_DISCOVER_is_read()
    {
        var packet = Read(GoldenDhcp.Pi4Discover);
        Assert.Equal(DhcpOperation.Request, packet.Operation);
        Assert.Equal(DhcpMessageType.Discover, packet.MessageType);
        Assert.Equal(0x39c0ffeeu, packet.TransactionId);
        Assert.Equal("dc:a6:32:2e:f8:ed", packet.Mac.ToString());
        Assert.True(packet.IsEthernet);
        Assert.False(packet.WantsBroadcast);
        Assert.True(packet.Options.TryGetText(DhcpOption.VendorClass, out var vendor));
        Assert.Equal("PXEClient:Arch:00000:UNDI:002001", vendor);
        Assert.True(packet.Options.TryGetUInt16(DhcpOption.ClientArchitecture, out var arch));
        Assert.Equal(0, arch);
        Assert.True(packet.Options.TryGet(DhcpOption.ClientNetworkInterface, out var undi));
        Assert.Equal("010201", Convert.ToHexString(undi));
        Assert.True(packet.Options.TryGet(DhcpOption.ParameterRequestList, out var list));
        Assert.Equal([1, 3, 43, 60, 66, 67, 128, 129, 130, 131, 132, 133, 134, 135], list.ToArray());
    }

    [Fact]
    public void Fields_that_no_Pi_uses_survive_as_well()
    {
        var packet = new DhcpPacket
        {
            Operation = DhcpOperation.Reply,
            HardwareType = 32,
            HardwareLength = 16,
            Hops = 3,
            TransactionId = 0xdeadbeef,
            Seconds = 77,
            Flags = 0x8001,
            ClientAddress = IPv4Address.Parse("1.2.3.4"),
            YourAddress = IPv4Address.Parse("5.6.7.8"),
            NextServer = IPv4Address.Parse("9.10.11.12"),
            RelayAddress = IPv4Address.Parse("13.14.15.16"),
            HardwareBits = (UInt128)0x0102030405060708 << 64 | 0x090a0b0c0d0e0f10,
            ServerName = "boot"u8.ToArray(),
            File = Enumerable.Repeat((byte)'f', 128).ToArray(),
        };
        packet.Options.Set(DhcpOption.MessageType, (byte)DhcpMessageType.Ack);
        var back = Read(packet.ToArray());
        Assert.Equal(packet.ToArray(), back.ToArray());
        Assert.Equal(packet.HardwareBits, back.HardwareBits);
        Assert.Equal("boot"u8.ToArray(), back.ServerName.ToArray());
        Assert.Equal(128, back.File.Length);
        Assert.Equal(16, back.HardwareLength);
        Assert.Equal("13.14.15.16", back.RelayAddress.ToString());
    }

    [Fact]
    public void A_short_packet_is_filled_to_300_octets_after_its_End_option()
    {
        var packet = new DhcpPacket();
        packet.Options.Set(DhcpOption.MessageType, (byte)1);
        var octets = packet.ToArray();
        Assert.Equal(300, octets.Length);
        Assert.Equal([53, 1, 1, 255], octets[240..244]);
        Assert.All(octets[244..], octet => Assert.Equal(0, octet));
    }

    [Fact]
    public void A_dirty_buffer_does_not_leak_into_the_packet()
    {
        var packet = new DhcpPacket();
        packet.Options.Set(DhcpOption.MessageType, (byte)1);
        var dirty = new byte[DhcpPacket.LargestSize];
        dirty.AsSpan().Fill(0xcc);
        var size = packet.Write(dirty);
        Assert.Equal(packet.ToArray(), dirty[..size]);
    }

    [Fact]
    public void Options_of_file_and_sname_are_read_in_the_order_of_RFC_2131()
    {
        var octets = GoldenDhcp.Packet("00000001", "b827eb010203", "35 01 01", "34 01 03", "0c 02 6161");
        Convert.FromHexString("0c026262ff").CopyTo(octets, 108);
        Convert.FromHexString("0c026363" + "4d0178" + "ff").CopyTo(octets, 44);
        var packet = Read(octets);
        Assert.True(packet.Options.TryGetText(DhcpOption.HostName, out var name));
        Assert.Equal("aabbcc", name);
        Assert.True(packet.Options.TryGetText(DhcpOption.UserClass, out var user));
        Assert.Equal("x", user);
        Assert.True(packet.File.IsEmpty);
        Assert.True(packet.ServerName.IsEmpty);
    }

    [Fact]
    public void Long_options_are_cut_on_write_and_joined_on_read()
    {
        var value = Enumerable.Range(0, 600).Select(i => (byte)i).ToArray();
        var packet = new DhcpPacket();
        packet.Options.Set(DhcpOption.MessageType, (byte)1).Set(DhcpOption.ClasslessStaticRoutes, value);
        var octets = packet.ToArray();
        Assert.Equal([121, 255], octets[243..245]);
        Assert.Equal([121, 255], octets[500..502]);
        Assert.Equal([121, 90], octets[757..759]);
        Assert.True(Read(octets).Options.TryGet(DhcpOption.ClasslessStaticRoutes, out var back));
        Assert.Equal(value, back.ToArray());
    }

    [Fact]
    public void Options_that_do_not_fit_are_put_into_file_and_sname()
    {
        var packet = new DhcpPacket { Operation = DhcpOperation.Reply };
        packet.Options.Set(DhcpOption.MessageType, (byte)2);
        for (var i = 200; i < 220; i++) packet.Options.Set((DhcpOption)i, new byte[20]);
        var buffer = new byte[DhcpPacket.DefaultMaximumSize];
        var size = packet.Write(buffer);
        Assert.InRange(size, 300, DhcpPacket.DefaultMaximumSize);
        var back = Read(buffer[..size]);
        Assert.Equal(21, back.Options.Count);
        for (var i = 0; i < 21; i++) Assert.Equal(packet.Options.OptionAt(i), back.Options.OptionAt(i));
    }

    [Fact]
    public void A_packet_that_cannot_fit_is_not_written()
    {
        var packet = new DhcpPacket { File = "x"u8.ToArray(), ServerName = "y"u8.ToArray() };
        packet.Options.Set(DhcpOption.ClasslessStaticRoutes, new byte[400]);
        Assert.Equal(0, packet.Write(new byte[DhcpPacket.DefaultMaximumSize]));
        Assert.Equal(0, packet.Write(new byte[299]));
    }

    [Theory]
    [InlineData("no End option", "350101", true)]
    [InlineData("pads between options", "00003501010000ff", true)]
    [InlineData("an empty option", "35010150 00ff", true)]
    [InlineData("an option without length", "350101 0c", false)]
    [InlineData("an option longer than the packet", "350101 0cff61", false)]
    [InlineData("overload 0", "350101 340100ff", false)]
    [InlineData("overload 4", "350101 340104ff", false)]
    [InlineData("overload of two octets", "350101 34020101ff", false)]
    [InlineData("overload that points at text without room", "350101 340101ff", true)]
    public void Odd_options_are_judged_by_rule(string what, string options, bool taken)
    {
        byte[] octets = [.. GoldenDhcp.Pi3BDiscover[..240], .. Convert.FromHexString(options.Replace(" ", ""))];
        Assert.True(DhcpPacket.TryRead(octets, out _, out _) == taken, what);
    }

    [Theory]
    [InlineData(0, 0, "op")]
    [InlineData(0, 3, "op")]
    [InlineData(2, 17, "hlen")]
    [InlineData(236, 0, "cookie")]
    public void A_broken_header_is_refused_with_its_cause(int offset, byte value, string cause)
    {
        var octets = GoldenDhcp.Pi3BDiscover;
        octets[offset] = value;
        Assert.False(DhcpPacket.TryRead(octets, out _, out var error));
        Assert.Contains(cause, error.Reason);
        Assert.Equal(offset, error.Offset);
    }

    [Fact]
    public void Every_prefix_of_a_golden_packet_is_refused_or_read_but_never_throws()
    {
        foreach (var golden in GoldenDhcp.All.Values)
            for (var length = 0; length < golden.Length; length++)
                if (DhcpPacket.TryRead(golden.AsSpan(0, length), out var packet, out _)) packet.ToArray();
    }

    [Fact]
    public void A_second_message_type_makes_none()
    {
        var packet = Read(GoldenDhcp.Packet("00000001", "b827eb010203", "35 01 01", "35 01 03"));
        Assert.Equal(DhcpMessageType.None, packet.MessageType);
    }

    [Theory]
    [InlineData(null, 548)]
    [InlineData(100, 548)]
    [InlineData(1024, 996)]
    [InlineData(65535, 1472)]
    public void The_reply_size_respects_option_57(int? size, int reply)
    {
        var packet = new DhcpPacket();
        if (size is { } s) packet.Options.Set(DhcpOption.MaximumMessageSize, (ushort)s);
        Assert.Equal(reply, packet.MaximumReplySize);
    }

    [Fact]
    public void Setting_an_option_again_replaces_it_where_it_stands()
    {
        var options = new DhcpOptions().Set(DhcpOption.HostName, "a").Set(DhcpOption.DomainName, "b");
        options.Set(DhcpOption.HostName, "longer");
        Assert.Equal(2, options.Count);
        Assert.Equal("longer"u8.ToArray(), options.ValueAt(0).ToArray());
        Assert.True(options.Remove(DhcpOption.HostName));
        Assert.False(options.Contains(DhcpOption.HostName));
        Assert.Throws<ArgumentOutOfRangeException>(() => options.Set(DhcpOption.Overload, (byte)1));
    }

    private static DhcpPacket Read(byte[] octets)
    {
        Assert.True(DhcpPacket.TryRead(octets, out var packet, out var error), error.ToString());
        return packet;
    }
}
