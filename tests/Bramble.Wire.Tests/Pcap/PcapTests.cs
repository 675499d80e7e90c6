using Bramble.Testing;
using Bramble.Wire.Pcap;

namespace Bramble.Wire.Tests.Pcap;

public sealed class PcapTests
{
    /// <summary>By hand, so that the codec cannot prove itself: one frame of two octets, cut from 60.</summary>
    public static TheoryData<string, string> Files => new()
    {
        {
            "little-endian, µs",
            "d4c3b2a1 0200 0400 00000000 00000000 00000400 01000000" + "00f15365 40e20100 02000000 3c000000 abcd"
        },
        {
            "big-endian, µs",
            "a1b2c3d4 0002 0004 00000000 00000000 00040000 00000001" + "6553f100 0001e240 00000002 0000003c abcd"
        },
        {
            "little-endian, ns",
            "4d3cb2a1 0200 0400 00000000 00000000 00000400 01000000" + "00f15365 00ca5b07 02000000 3c000000 abcd"
        },
        {
            "big-endian, ns",
            "a1b23c4d 0002 0004 00000000 00000000 00040000 00000001" + "6553f100 075bca00 00000002 0000003c abcd"
        },
    };

    [Theory]
    [MemberData(nameof(Files))]
    public void All_four_kinds_of_file_are_read_and_written_octet_for_octet(string kind, string hex)
    {
        var file = Hex(hex);
        Assert.True(PcapReader.TryOpen(file, out var reader, out var error), $"{kind}: {error}");
        Assert.True(reader.TryNext(out var record, out var frame));
        Assert.Equal(new DateTimeOffset(2023, 11, 14, 22, 13, 20, TimeSpan.Zero).AddTicks(1_234_560), record.At);
        Assert.Equal(60u, record.Original);
        Assert.Equal("ABCD", Convert.ToHexString(frame));
        Assert.False(reader.TryNext(out _, out _));
        Assert.Null(reader.Error);

        var written = new byte[file.Length];
        var at = reader.Header.Write(written);
        at += record.Write(written.AsSpan(at), reader.Header);
        frame.CopyTo(written.AsSpan(at));
        Assert.Equal(Convert.ToHexString(file), Convert.ToHexString(written));
    }

    [Fact]
    public void A_frame_is_cut_at_the_snap_length_and_says_how_long_it_was()
    {
        var header = PcapHeader.Ethernet with { SnapLength = 96 };
        var buffer = new byte[PcapHeader.Size + PcapWriter.SizeOf(header, 1000)];
        var at = header.Write(buffer);
        Assert.Equal(buffer.Length - at,
            PcapWriter.WriteFrame(buffer.AsSpan(at), header, DateTimeOffset.UnixEpoch, new byte[1000]));
        Assert.Equal(0, PcapWriter.WriteFrame(buffer.AsSpan(at + 1), header, DateTimeOffset.UnixEpoch, new byte[1000]));
        Assert.True(PcapReader.TryOpen(buffer, out var reader, out _));
        Assert.True(reader.TryNext(out var record, out var frame));
        Assert.Equal((1000u, 96), (record.Original, frame.Length));
    }

    [Theory]
    [InlineData("", "shorter")]
    [InlineData("0a0d0d0a 1c000000 4d3c2b1a 01000000 ffffffff ffffffff 1c000000", "pcapng")]
    [InlineData("00000000 0200 0400 00000000 00000000 00000400 01000000", "no pcap magic")]
    [InlineData("d4c3b2a1 0300 0400 00000000 00000000 00000400 01000000", "version 3")]
    public void What_is_no_capture_file_is_named(string hex, string complaint)
    {
        Assert.False(PcapReader.TryOpen(Hex(hex), out _, out var error));
        Assert.Contains(complaint, error.Reason);
    }

    [Theory]
    [InlineData("00f15365 40e20100 02000000 3c000000 ab", "within a frame")]
    [InlineData("00f15365 40e20100 0200", "within the head")]
    [InlineData("00f15365 40e20100 ffffff7f 3c000000", "octets")]
    [InlineData("00f15365 ffffffff 02000000 3c000000 abcd", "fraction")]
    public void A_damaged_frame_ends_the_walk_with_a_reason(string hex, string complaint)
    {
        var file = Hex("d4c3b2a1 0200 0400 00000000 00000000 00000400 01000000" + hex);
        Assert.True(PcapReader.TryOpen(file, out var reader, out _));
        Assert.False(reader.TryNext(out _, out _));
        Assert.Contains(complaint, reader.Error!.Value.Reason);
        Assert.False(reader.TryNext(out _, out _));
    }

    [Fact]
    public void Broken_captures_never_throw()
    {
        const int seed = 31337;
        var random = new Random(seed);
        var frame = new byte[UdpFrame.HeaderSize + 300];
        new UdpFrame(new(1), MacAddress.Broadcast, IPv4Address.Any, 68, IPv4Address.Broadcast, 67)
            .Write(frame, new byte[300]);
        var file = new byte[PcapHeader.Size + 2 * PcapWriter.SizeOf(PcapHeader.Ethernet, frame.Length)];
        var at = PcapHeader.Ethernet.Write(file);
        for (var i = 0; i < 2; i++)
            at += PcapWriter.WriteFrame(file.AsSpan(at), PcapHeader.Ethernet, DateTimeOffset.UnixEpoch, frame);
        var read = 0;
        for (var i = 0; i < 20_000; i++)
        {
            var broken = Mutation.Of(file, random);
            if (!PcapReader.TryOpen(broken, out var reader, out _)) continue;
            for (var frames = 0; reader.TryNext(out _, out var one); frames++)
            {
                Assert.True(frames <= broken.Length / PcapRecord.Size, $"seed {seed}, round {i}");
                if (UdpFrame.TryRead(one, out _, out var payload, out _)) read += payload.Length > 0 ? 1 : 0;
            }
        }
        Assert.True(read > 1000, $"seed {seed}: only {read} datagrams survived; the mutation is too rough");
    }

    private static byte[] Hex(string text) => Convert.FromHexString(text.Replace(" ", "", StringComparison.Ordinal));
}
