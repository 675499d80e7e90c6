using System.Buffers.Binary;
using System.Globalization;

namespace Bramble.Boot.Images;

/// <summary>
/// The master boot record and its chain of extended boot records. An entry is 16 bytes: status, CHS start, type, CHS
/// end, LBA start, sectors. In an EBR the first entry is relative to that EBR, the second to the extended partition.
/// </summary>
internal static class MbrReader
{
    private const int Sector = PartitionTable.SectorBytes;

    /// <summary>Linux names no more than this many partitions on a disk; a longer chain is a loop or a joke.</summary>
    private const int MaxLogical = 60;

    public static PartitionTable Read(DiskReader disk, ReadOnlySpan<byte> mbr)
    {
        var partitions = new List<PartitionEntry>();
        for (var i = 0; i < 4; i++)
        {
            var at = 446 + (16 * i);
            var entry = mbr.Slice(at, 16);
            // A FAT or NTFS boot sector also ends in 55 AA; its code makes no valid status bytes.
            if ((entry[0] & 0x7F) != 0)
            {
                throw new ImageException(
                    $"MBR entry {i + 1} has status 0x{entry[0]:x2}: this is no partition table, but " +
                    "perhaps the image " +
                    "of a single partition. Give a whole-disk image.");
            }
            if (ReadEntry(entry, i + 1, 0, at) is { } p) partitions.Add(p);
        }
        if (partitions.Count == 0)
            throw new ImageException("The MBR holds no partition: there is nothing to boot or install in this image.");
        foreach (var extended in partitions.Where(p => p.IsExtended).Take(1).ToList())
            ReadLogical(disk, extended, partitions);
        PartitionTable.Check(partitions, disk.Length);
        var signature = BinaryPrimitives.ReadUInt32LittleEndian(mbr[440..]);
        return new PartitionTable
        {
            Scheme = PartitionScheme.Mbr,
            Partitions = partitions,
            DiskId = signature.ToString("x8", CultureInfo.InvariantCulture),
        };
    }

    private static void ReadLogical(DiskReader disk, PartitionEntry extended, List<PartitionEntry> into)
    {
        var at = extended.OffsetBytes;
        for (var number = 5; number < 5 + MaxLogical; number++)
        {
            var ebr = disk.Read(at, Sector, $"The extended boot record of partition {number}");
            if (BinaryPrimitives.ReadUInt16LittleEndian(ebr.AsSpan(510)) != 0xAA55)
                throw new ImageException($"The extended boot record at byte {at} lacks its signature: it is corrupt.");
            if (ReadEntry(ebr.AsSpan(446, 16), number, at, at + 446) is { } logical) into.Add(logical);
            if (ReadEntry(ebr.AsSpan(462, 16), number, extended.OffsetBytes, 0) is not { } next) return;
            // The chain runs forward in every writer that Linux knows; backward means a loop.
            if (next.OffsetBytes <= at)
            {
                throw new ImageException(
                    $"The extended boot record at byte {at} points back to byte {next.OffsetBytes}: the " +
                    "chain is a loop.");
            }
            at = next.OffsetBytes;
        }
        throw new ImageException($"There are more than {MaxLogical} logical partitions: the table is corrupt.");
    }

    private static PartitionEntry? ReadEntry(ReadOnlySpan<byte> entry, int number, long relativeTo, long entryOffset)
    {
        var start = BinaryPrimitives.ReadUInt32LittleEndian(entry[8..]);
        var sectors = BinaryPrimitives.ReadUInt32LittleEndian(entry[12..]);
        if (entry[4] == 0 || sectors == 0) return null;
        return new PartitionEntry(number, $"0x{entry[4]:x2}", "", relativeTo + ((long)start * Sector),
            (long)sectors * Sector, entryOffset);
    }
}
