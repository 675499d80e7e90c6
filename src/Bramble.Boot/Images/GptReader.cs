using System.Buffers.Binary;
using System.Text;

namespace Bramble.Boot.Images;

/// <summary>A GPT header (sector-sized) and its entries, both of which passed their CRC.</summary>
internal sealed record GptCopy(byte[] Header, byte[] Entries, int EntryBytes);

/// <summary>
/// GUID partition table, UEFI 2.10 section 5.3: a header with CRC at sector 1, its twin in the last sector. Either
/// will do; a corrupt primary is common in images that were cut or grown by hand.
/// </summary>
internal static class GptReader
{
    private const int Sector = PartitionTable.SectorBytes;
    private const int MaxEntries = 1024;

    public static bool HasSignature(DiskReader disk) =>
        disk.Length >= 2 * Sector && disk.Read(Sector, 8, "The GPT signature").AsSpan().SequenceEqual("EFI PART"u8);

    public static PartitionTable Read(DiskReader disk)
    {
        if (disk.Length > 4096 + 8 && !HasSignature(disk)
            && disk.Read(4096, 8, "The GPT signature").AsSpan().SequenceEqual("EFI PART"u8))
        {
            throw new ImageException(
                "The GPT is laid out for sectors of 4096 bytes; the boards' disks have 512. Use an image " +
                "made for 512.");
        }
        var copy = TryCopy(disk, 1, out var wrong);
        if (copy is null)
        {
            copy = TryCopy(disk, (disk.Length / Sector) - 1, out var alsoWrong) ?? throw new ImageException(
                $"The GPT is corrupt: {wrong}; its backup at the end of the image: {alsoWrong}. " +
                "Download the image again and check its checksum.");
        }
        var partitions = new List<PartitionEntry>();
        var entriesAt = BinaryPrimitives.ReadInt64LittleEndian(copy.Header.AsSpan(72)) * Sector;
        var first = BinaryPrimitives.ReadUInt64LittleEndian(copy.Header.AsSpan(40));
        var last = BinaryPrimitives.ReadUInt64LittleEndian(copy.Header.AsSpan(48));
        for (int i = 0, at = 0; at < copy.Entries.Length; i++, at += copy.EntryBytes)
        {
            var entry = copy.Entries.AsSpan(at, copy.EntryBytes);
            var type = new Guid(entry[..16]);
            if (type == Guid.Empty) continue;
            var start = BinaryPrimitives.ReadUInt64LittleEndian(entry[32..]);
            var end = BinaryPrimitives.ReadUInt64LittleEndian(entry[40..]);
            if (start < first || end > last || end < start || end > long.MaxValue / Sector - 1)
            {
                throw new ImageException(
                    $"GPT partition {i + 1} covers sectors {start} to {end}, outside the usable {first} to {last}: " +
                    "the partition table is corrupt.");
            }
            var name = Encoding.Unicode.GetString(entry[56..128]);
            var cut = name.IndexOf('\0', StringComparison.Ordinal);
            partitions.Add(new PartitionEntry(i + 1, type.ToString(), cut < 0 ? name : name[..cut],
                (long)start * Sector, (long)(end - start + 1) * Sector, entriesAt + at));
        }
        if (partitions.Count == 0)
            throw new ImageException("The GPT holds no partition: there is nothing to boot or install in this image.");
        PartitionTable.Check(partitions, disk.Length);
        return new PartitionTable
        {
            Scheme = PartitionScheme.Gpt,
            Partitions = partitions,
            DiskId = new Guid(copy.Header.AsSpan(56, 16)).ToString(),
            Gpt = copy,
        };
    }

    /// <summary>Reads one copy and checks it as UEFI 2.10 section 5.3.2 asks; null with the reason if it
    /// fails.</summary>
    private static GptCopy? TryCopy(DiskReader disk, long lba, out string wrong)
    {
        if (lba < 1 || (lba + 1) * Sector > disk.Length)
        {
            wrong = "the image ends before it";
            return null;
        }
        var header = disk.Read(lba * Sector, Sector, "The GPT header");
        if (!header.AsSpan(0, 8).SequenceEqual("EFI PART"u8))
        {
            wrong = $"no signature in sector {lba}";
            return null;
        }
        var size = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(12));
        if (size is < 92 or > Sector)
        {
            wrong = $"header size {size}";
            return null;
        }
        if (HeaderCrc(header) != BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(16)))
        {
            wrong = "the header's checksum does not match";
            return null;
        }
        var entriesLba = BinaryPrimitives.ReadUInt64LittleEndian(header.AsSpan(72));
        var count = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(80));
        var bytes = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(84));
        if (BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(24)) != lba || count is 0 or > MaxEntries
            || bytes is < 128 or > 4096 || bytes % 128 != 0)
        {
            wrong = $"{count} entries of {bytes} bytes are not credible";
            return null;
        }
        var length = (long)count * bytes;
        if (entriesLba > (ulong)(disk.Length / Sector) || ((long)entriesLba * Sector) + length > disk.Length)
        {
            wrong = $"its entries in sector {entriesLba} lie outside the image";
            return null;
        }
        var entries = disk.Read((long)entriesLba * Sector, (int)length, "The GPT entries");
        if (Crc32.Of(entries) != BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(88)))
        {
            wrong = "the checksum of its entries does not match";
            return null;
        }
        wrong = "";
        return new GptCopy(header, entries, (int)bytes);
    }

    /// <summary>The CRC of a header with its own CRC field taken as zero.</summary>
    internal static uint HeaderCrc(ReadOnlySpan<byte> header)
    {
        var size = (int)Math.Clamp(BinaryPrimitives.ReadUInt32LittleEndian(header[12..]), 92, Sector);
        Span<byte> copy = stackalloc byte[Sector];
        header[..size].CopyTo(copy);
        copy.Slice(16, 4).Clear();
        return Crc32.Of(copy[..size]);
    }
}
