using System.Buffers.Binary;
using System.Text;

namespace Bramble.Boot.Images;

/// <summary>Recognises what a partition holds by the magic numbers that the kernel itself looks at.</summary>
internal static class FileSystemProbe
{
    /// <summary>Linux's name of the file system and its label; both empty if it is not recognised.</summary>
    public static (string FileSystem, string Label) Of(DiskReader disk, PartitionEntry partition)
    {
        var head = Piece(disk, partition, 0, 4096);
        if (head.Length < 4096) return ("", "");
        var super = head.AsSpan(1024);
        if (BinaryPrimitives.ReadUInt16LittleEndian(super[0x38..]) == 0xEF53)
        {
            var hasJournal = (BinaryPrimitives.ReadUInt32LittleEndian(super[0x5C..]) & 4) != 0;
            // Incompatible features beyond those of ext3: extents, 64 bit, flexible block groups.
            var newer = (BinaryPrimitives.ReadUInt32LittleEndian(super[0x60..]) & 0x2C0) != 0;
            return (newer ? "ext4" : hasJournal ? "ext3" : "ext2", Text(super.Slice(0x78, 16)));
        }
        if (BinaryPrimitives.ReadUInt32LittleEndian(super) == 0xF2F52010) return ("f2fs", "");
        if (head.AsSpan(0, 4).SequenceEqual("XFSB"u8)) return ("xfs", Text(head.AsSpan(108, 12)));
        if (head.AsSpan(0, 4).SequenceEqual("hsqs"u8)) return ("squashfs", "");
        if (head.AsSpan(0, 4).SequenceEqual("LUKS"u8)) return ("crypto_LUKS", "");
        if (head.AsSpan(4086, 10).SequenceEqual("SWAPSPACE2"u8)) return ("swap", Text(head.AsSpan(1052, 16)));
        if (head[510] == 0x55 && head[511] == 0xAA)
        {
            if (head.AsSpan(82, 5).SequenceEqual("FAT32"u8)) return ("vfat", Text(head.AsSpan(71, 11)));
            if (head.AsSpan(54, 3).SequenceEqual("FAT"u8)) return ("vfat", Text(head.AsSpan(43, 11)));
        }
        var deep = Piece(disk, partition, 65536, 4096);
        if (deep.Length == 4096 && deep.AsSpan(64, 8).SequenceEqual("_BHRfS_M"u8))
            return ("btrfs", Text(deep.AsSpan(299, 256)));
        return ("", "");
    }

    private static byte[] Piece(DiskReader disk, PartitionEntry partition, int at, int count) =>
        at + count <= partition.SizeBytes && partition.OffsetBytes + at + count <= disk.Length
            ? disk.Read(partition.OffsetBytes + at, count, $"Partition {partition.Number}")
            : [];

    private static string Text(ReadOnlySpan<byte> padded)
    {
        var end = padded.IndexOf((byte)0);
        var text = Encoding.UTF8.GetString(end < 0 ? padded : padded[..end]).TrimEnd(' ');
        return text == "NO NAME" ? "" : new string([.. text.Where(c => !char.IsControl(c))]);
    }
}
