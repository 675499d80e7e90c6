using System.Text;

namespace Bramble.Wire.Tests.Dns;

/// <summary>Messages octet by octet, the compressed ones by hand.</summary>
internal static class GoldenDns
{
    /// <summary>dig's query for node-07.bramble.internal A, with its cookie (RFC 7873) in the OPT record.</summary>
    public static readonly byte[] Query = Hex(
        "4b1f 0120 0001 0000 0000 0001"
        + "07 6e6f64652d3037 07 6272616d626c65 08 696e7465726e616c 00 0001 0001"
        + "00 0029 04d0 00000000 000c 000a 0008 1122334455667788");

    /// <summary>An address, and the names as a server compresses them.</summary>
    public static readonly byte[] Answer = Hex(
        "4b1f 8580 0001 0001 0001 0001"
        + "07 6e6f64652d3037 07 6272616d626c65 08 696e7465726e616c 00 0001 0001"
        + "c00c 0001 0001 0000000a 0004 0a4d0007"
        + "c014 0002 0001 0000000a 0005 02 6e73 c014"
        + "c046 0001 0001 0000000a 0004 0a4d0001");

    /// <summary>The example of RFC 1035 §4.1.4: F.ISI.ARPA, FOO.F.ISI.ARPA, ARPA and the root.</summary>
    public static readonly byte[] Rfc1035Example = Hex(
        "0001 0000 0004 0000 0000 0000"
        + "01 46 03 495349 04 41525041 00 0001 0001"
        + "03 464f4f c00c 0001 0001"
        + "c012 0001 0001"
        + "00 0001 0001");

    /// <summary>No such name, said by a zone (RFC 2308 §2.1).</summary>
    public static readonly byte[] NoSuchName = Hex(
        "0002 8183 0001 0000 0001 0000"
        + "02 6e6f 04 74657374 00 0001 0001"
        + "c00f 0006 0001 00000e10 0021 02 6e73 c00f 05 61646d696e c00f"
        + "00000001 00000e10 00000258 00015180 0000003c");

    /// <summary>Each known type with names in its data, each name by pointer.</summary>
    public static readonly byte[] EveryLayout = Build();

    public static IReadOnlyList<byte[]> All => [Query, Answer, Rfc1035Example, NoSuchName, EveryLayout];

    public static byte[] Hex(string digits) => Convert.FromHexString(digits.Replace(" ", "", StringComparison.Ordinal));

    private static byte[] Build()
    {
        (int Type, string Data)[] records =
        [
            (2, "c00c"), (3, "c00c"), (4, "c00c"), (5, "c00c"), (7, "c00c"), (8, "c00c"), (9, "c00c"), (12, "c00c"),
            (6, "c00c c00c 00000001 00000002 00000003 00000004 00000005"), (14, "c00c c00c"), (15, "000a c00c"),
            (13, "03 414d44 05 4c696e7578"), (16, "05 68656c6c6f 00 01 78"), (17, "c00c c00c"), (18, "0001 c00c"),
            (21, "0001 c00c"), (24, "0001 05 02 00000e10 00000001 00000002 0003 c00c aabbcc"), (26, "0001 c00c c00c"),
            (28, "fd00 0000 0000 0000 0000 0000 0000 0001"), (30, "c00c 4000"), (33, "0000 0000 238c c00c"),
            (35, "0001 0002 01 75 00 02 6161 c00c"), (36, "0001 c00c"), (39, "c00c"),
            (46, "0001 05 02 00000e10 00000001 00000002 0003 c00c aabbcc"), (99, "c00c"), (1, "7f000001"),
        ];
        var digits = new StringBuilder(
            $"0003 8400 0001 {records.Length:x4} 0000 0000 03 777777 04 74657374 00 00ff 0001");
        foreach (var (type, data) in records)
            digits.Append($"c00c {type:x4} 0001 0000003c {Hex(data).Length:x4} {data}");
        return Hex(digits.ToString());
    }
}
