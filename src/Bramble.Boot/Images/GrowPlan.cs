using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace Bramble.Boot.Images;

/// <summary>Bytes to put at an offset of the target disk after the image has been written.</summary>
public sealed record DiskPatch(long Offset, byte[] Bytes);

/// <summary>
/// Rewrites an image's partition table for the disk that it lands on, so that the root partition fills it. Worked out
/// on the server, so that the board needs no partitioning tool: it only writes the patches.
/// </summary>
internal static class GrowPlan
{
    private const int Sector = PartitionTable.SectorBytes;
    private const long Alignment = 1 << 20;

    /// <summary>The patches for a disk of a size; none if there is nothing to change.</summary>
    /// <param name="rootNumber">The partition to grow; it grows only if no other lies behind it.</param>
    /// <exception cref="ImageException">The image does not fit on the disk.</exception>
    public static IReadOnlyList<DiskPatch> Make(
        SafeFileHandle handle, long imageBytes, PartitionTable table, int rootNumber, long diskBytes)
    {
        if (imageBytes > diskBytes)
        {
            throw new ImageException(
                $"The image needs {imageBytes} bytes and the disk has {diskBytes}: it is too small. " +
                "Choose a larger disk or a smaller image.");
        }
        var root = table.Partitions.FirstOrDefault(p => p.Number == rootNumber);
        if (root is not null && table.Partitions.Any(p => !p.IsExtended && p.OffsetBytes > root.OffsetBytes))
            root = null;
        return table.Gpt is { } gpt
            ? GrowGpt(gpt, handle, imageBytes, root, diskBytes)
            : GrowMbr(new DiskReader(handle, imageBytes), table, root, diskBytes);
    }

    private static List<DiskPatch> GrowMbr(DiskReader disk, PartitionTable table, PartitionEntry? root, long diskBytes)
    {
        if (root is null) return [];
        // An MBR counts sectors in 32 bits: behind 2 TiB the rest of the disk stays unused.
        var limit = Math.Min(diskBytes, (long)uint.MaxValue * Sector) / Alignment * Alignment;
        if (limit <= root.EndBytes) return [];
        var mbr = disk.Read(0, Sector, "The master boot record");
        var patches = new List<DiskPatch> { new(0, mbr) };
        if (root.Number >= 5)
        {
            var ebrOffset = root.EntryOffset / Sector * Sector;
            var ebr = disk.Read(ebrOffset, Sector, "The extended boot record");
            SetEntry(ebr.AsSpan((int)(root.EntryOffset - ebrOffset), 16), limit - root.OffsetBytes);
            patches.Add(new DiskPatch(ebrOffset, ebr));
            // The link to this EBR from the one before states its size too.
            var extended = table.Partitions.First(p => p.IsExtended);
            GrowLink(disk, extended, ebrOffset, limit, patches);
            SetEntry(mbr.AsSpan((int)extended.EntryOffset, 16), limit - extended.OffsetBytes);
        }
        else
        {
            SetEntry(mbr.AsSpan((int)root.EntryOffset, 16), limit - root.OffsetBytes);
        }
        return patches;
    }

    private static void GrowLink(
        DiskReader disk, PartitionEntry extended, long ebrOffset, long limit, List<DiskPatch> patches)
    {
        var at = extended.OffsetBytes;
        while (at < ebrOffset)
        {
            var ebr = disk.Read(at, Sector, "The extended boot record");
            var next = extended.OffsetBytes + ((long)BinaryPrimitives.ReadUInt32LittleEndian(ebr.AsSpan(470)) * Sector);
            if (next == ebrOffset)
            {
                SetEntry(ebr.AsSpan(462, 16), limit - ebrOffset);
                patches.Add(new DiskPatch(at, ebr));
                return;
            }
            if (next <= at) return;
            at = next;
        }
    }

