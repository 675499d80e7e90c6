using Bramble.Lab.Boards;
using Bramble.Lab.Dhcp;
using Bramble.Lab.Network;
using Bramble.Lab.Tests.StandIn;
using Bramble.Wire;
using Bramble.Wire.Dhcp;

namespace Bramble.Lab.Tests.Dhcp;

/// <summary>The DHCP of PCs' firmware and of iPXE, and of Pis beside a second server, with neither network nor
/// clock.</summary>
public sealed class PxeDhcpTests
{
    private static readonly IPv4Address s_other = IPv4Address.Parse("10.77.0.2");

    [Theory]
    [InlineData("pc-bios", "PXEClient:Arch:00000:UNDI:002001", 0)]
    [InlineData("pc-uefi", "PXEClient:Arch:00007:UNDI:003000", 7)]
    [InlineData("pc-uefi-arm64", "PXEClient:Arch:00011:UNDI:003000", 11)]
    [InlineData("pc-uefi-http", "HTTPClient:Arch:00016:UNDI:003000", 16)]
    public void Each_firmware_says_what_it_is(string word, string vendorClass, int architecture)
    {
        var board = Board(word);
        var packet = new PxeDhcp(board, architecture == 0 ? PxeKind.BiosRom : PxeKind.Uefi, new Random(1))
            .Start(TimeSpan.Zero)!;

        Assert.True(packet.Options.TryGetText(DhcpOption.VendorClass, out var said));
        Assert.Equal(vendorClass, said);
        Assert.True(packet.Options.TryGetUInt16(DhcpOption.ClientArchitecture, out var number));
        Assert.Equal(architecture, number);
        Assert.True(packet.Options.TryGet(DhcpOption.ClientMachineIdentifier, out var id));
        Assert.Equal([0, .. board.Uuid.ToByteArray()], id.ToArray());
        Assert.Equal(architecture != 0, packet.Options.TryGet(DhcpOption.ClientNetworkInterface, out var undi)
            && undi[1] == 3);
    }

    [Fact]
    public void Firmware_gathers_offers_for_four_seconds_and_takes_the_address_that_comes_with_a_boot_file()
    {
        var board = Board("pc-uefi");
        var client = new PxeDhcp(board, PxeKind.Uefi, new Random(1));
        var xid = client.Start(TimeSpan.Zero)!.TransactionId;

        Assert.Null(client.Receive(Offer(board, xid, s_other, "10.77.9.9"), TimeSpan.FromSeconds(1)));
        Assert.Null(client.Receive(
            Offer(board, xid, StandInManager.Address, "10.77.1.1", "shimx64.efi"), TimeSpan.FromSeconds(2)));
        var request = client.Tick(TimeSpan.FromSeconds(4))!;

        Assert.Equal(DhcpMessageType.Request, request.MessageType);
        Assert.True(request.Options.TryGetAddress(DhcpOption.ServerIdentifier, out var chosen));
        Assert.Equal(StandInManager.Address, chosen);
        client.Receive(Offer(board, xid, StandInManager.Address, "10.77.1.1", "shimx64.efi", DhcpMessageType.Ack),
            TimeSpan.FromSeconds(5));
        Assert.Equal(new PxeBoot(StandInManager.Address, "shimx64.efi"), client.Boot);
        Assert.Equal("10.77.1.1", client.Lease!.Address.ToString());
    }

    [Theory]
    [InlineData("pc-bios", true, "undionly.kpxe")]
    [InlineData("pc-uefi", false, "")]
    public void Beside_another_server_a_BIOS_takes_the_proxys_file_and_UEFI_asks_it(
        string word, bool menu, string expected)
    {
        var board = Board(word);
        var client = new PxeDhcp(
            board, word == "pc-bios" ? PxeKind.BiosRom : PxeKind.Uefi, new Random(1));
        var xid = client.Start(TimeSpan.Zero)!.TransactionId;
        client.Receive(Offer(board, xid, StandInManager.Address, "0.0.0.0", "undionly.kpxe", menu: menu),
            TimeSpan.FromSeconds(1));
        Assert.Null(client.Tick(TimeSpan.FromSeconds(2)));
        client.Receive(Offer(board, xid, s_other, "10.77.9.9"), TimeSpan.FromSeconds(3));
        var request = client.Tick(TimeSpan.FromSeconds(4))!;
        Assert.True(request.Options.TryGetAddress(DhcpOption.ServerIdentifier, out var chosen));
        Assert.Equal(s_other, chosen);
        client.Receive(Offer(board, xid, s_other, "10.77.9.9", type: DhcpMessageType.Ack), TimeSpan.FromSeconds(5));

        Assert.Equal(new PxeBoot(StandInManager.Address, expected), client.Boot);
    }

