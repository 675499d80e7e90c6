using Bramble.Boot.Dhcp;
using Bramble.Testing.Dhcp;

namespace Bramble.Boot.Tests.Dhcp;

public sealed class BoardClassifierTests
{
    private const string Pxe = "3c 09 505845436c69656e74";

    [Theory]
    [InlineData("3B DISCOVER", BoardFamily.Pi3B, "Raspberry Pi 3 Model B", 0u, 1, "", "")]
    [InlineData("3B+ DISCOVER", BoardFamily.Pi3BPlus, "Raspberry Pi 3 Model B+", 0u, 1, "", "5a0b0c0d")]
    [InlineData("Pi 4 old DISCOVER", BoardFamily.Pi4, "Raspberry Pi 4", 0u, 0, "", "1a2b3c4d")]
    [InlineData("Pi 4 DISCOVER", BoardFamily.Pi4, "Raspberry Pi 4 Model B", 0xa03111u, 1, "Sony UK", "5b154510")]
    [InlineData("Pi 4 REQUEST", BoardFamily.Pi4, "Raspberry Pi 4 Model B", 0xa03111u, 1, "Sony UK", "5b154510")]
    [InlineData("Pi 5 DISCOVER", BoardFamily.Pi5, "Raspberry Pi 5", 0xc04170u, 4, "Sony UK", "9f8e7d6c")]
    public void A_board_is_known_from_its_first_packet(
        string golden, BoardFamily family, string model, uint revision, int gibibytes, string maker, string serial)
    {
        var board = Classify(GoldenDhcp.All[golden]);
        Assert.Equal(family, board.Family);
        Assert.Equal(model, board.Model);
        Assert.Equal(revision, board.Revision);
        Assert.Equal((long)gibibytes << 30, board.MemoryBytes);
        Assert.Equal(maker, board.Maker);
        Assert.Equal(serial, board.Serial);
        Assert.Equal((ushort)0, board.ClientArchitecture);
    }

    [Theory]
    [InlineData("a reversed FourCC", "11111111", "dca6322ef8ed",
        Pxe + "611100 34695052 1131a000322ef8ed1045155b", BoardFamily.Pi4)]
    [InlineData("the owner's own prefix", "11111111", "dca6322ef8ed",
        Pxe + "611100 6d795049 1131a000322ef8ed1045155b", BoardFamily.Pi4)]
    [InlineData("a CM5", "11111111", "2ccf67010203",
        Pxe + "611100 52506935 8041c000 67010203 00000001", BoardFamily.Pi5)]
    [InlineData("a Pi of a type yet unknown", "11111111", "2ccf67010203",
        Pxe + "611100 52506935 f04fc000 67010203 00000001", BoardFamily.Pi5)]
    [InlineData("a future Pi 6", "11111111", "2ccf67010203",
        Pxe + "611100 52506936 00000000 67010203 00000001", BoardFamily.PiOther)]
    [InlineData("no 97, the ROM's xid", "26f30339", "b827eb010203",
        Pxe, BoardFamily.Pi3B)]
    [InlineData("no 97, Pi 4 prefix", "11111111", "e45f01010203",
        Pxe, BoardFamily.Pi4)]
    [InlineData("no 97, a newer prefix", "11111111", "88a29e010203",
        Pxe, BoardFamily.PiOther)]
    [InlineData("rpiboot's architecture", "11111111", "020000000001",
        Pxe + "5d020029", BoardFamily.PiOther)]
    [InlineData("a PC with a UUID", "11111111", "525400010203",
        Pxe + "611100 0123456789abcdef0123456789abcdef", BoardFamily.Pxe)]
    [InlineData("a PC with a blank UUID", "11111111", "525400010203",
        Pxe + "611100 ffffffffffffffffffffffffffffffff", BoardFamily.Pxe)]
    [InlineData("a PC whose UUID repeats a word", "11111111", "525400010203",
        Pxe + "611100 01020304010203040102030401020304", BoardFamily.Pxe)]
    [InlineData("UEFI HTTP", "11111111", "525400010203",
        "3c0a48545450436c69656e74", BoardFamily.Pxe)]
    [InlineData("an installed system on a Pi", "11111111", "dca632010203",
        "0c026161", BoardFamily.PlainClient)]
    public void Other_clients_are_told_apart(string what, string xid, string mac, string options, BoardFamily family)
    {
        var packet = GoldenDhcp.Packet(xid, mac, "350101", "37020103", options);
        Assert.True(Classify(packet).Family == family, what);
    }

