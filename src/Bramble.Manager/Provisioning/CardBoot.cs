using Bramble.Boot.Images;
using Microsoft.Win32.SafeHandles;

namespace Bramble.Manager.Provisioning;

/// <summary>
/// Keeps the network in front of the card on a Pi 3. Its ROM has no boot order: a card whose first FAT partition holds
/// bootcode.bin always wins, and the manager would never be asked again, not even for a reinstall. The boot partition's
/// MBR type is therefore set to the hidden form of its FAT (0x0c → 0x1c), which Linux mounts all the same.
/// A Pi 4 or 5 is left alone: its EEPROM's BOOT_ORDER decides.
/// </summary>
public static class CardBoot
{
    private const int SectorBytes = 512;
    private const int FirstEntry = 446;
    private const int EntryBytes = 16;
    private const int TypeOffset = 4;

    /// <summary>The patches with the partition hidden where the family asks for it.</summary>
    public static IReadOnlyList<DiskPatch> Hide(
        IReadOnlyList<DiskPatch> patches, BootImage image, string family, SafeFileHandle raw)
    {
        if (family is not ("Pi3B" or "Pi3BPlus") || image.Scheme != PartitionScheme.Mbr
            || image.BootPartition is not { Number: >= 1 and <= 4 } boot)
            return patches;
        var planned = patches.FirstOrDefault(patch => patch.Offset == 0 && patch.Bytes.Length >= SectorBytes);
        var sector = planned?.Bytes.ToArray() ?? new byte[SectorBytes];
        if (planned is null && RandomAccess.Read(raw, sector, 0) < SectorBytes) return patches;
        ref var type = ref sector[FirstEntry + EntryBytes * (boot.Number - 1) + TypeOffset];
        if (type is not (0x0b or 0x0c or 0x0e)) return patches;
        type += 0x10;
        return [new DiskPatch(0, sector), .. patches.Where(patch => patch != planned)];
    }
}