    [Fact]
    public void Firmware_without_a_boot_file_gives_up_after_a_minute()
    {
        var board = Board("pc-uefi");
        var client = new PxeDhcp(board, PxeKind.Uefi, new Random(1));
        var xid = client.Start(TimeSpan.Zero)!.TransactionId;
        client.Receive(Offer(board, xid, s_other, "10.77.9.9"), TimeSpan.FromSeconds(1));
        var sent = new List<double>();
        while (client.Deadline is { } at)
            if (client.Tick(at) is not null) sent.Add(at.TotalSeconds);

        Assert.Equal([4, 12, 28], sent);
        Assert.True(client.HasGivenUp);
    }

    [Fact]
    public void HTTP_boot_takes_no_answer_that_is_for_PXE()
    {
        var board = Board("pc-uefi-http");
        var client = new PxeDhcp(board, PxeKind.Uefi, new Random(1));
        var xid = client.Start(TimeSpan.Zero)!.TransactionId;
        client.Receive(Offer(board, xid, StandInManager.Address, "10.77.1.1", "shimx64.efi"), TimeSpan.Zero);
        Assert.Equal(DhcpMessageType.Discover, client.Tick(TimeSpan.FromSeconds(4))!.MessageType);
        client.Receive(Offer(board, xid, StandInManager.Address, "0.0.0.0", "http://10.77.0.1/boot/bramble.efi",
            vendorClass: "HTTPClient"), TimeSpan.FromSeconds(5));

        Assert.Equal(DhcpMessageType.Request, client.Tick(TimeSpan.FromSeconds(12))!.MessageType);
    }

    [Theory]
    [InlineData("3b", true)]
    [InlineData("3b", false)]
    [InlineData("4", true)]
    [InlineData("4", false)]
    public void A_Pi_takes_the_address_from_one_server_and_the_boot_option_from_another(string word, bool proxyFirst)
    {
        var board = Board(word);
        IDhcpClient client = word == "3b" ? new Pi3RomDhcp(board) : new EepromDhcp(board, new Random(1));
        var xid = client.Start(TimeSpan.Zero)!.TransactionId;
        DhcpArrival[] offers =
        [
            PiBoot(Offer(board, xid, StandInManager.Address, "0.0.0.0")),
            Offer(board, xid, s_other, "10.77.9.9"),
        ];
        if (!proxyFirst) Array.Reverse(offers);
        Assert.Null(client.Receive(offers[0], TimeSpan.FromSeconds(2)));
        Assert.Null(client.Lease);
        var request = client.Receive(offers[1], TimeSpan.FromSeconds(3));
        if (word == "4")
        {
            Assert.True(request!.Options.TryGetAddress(DhcpOption.ServerIdentifier, out var chosen));
            Assert.Equal(s_other, chosen);
            client.Receive(Offer(board, xid, s_other, "10.77.9.9", type: DhcpMessageType.Ack), TimeSpan.FromSeconds(3));
        }

        Assert.Equal(("10.77.9.9", StandInManager.Address),
            (client.Lease!.Address.ToString(), client.Lease.TftpServer));
    }

    private static BoardSpec Board(string word)
    {
        Assert.True(BoardTraits.TryParse(word, out var model));
        return BoardSpec.Rack(1, [model], 1)[0];
    }

    private static DhcpArrival PiBoot(DhcpArrival arrival)
    {
        arrival.Packet.Options.Set(DhcpOption.VendorSpecific, PxeVendorOptions.RaspberryPiBoot);
        return arrival;
    }

    private static DhcpArrival Offer(
        BoardSpec board, uint xid, IPv4Address server, string address, string file = "",
        DhcpMessageType type = DhcpMessageType.Offer, bool menu = true, string vendorClass = "PXEClient")
    {
        var packet = new DhcpPacket
        {
            Operation = DhcpOperation.Reply,
            TransactionId = xid,
            Mac = board.Mac,
            YourAddress = IPv4Address.Parse(address),
        };
        packet.Options.Set(DhcpOption.MessageType, (byte)type).Set(DhcpOption.ServerIdentifier, server)
            .Set(DhcpOption.SubnetMask, IPv4Address.Parse("255.255.0.0"));
        if (file.Length > 0)
        {
            packet.Options.Set(DhcpOption.VendorClass, vendorClass).Set(DhcpOption.BootFileName, file);
            if (menu) packet.Options.Set(DhcpOption.VendorSpecific, [6, 1, 8, 255]);
        }
        return new DhcpArrival(packet, StandInManager.Mac, server);
    }
}