    [Theory]
    [InlineData("6100")]
    [InlineData("6110 00 52506934 1131a000 322ef8ed 104515")]
    [InlineData("6112 00 52506934 1131a000 322ef8ed 1045155b 00")]
    public void An_identifier_of_another_length_than_17_is_refused(string option)
    {
        var packet = Client.Read(GoldenDhcp.Packet("11111111", "dca6322ef8ed", "350101", Pxe, option));
        Assert.False(BoardClassifier.TryClassify(packet, out _, out var error));
        Assert.Contains("17", error.Reason);
    }

    [Theory]
    [InlineData(0xa02082u, "Raspberry Pi 3 Model B", 1024, "Sony UK", 2, BoardFamily.Pi3B)]
    [InlineData(0xa22083u, "Raspberry Pi 3 Model B", 1024, "Embest", 3, BoardFamily.Pi3B)]
    [InlineData(0xa52082u, "Raspberry Pi 3 Model B", 1024, "Stadium", 2, BoardFamily.Pi3B)]
    [InlineData(0xa32082u, "Raspberry Pi 3 Model B", 1024, "Sony Japan", 2, BoardFamily.Pi3B)]
    [InlineData(0xa020d3u, "Raspberry Pi 3 Model B+", 1024, "Sony UK", 3, BoardFamily.Pi3BPlus)]
    [InlineData(0xa02100u, "Raspberry Pi Compute Module 3+", 1024, "Sony UK", 0, BoardFamily.Pi3BPlus)]
    [InlineData(0x902120u, "Raspberry Pi Zero 2 W", 512, "Sony UK", 0, BoardFamily.PiOther)]
    [InlineData(0xb03115u, "Raspberry Pi 4 Model B", 2048, "Sony UK", 5, BoardFamily.Pi4)]
    [InlineData(0xd03114u, "Raspberry Pi 4 Model B", 8192, "Sony UK", 4, BoardFamily.Pi4)]
    [InlineData(0xc03130u, "Raspberry Pi 400", 4096, "Sony UK", 0, BoardFamily.Pi4)]
    [InlineData(0xd03140u, "Raspberry Pi Compute Module 4", 8192, "Sony UK", 0, BoardFamily.Pi4)]
    [InlineData(0xd04170u, "Raspberry Pi 5", 8192, "Sony UK", 0, BoardFamily.Pi5)]
    [InlineData(0xe04171u, "Raspberry Pi 5", 16384, "Sony UK", 1, BoardFamily.Pi5)]
    [InlineData(0xb04180u, "Raspberry Pi Compute Module 5", 2048, "Sony UK", 0, BoardFamily.Pi5)]
    [InlineData(0xd04190u, "Raspberry Pi 500", 8192, "Sony UK", 0, BoardFamily.Pi5)]
    [InlineData(0xc041a0u, "Raspberry Pi Compute Module 5 Lite", 4096, "Sony UK", 0, BoardFamily.Pi5)]
    [InlineData(0xe0a03111u, "Raspberry Pi 4 Model B", 1024, "Sony UK", 1, BoardFamily.Pi4)]
    public void A_revision_code_is_taken_apart(
        uint code, string model, int mebibytes, string maker, int board, BoardFamily family)
    {
        Assert.True(PiRevision.TryDecode(code, out var revision));
        Assert.Equal(model, revision.Model);
        Assert.Equal((long)mebibytes << 20, revision.MemoryBytes);
        Assert.Equal(maker, revision.Maker);
        Assert.Equal(board, revision.Board);
        Assert.Equal(family, revision.Family);
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(0x000eu)]
    public void An_old_style_code_is_none(uint code) => Assert.False(PiRevision.TryDecode(code, out _));

    private static BoardIdentity Classify(byte[] octets)
    {
        var packet = Client.Read(octets);
        Assert.True(BoardClassifier.TryClassify(packet, out var board, out var error), error.Reason);
        return board;
    }
}
