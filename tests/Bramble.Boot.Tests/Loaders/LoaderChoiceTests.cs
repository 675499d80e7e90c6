using Bramble.Boot.Dhcp;
using Bramble.Boot.Loaders;
using Bramble.Boot.Tests.Dhcp;
using Bramble.Wire.Dhcp;
using static Bramble.Boot.Tests.Dhcp.Nets;

namespace Bramble.Boot.Tests.Loaders;

/// <summary>Which loader each kind of machine is told to fetch, from its DISCOVER to the answer.</summary>
public sealed class LoaderChoiceTests
{
    private const string Url = "http://10.0.0.1:8067";

    private static readonly LoaderRules s_rules = new() { BootUrl = Url };

    public static TheoryData<string, int, string, string?> Machines => new()
    {
        { "PXEClient:Arch:00000:UNDI:002001", 0, "", "undionly.kpxe" },
        { "PXEClient:Arch:00007:UNDI:003001", 7, "", "shimx64.efi" },
        { "PXEClient:Arch:00009:UNDI:003001", 9, "", "shimx64.efi" },
        { "PXEClient:Arch:00011:UNDI:003000", 11, "", "shimaa64.efi" },
        { "HTTPClient:Arch:00016:UNDI:003001", 16, "", Url + "/boot/bramble.efi" },
        { "HTTPClient:Arch:00019:UNDI:003001", 19, "", Url + "/boot/bramble.efi" },
        { "PXEClient:Arch:00006:UNDI:003001", 6, "", null },
        // Whoever loaded iPXE, and as RFC 3004 writes classes too: the script, never iPXE once more.
        { "PXEClient:Arch:00000:UNDI:002001", 0, "iPXE", Url + "/boot/boot.ipxe" },
        { "PXEClient:Arch:00007:UNDI:003010", 7, "\u0004iPXE", Url + "/boot/boot.ipxe" },
        { "U-Boot.armv8", 22, "", "" },
    };

    [Theory]
    [MemberData(nameof(Machines))]
    public void Each_machine_gets_the_loader_of_its_architecture(
        string vendorClass, int architecture, string userClass, string? file)
    {
        var board = Classify(vendorClass, architecture, userClass);
        Assert.Equal(BoardFamily.Pxe, board.Family);
        Assert.Equal(file, LoaderChoice.For(board, s_rules)?.Name);
    }

    [Theory]
    [InlineData("PXEClient", 7, "snponly.efi")]
    [InlineData("HTTPClient", 16, Url + "/boot/bramble.efi")]
    [InlineData("PXEClient", 11, "shimaa64.efi")]
    public void Where_iPXE_is_wished_UEFI_gets_it_if_there_is_one(string vendorClass, int architecture, string file) =>
        Assert.Equal(file, LoaderChoice.For(
            Classify(vendorClass, architecture), s_rules with { Uefi = UefiLoader.Ipxe })?.Name);

    [Fact]
    public void U_Boot_that_says_it_is_UEFI_is_known_by_its_network_interface_of_no_version()
    {
        var packet = Client.Discover(Mac(1));
        packet.Options.Set(DhcpOption.VendorClass, "PXEClient:Arch:00011:UNDI:003000")
            .Set(DhcpOption.ClientArchitecture, (ushort)11)
            .Set(DhcpOption.ClientNetworkInterface, new byte[] { 1, 0, 0 });
        Assert.True(BoardClassifier.TryClassify(packet, out var board, out _));
        Assert.Equal((BootClient.UBoot, "bramble.efi"), (board.Client, LoaderChoice.For(board, s_rules)?.Name));
    }

    [Fact]
    public void A_file_named_by_hand_comes_first_and_breaks_no_loop()
    {
        var rules = s_rules with
        {
            ByHand = new Dictionary<ushort, string>
            {
                [0] = "pxelinux.0", [16] = "my.efi", [19] = "http://a.example/b",
            },
        };
        Assert.Equal("pxelinux.0", LoaderChoice.For(Classify("PXEClient", 0), rules)?.Name);
        Assert.Equal(Url + "/boot/my.efi", LoaderChoice.For(Classify("HTTPClient", 16), rules)?.Name);
        Assert.Equal("http://a.example/b", LoaderChoice.For(Classify("HTTPClient", 19), rules)?.Name);
        Assert.Equal(Url + "/boot/boot.ipxe", LoaderChoice.For(Classify("PXEClient", 0, "iPXE"), rules)?.Name);
    }

    [Fact]
    public void A_Pi_and_a_running_system_get_no_loader()
    {
        Assert.Null(LoaderChoice.For(new BoardIdentity { Family = BoardFamily.Pi4 }, s_rules));
        Assert.Null(LoaderChoice.For(Classify("dhcpcd-9.4.1", 0), s_rules));
    }

    [Theory]
    [InlineData("bios", 0)]
    [InlineData("uefi-arm64", 11)]
    [InlineData("41", 41)]
    [InlineData("uefi", null)]
    [InlineData("-1", null)]
    [InlineData("65536", null)]
    public void A_client_architecture_is_named_or_numbered(string text, int? number) =>
        Assert.Equal(number, ClientArchitecture.TryParse(text, out var architecture) ? architecture : null);

    private static BoardIdentity Classify(string vendorClass, int architecture, string userClass = "")
    {
        var packet = Client.Discover(Mac(1));
        packet.Options.Set(DhcpOption.VendorClass, vendorClass)
            .Set(DhcpOption.ClientArchitecture, (ushort)architecture);
        if (userClass.Length > 0) packet.Options.Set(DhcpOption.UserClass, userClass);
        Assert.True(BoardClassifier.TryClassify(packet, out var board, out _));
        return board;
    }
}
