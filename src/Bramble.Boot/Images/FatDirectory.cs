using System.Buffers.Binary;
using System.Text;

namespace Bramble.Boot.Images;

/// <summary>A file or directory in a FAT directory.</summary>
internal readonly record struct FatEntry(string Name, bool IsDirectory, uint Cluster, uint Size);

/// <summary>
/// Reads the 32-byte entries of a directory: a long name lies in the entries before its short one, last part first,
/// bound to it by a checksum of the short name (overview 1.03, "FAT Long Directory Entries").
/// </summary>
internal static class FatDirectory
{
    private const int EntryBytes = 32;
    private const byte LongName = 0x0F;
    private const byte Directory = 0x10;
    private const byte VolumeLabel = 0x08;

    /// <summary>The names of a directory, upper and lower case being the same; each also by its short name.</summary>
    public static Dictionary<string, FatEntry> Parse(ReadOnlySpan<byte> data, int bits)
    {
        var entries = new Dictionary<string, FatEntry>(StringComparer.OrdinalIgnoreCase);
        var longName = new char[20 * 13];
        int expected = 0, longLength = 0;
        byte checksum = 0;
        for (; data.Length >= EntryBytes; data = data[EntryBytes..])
        {
            var e = data[..EntryBytes];
            if (e[0] == 0) break;
            if (e[0] == 0xE5)
            {
                expected = 0;
                longLength = 0;
                continue;
            }
            if ((e[11] & 0x3F) == LongName)
            {
                TakeLongPart(e, longName, ref expected, ref longLength, ref checksum);
                continue;
            }
            var hasLong = longLength > 0 && expected == 0 && checksum == Checksum(e[..11]);
            var name = hasLong ? LongNameOf(longName.AsSpan(0, longLength)) : null;
            expected = 0;
            longLength = 0;
            if ((e[11] & VolumeLabel) != 0 || e[0] == (byte)'.') continue;
            uint cluster = BinaryPrimitives.ReadUInt16LittleEndian(e[26..]);
            // The high half is defined for FAT32 alone; OS/2 keeps attributes there on the others.
            if (bits == 32) cluster |= (uint)BinaryPrimitives.ReadUInt16LittleEndian(e[20..]) << 16;
            var entry = new FatEntry(name ?? ShortName(e), (e[11] & Directory) != 0, cluster & 0x0FFFFFFF,
                BinaryPrimitives.ReadUInt32LittleEndian(e[28..]));
            entries.TryAdd(entry.Name, entry);
            if (name is not null) entries.TryAdd(ShortName(e), entry);
        }
        return entries;
    }

    private static void TakeLongPart(
        ReadOnlySpan<byte> e, char[] name, ref int expected, ref int length, ref byte checksum)
    {
        var order = e[0] & 0x3F;
        if ((e[0] & 0x40) != 0)
        {
            expected = order;
            length = order * 13;
            checksum = e[13];
        }
        if (order == 0 || order != expected || length > name.Length || e[13] != checksum)
        {
            // An orphan: what follows goes by its short name.
            expected = -1;
            length = 0;
            return;
        }
        var at = (order - 1) * 13;
        for (var i = 0; i < 13; i++)
        {
            var from = i < 5 ? 1 + (2 * i) : i < 11 ? 14 + (2 * (i - 5)) : 28 + (2 * (i - 11));
            name[at + i] = (char)BinaryPrimitives.ReadUInt16LittleEndian(e[from..]);
        }
        expected--;
    }

    private static string LongNameOf(ReadOnlySpan<char> padded)
    {
        var end = padded.IndexOf('\0');
        return new string(end < 0 ? padded : padded[..end]);
    }

    private static string ShortName(ReadOnlySpan<byte> e)
    {
        // 0x05 stands for 0xE5, which would mean "deleted". Bits 3 and 4 of byte 12: Windows NT's lower-case flags.
        Span<byte> raw = stackalloc byte[11];
        e[..11].CopyTo(raw);
        if (raw[0] == 0x05) raw[0] = 0xE5;
        var stem = Encoding.Latin1.GetString(raw[..8]).TrimEnd(' ');
        var extension = Encoding.Latin1.GetString(raw[8..]).TrimEnd(' ');
        if ((e[12] & 0x08) != 0) stem = stem.ToLowerInvariant();
        if ((e[12] & 0x10) != 0) extension = extension.ToLowerInvariant();
        return extension.Length == 0 ? stem : $"{stem}.{extension}";
    }

    private static byte Checksum(ReadOnlySpan<byte> shortName)
    {
        byte sum = 0;
        foreach (var b in shortName) sum = (byte)(((sum & 1) << 7) + (sum >> 1) + b);
        return sum;
    }
}
