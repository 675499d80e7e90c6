using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace Bramble.Boot.Images;

/// <summary>How a disk is divided.</summary>
public enum PartitionScheme
{
    Mbr,
    Gpt,
}

/// <summary>One entry of a partition table.</summary>
/// <param name="Number">As Linux counts: MBR primaries 1–4, logicals from 5; GPT by entry from 1.</param>
/// <param name="Type"><c>0x0c</c> for MBR, the type GUID for GPT.</param>
/// <param name="Name">The GPT name; empty for MBR.</param>
/// <param name="EntryOffset">Where the entry itself lies on the disk (an EBR for a logical partition).</param>
public sealed record PartitionEntry(
    int Number, string Type, string Name, long OffsetBytes, long SizeBytes, long EntryOffset)
{
    /// <summary>The first byte behind the partition.</summary>
    public long EndBytes => OffsetBytes + SizeBytes;

    /// <summary>Whether this is an MBR extended partition, which only holds others.</summary>
    public bool IsExtended => Type is "0x05" or "0x0f" or "0x85";
}

/// <summary>A partition table as read and checked: MBR with logical partitions, or GPT by either of its
/// copies.</summary>
public sealed record PartitionTable
{
    /// <summary>Images of small boards use 512-byte sectors; one made for 4096 is refused with that reason.</summary>
    public const int SectorBytes = 512;

    public required PartitionScheme Scheme { get; init; }

    /// <summary>All partitions in order of number, extended ones included.</summary>
    public required IReadOnlyList<PartitionEntry> Partitions { get; init; }

    /// <summary>The MBR disk signature as 8 hex digits, or the GPT disk GUID.</summary>
    public required string DiskId { get; init; }

    /// <summary>The checked GPT header and entries; null for MBR.</summary>
    internal GptCopy? Gpt { get; init; }

    /// <summary>Reads the table of a raw disk image.</summary>
    /// <exception cref="ImageException">No table, or one that contradicts itself or the image's length.</exception>
    public static PartitionTable Read(SafeFileHandle handle, long length)
    {
        var disk = new DiskReader(handle, length);
        if (length < SectorBytes)
            throw new ImageException($"The image holds {length} bytes: too short for a partition table. Is it empty?");
        var mbr = disk.Read(0, SectorBytes, "The master boot record");
        var hasMbr = BinaryPrimitives.ReadUInt16LittleEndian(mbr.AsSpan(510)) == 0xAA55;
        var protective = hasMbr && Enumerable.Range(0, 4).Any(i => mbr[446 + (16 * i) + 4] == 0xEE);
        if (protective || GptReader.HasSignature(disk)) return GptReader.Read(disk);
        if (!hasMbr)
        {
            throw new ImageException(
                "There is no partition table at the start of the image (neither MBR nor GPT). " +
                "Give a whole-disk image, or a tar of a root file system.");
        }
        return MbrReader.Read(disk, mbr);
    }

    /// <summary>Refuses partitions that leave the image or overlap; extended ones hold their logicals by
    /// design.</summary>
    internal static void Check(IReadOnlyList<PartitionEntry> partitions, long length)
    {
        foreach (var p in partitions)
        {
            // An extended partition's own end is not data: some writers round it past the image.
            if (p.EndBytes > length && !p.IsExtended)
            {
                throw new ImageException(
                    $"Partition {p.Number} ends at byte {p.EndBytes}, but the image has only {length} bytes: " +
                    "it is truncated. Download it again and check its checksum.");
            }
        }
        PartitionEntry? previous = null;
        foreach (var p in partitions.Where(p => !p.IsExtended).OrderBy(p => p.OffsetBytes))
        {
            if (previous is not null && p.OffsetBytes < previous.EndBytes)
            {
                throw new ImageException(
                    $"Partitions {previous.Number} and {p.Number} overlap at byte {p.OffsetBytes}: " +
                    "the partition table is corrupt.");
            }
            previous = p;
        }
    }
}
