using System.Text;

namespace Bramble.Wire.Tests.Tftp;

/// <summary>Packets as Raspberry Pis, atftp and the RFCs' own examples put them on the wire.</summary>
internal static class TftpGolden
{
    public static readonly byte[][] All =
    [
        Bytes("\0\u0001bootcode.bin\0octet\0"),
        Bytes("\0\u00011045155b/start4.elf\0octet\0tsize\00\0blksize\01468\0"),
        Bytes("\0\u0001foobar\0octet\0tsize\00\0blksize\01432\0timeout\03\0windowsize\016\0"),
        Bytes("\0\u0002foobar\0netascii\0"),
        Bytes("\0\u0003\0\u0001hello"),
        Bytes("\0\u0004\u00ff\u00ff"),
        Bytes("\0\u0005\0\0Early terminate\0"),
        Bytes("\0\u0006tsize\033554432\0blksize\01468\0"),
    ];

    /// <summary>One octet a character: the packets read as text in the source.</summary>
    public static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);
}
