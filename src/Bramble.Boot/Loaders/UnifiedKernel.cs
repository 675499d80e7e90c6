using System.Buffers.Binary;
using System.Text;

namespace Bramble.Boot.Loaders;

/// <summary>
/// A unified kernel image: systemd's EFI stub with a command line, a kernel and an initramfs appended as PE sections
/// (UAPI group's specification "Unified Kernel Image"; systemd-stub(7)). It makes one file of all that UEFI firmware
/// needs to start Linux, and so firmware alone can fetch it by HTTP.
/// </summary>
public static class UnifiedKernel
{
    private const int SectionHeaderBytes = 40;

    /// <summary>IMAGE_SCN_CNT_INITIALIZED_DATA | IMAGE_SCN_MEM_READ.</summary>
    private const uint ReadOnlyData = 0x40000040;

    /// <summary>Takes the contents over: they are disposed with the answer, or at once if it fails.</summary>
    /// <exception cref="IOException">The stub is no PE program, or has no room for more sections.</exception>
    public static IBootContent Assemble(
        byte[] stub, string commandLine, IBootContent kernel, IBootContent initramfs)
    {
        (string Name, IBootContent Content)[] sections =
        [
            (".cmdline", new BytesBootContent(Encoding.ASCII.GetBytes(commandLine))),
            (".linux", kernel),
            (".initrd", initramfs),
        ];
        try
        {
            return Append(stub, sections);
        }
        catch
        {
            foreach (var section in sections) section.Content.Dispose();
            throw;
        }
    }

    private static JoinedBootContent Append(byte[] stub, (string Name, IBootContent Content)[] sections)
    {
        var image = (byte[])stub.Clone();
        var (pe, table, count, optional) = Locate(image);
        var sectionAlignment = Read32(image, optional + 32);
        var fileAlignment = Read32(image, optional + 36);
        var sizeOfHeaders = Read32(image, optional + 60);
        if (sectionAlignment == 0 || fileAlignment == 0 || (sectionAlignment & (sectionAlignment - 1)) != 0
            || (fileAlignment & (fileAlignment - 1)) != 0)
            throw Malformed("its alignments are no powers of two");
        var next = table + SectionHeaderBytes * count;
        if (next + SectionHeaderBytes * sections.Length > Math.Min(sizeOfHeaders, image.Length))
            throw Malformed("its headers have no room for more sections");

        long address = 0;
        for (var at = table; at < next; at += SectionHeaderBytes)
            address = Math.Max(address, (long)Read32(image, at + 12) + Math.Max(Read32(image, at + 8),
                Read32(image, at + 16)));
        var parts = new List<IBootContent>();
        var offset = Align(image.Length, fileAlignment);
        var padding = offset - image.Length;
        foreach (var (name, content) in sections)
        {
            address = Align(address, sectionAlignment);
            var size = Align(content.Length, fileAlignment);
            if (address + size > uint.MaxValue) throw Malformed("with the kernel it would exceed 4 GiB");
            var header = image.AsSpan(next, SectionHeaderBytes);
            header.Clear();
            Encoding.ASCII.GetBytes(name, header);
            BinaryPrimitives.WriteUInt32LittleEndian(header[8..], (uint)content.Length);
            BinaryPrimitives.WriteUInt32LittleEndian(header[12..], (uint)address);
            BinaryPrimitives.WriteUInt32LittleEndian(header[16..], (uint)size);
            BinaryPrimitives.WriteUInt32LittleEndian(header[20..], (uint)offset);
            BinaryPrimitives.WriteUInt32LittleEndian(header[36..], ReadOnlyData);
            parts.Add(content);
            parts.Add(new BytesBootContent(new byte[size - content.Length]));
            (next, address, offset) = (next + SectionHeaderBytes, address + content.Length, offset + size);
        }
        BinaryPrimitives.WriteUInt16LittleEndian(image.AsSpan(pe + 6), (ushort)(count + sections.Length));
        Write32(image, optional + 56, (uint)Align(address, sectionAlignment));
        return new JoinedBootContent([new BytesBootContent(image), new BytesBootContent(new byte[padding]), .. parts]);
    }

    /// <summary>Microsoft's "PE Format": the PE header, the section table, its length, the optional header.</summary>
    private static (int Pe, int Table, int Count, int Optional) Locate(ReadOnlySpan<byte> image)
    {
        if (image.Length < 0x40 || image[0] != 'M' || image[1] != 'Z') throw Malformed("it does not begin with MZ");
        var pe = BinaryPrimitives.ReadInt32LittleEndian(image[0x3c..]);
        if (pe < 0x40 || pe > image.Length - 24 - 112 || !image[pe..].StartsWith("PE\0\0"u8))
            throw Malformed("it has no PE header");
        var count = BinaryPrimitives.ReadUInt16LittleEndian(image[(pe + 6)..]);
        var optionalSize = BinaryPrimitives.ReadUInt16LittleEndian(image[(pe + 20)..]);
        var table = pe + 24 + optionalSize;
        if (optionalSize < 112 || table + SectionHeaderBytes * count > image.Length)
            throw Malformed("its section table lies outside of it");
        return (pe, table, count, pe + 24);
    }

    private static uint Read32(ReadOnlySpan<byte> image, int at) =>
        BinaryPrimitives.ReadUInt32LittleEndian(image[at..]);

    private static void Write32(Span<byte> image, int at, uint value) =>
        BinaryPrimitives.WriteUInt32LittleEndian(image[at..], value);

    private static long Align(long value, uint alignment) => (value + alignment - 1) & ~((long)alignment - 1);

    private static IOException Malformed(string what) => new($"the EFI stub cannot be used: {what}");
}