    /// <summary>Sets the sector count; the CHS end gets the value that means "use the LBA".</summary>
    private static void SetEntry(Span<byte> entry, long sizeBytes)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(entry[12..], (uint)(sizeBytes / Sector));
        entry[5] = 0xFE;
        entry[6] = 0xFF;
        entry[7] = 0xFF;
    }

    private static List<DiskPatch> GrowGpt(
        GptCopy gpt, SafeFileHandle handle, long imageBytes, PartitionEntry? root, long diskBytes)
    {
        var lastLba = (diskBytes / Sector) - 1;
        var entrySectors = (gpt.Entries.Length + Sector - 1) / Sector;
        var lastUsable = lastLba - entrySectors - 1;
        var entries = (byte[])gpt.Entries.Clone();
        if (root is not null)
        {
            var entry = entries.AsSpan((root.Number - 1) * gpt.EntryBytes, gpt.EntryBytes);
            var end = ((lastUsable + 1) * Sector / Alignment * Alignment / Sector) - 1;
            if (end > BinaryPrimitives.ReadInt64LittleEndian(entry[40..]))
                BinaryPrimitives.WriteInt64LittleEndian(entry[40..], end);
        }
        var used = 0L;
        for (var at = 0; at < entries.Length; at += gpt.EntryBytes)
        {
            if (!entries.AsSpan(at, 16).ContainsAnyExcept((byte)0)) continue;
            used = Math.Max(used, BinaryPrimitives.ReadInt64LittleEndian(entries.AsSpan(at + 40)));
        }
        if (used > lastUsable)
        {
            throw new ImageException(
                $"The image's last partition ends in sector {used}, where the disk of {diskBytes} bytes " +
                "must keep the " +
                "backup of its partition table. Choose a larger disk.");
        }
        // The entries of a disk whose primary copy was lost may lie anywhere: put them back in the usual place.
        var firstUsable = BinaryPrimitives.ReadInt64LittleEndian(gpt.Header.AsSpan(40));
        var primaryAt = firstUsable >= 2 + entrySectors ? 2
            : BinaryPrimitives.ReadInt64LittleEndian(gpt.Header.AsSpan(72));
        var padded = new byte[entrySectors * Sector];
        entries.CopyTo(padded, 0);
        var mbr = new DiskReader(handle, imageBytes).Read(0, Sector, "The protective MBR");
        Protect(mbr, lastLba);
        return
        [
            new DiskPatch(0, mbr),
            new DiskPatch(Sector, Header(gpt.Header, entries, 1, lastLba, primaryAt, lastUsable)),
            new DiskPatch(primaryAt * Sector, padded),
            new DiskPatch((lastLba - entrySectors) * Sector, padded),
            new DiskPatch(lastLba * Sector,
                Header(gpt.Header, entries, lastLba, 1, lastLba - entrySectors, lastUsable)),
        ];
    }

    private static byte[] Header(
        byte[] from, byte[] entries, long own, long other, long entriesLba, long lastUsable)
    {
        var header = (byte[])from.Clone();
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(24), own);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(32), other);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(48), lastUsable);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(72), entriesLba);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(88), Crc32.Of(entries));
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(16), GptReader.HeaderCrc(header));
        return header;
    }

    /// <summary>The protective entry covers the whole disk, or as much of it as 32 bits can say.</summary>
    private static void Protect(Span<byte> mbr, long lastLba)
    {
        for (var i = 0; i < 4; i++)
        {
            var entry = mbr.Slice(446 + (16 * i), 16);
            if (entry[4] != 0xEE) continue;
            var start = BinaryPrimitives.ReadUInt32LittleEndian(entry[8..]);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[12..], (uint)Math.Min(lastLba - start + 1, uint.MaxValue));
            return;
        }
        // The primary MBR was lost with its table: write a plain one.
        var first = mbr.Slice(446, 16);
        first.Clear();
        first[2] = 0x02;
        first[4] = 0xEE;
        first[5] = first[6] = first[7] = 0xFF;
        BinaryPrimitives.WriteUInt32LittleEndian(first[8..], 1);
        BinaryPrimitives.WriteUInt32LittleEndian(first[12..], (uint)Math.Min(lastLba, uint.MaxValue));
        mbr[510] = 0x55;
        mbr[511] = 0xAA;
    }
}
