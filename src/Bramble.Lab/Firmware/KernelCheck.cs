using System.Buffers.Binary;
using Bramble.Lab.Rom;

namespace Bramble.Lab.Firmware;

/// <summary>Whether a boot loader would start what it was given.</summary>
internal static class KernelCheck
{
    /// <exception cref="BootStoppedException">It would not.</exception>
    public static void Kernel(string name, ReadOnlySpan<byte> octets, string machine)
    {
        // Documentation/arch/x86/boot.rst: 0xAA55 at 0x1FE, "HdrS" at 0x202; arch/arm64/booting.rst: magic at 56.
        var isKernel = machine == "aarch64"
            ? octets.Length > 64 && octets[56..].StartsWith("ARM\x64"u8)
            : octets.Length > 0x400 && BinaryPrimitives.ReadUInt16LittleEndian(octets[0x1fe..]) == 0xaa55
                && octets[0x202..].StartsWith("HdrS"u8);
        if (!isKernel) throw new BootStoppedException($"{name} is no kernel for {machine} ({octets.Length} octets)");
    }

    /// <summary>gzip, zstd, or a plain cpio archive.</summary>
    /// <exception cref="BootStoppedException">It is none.</exception>
    public static void Initramfs(string name, ReadOnlySpan<byte> octets)
    {
        if (!octets.StartsWith((ReadOnlySpan<byte>)[0x1f, 0x8b]) && !octets.StartsWith("070701"u8)
            && !octets.StartsWith((ReadOnlySpan<byte>)[0x28, 0xb5, 0x2f, 0xfd]))
            throw new BootStoppedException($"{name} is no initramfs ({octets.Length} octets)");
    }

    /// <summary>
    /// A program that a BIOS's PXE starts at 0:7C00 (PXE 2.1 §4.4.5): real-mode code, a jump first, in what memory
    /// there is below 640 KiB.
    /// </summary>
    /// <exception cref="BootStoppedException">It is none.</exception>
    public static void NetworkBootProgram(string name, ReadOnlySpan<byte> octets)
    {
        if (octets.Length is < 512 or > 0x80000 || octets[0] is not (0xea or 0xeb or 0xe9 or 0xfa or 0xfc))
            throw new BootStoppedException($"{name} is no program for a BIOS ({octets.Length} octets)");
    }
}
