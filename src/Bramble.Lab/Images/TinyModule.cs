using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Bramble.Lab.Images;

/// <summary>
/// Kernel modules that hold nothing but what tools read of them: an ELF file with a <c>.modinfo</c> section,
/// and the lists that depmod makes; and a program as small.
/// </summary>
internal static class TinyModule
{
    private const int HeaderSize = 64;
    private const int SectionSize = 64;

    /// <summary>ELF's numbers for AArch64 and x86-64.</summary>
    private static int MachineOf(string architecture) => architecture == "amd64" ? 62 : 183;

    // Name, directory below kernel/, what it depends on: the network chips of the Pis, of PCs, and more.
    private static readonly (string Name, string Directory, string[] Depends)[] Modules =
    [
        ("mii", "drivers/net", []),
        ("usbnet", "drivers/net/usb", ["mii"]),
        ("smsc95xx", "drivers/net/usb", ["usbnet", "mii"]),
        ("lan78xx", "drivers/net/usb", []),
        ("genet", "drivers/net/ethernet/broadcom/genet", []),
        ("macb", "drivers/net/ethernet/cadence", []),
        ("e1000e", "drivers/net/ethernet/intel/e1000e", []),
        ("virtio_net", "drivers/net", []),
        ("virtio_blk", "drivers/block", []),
        ("nbd", "drivers/block", []),
        ("overlay", "fs/overlayfs", []),
    ];

    /// <summary>Everything below <c>usr/lib/modules/VERSION</c>.</summary>
    public static IEnumerable<SyntheticFile> Tree(string version, string architecture)
    {
        var root = $"usr/lib/modules/{version}";
        var dep = new StringBuilder();
        var order = new StringBuilder();
        foreach (var (name, directory, depends) in Modules)
        {
            yield return new SyntheticFile(
                $"{root}/{PathOf(name, directory)}", Build(name, version, depends, architecture), SyntheticKind.File);
            order.Append(PathOf(name, directory)).Append('\n');
            dep.Append(PathOf(name, directory)).Append(':');
            foreach (var other in depends)
                dep.Append(' ').Append(PathOf(other, Modules.First(m => m.Name == other).Directory));
            dep.Append('\n');
        }
        yield return Text("modules.dep", dep.ToString());
        yield return Text("modules.order", order.ToString());
        yield return Text("modules.alias", "");
        yield return Text("modules.softdep", "");
        yield return Text("modules.builtin",
            "kernel/fs/ext4/ext4.ko\nkernel/drivers/mmc/core/mmc_block.ko\nkernel/drivers/mmc/host/bcm2835-mmc.ko\n");

        SyntheticFile Text(string name, string text) =>
            new($"{root}/{name}", Encoding.ASCII.GetBytes(text), SyntheticKind.File);
    }

    /// <summary>A relocatable ELF64 of three sections: none, .modinfo, .shstrtab.</summary>
    public static byte[] Build(string name, string version, IReadOnlyList<string> depends, string architecture)
    {
        var info = Encoding.ASCII.GetBytes(
            $"license=GPL\0depends={string.Join(',', depends)}\0name={name}\0"
            + $"vermagic={version} SMP preempt mod_unload modversions {(architecture == "amd64" ? "" : "aarch64")}\0");
        var names = "\0.modinfo\0.shstrtab\0"u8.ToArray();
        var sections = Align(HeaderSize + info.Length + names.Length);
        var octets = new byte[sections + 3 * SectionSize];
        ((ReadOnlySpan<byte>)[0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1]).CopyTo(octets);
        Half(16, 1);            // e_type: relocatable
        Half(18, MachineOf(architecture));
        Word(20, 1);            // e_version
        Long(40, sections);     // e_shoff
        Half(52, HeaderSize);   // e_ehsize
        Half(58, SectionSize);  // e_shentsize
        Half(60, 3);            // e_shnum
        Half(62, 2);            // e_shstrndx
        info.CopyTo(octets, HeaderSize);
        names.CopyTo(octets, HeaderSize + info.Length);
        // SHT_PROGBITS, allocated; then SHT_STRTAB.
        Section(1, name: 1, type: 1, flags: 2, offset: HeaderSize, info.Length);
        Section(2, name: 10, type: 3, flags: 0, offset: HeaderSize + info.Length, names.Length);
        return octets;

        void Section(int index, int name, int type, int flags, int offset, int size)
        {
            var at = sections + index * SectionSize;
            Word(at, name);
            Word(at + 4, type);
            Long(at + 8, flags);
            Long(at + 24, offset);
            Long(at + 32, size);
            Long(at + 48, 1);
        }

        void Half(int at, int value) => BinaryPrimitives.WriteUInt16LittleEndian(octets.AsSpan(at), (ushort)value);
        void Word(int at, int value) => BinaryPrimitives.WriteInt32LittleEndian(octets.AsSpan(at), value);
        void Long(int at, long value) => BinaryPrimitives.WriteInt64LittleEndian(octets.AsSpan(at), value);
    }

    /// <summary>A program that ends at once, with success.</summary>
    public static byte[] Program(string architecture)
    {
        const long address = 0x400000;
        var octets = new byte[HeaderSize + 56 + 12];
        ((ReadOnlySpan<byte>)[0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1]).CopyTo(octets);
        Half(16, 2);                    // e_type: executable
        Half(18, MachineOf(architecture));
        Half(20, 1);                    // e_version
        Long(24, address + 120);        // e_entry
        Long(32, HeaderSize);           // e_phoff
        Half(52, HeaderSize);           // e_ehsize
        Half(54, 56);                   // e_phentsize
        Half(56, 1);                    // e_phnum
        Half(64, 1);                    // p_type: PT_LOAD
        Half(68, 5);                    // p_flags: read, execute
        Long(80, address);              // p_vaddr
        Long(88, address);              // p_paddr
        Long(96, octets.Length);        // p_filesz
        Long(104, octets.Length);       // p_memsz
        Long(112, 0x1000);              // p_align
        // xor edi, edi; mov eax, 60 (exit); syscall
        if (architecture == "amd64")
            ((ReadOnlySpan<byte>)[0x31, 0xff, 0xb8, 60, 0, 0, 0, 0x0f, 0x05]).CopyTo(octets.AsSpan(120));
        // mov x8, #93 (exit); mov x0, #0; svc #0
        else
            ((ReadOnlySpan<uint>)[0xd2800ba8, 0xd2800000, 0xd4000001]).CopyTo(
                MemoryMarshal.Cast<byte, uint>(octets.AsSpan(120)));
        return octets;

        void Half(int at, int value) => BinaryPrimitives.WriteUInt16LittleEndian(octets.AsSpan(at), (ushort)value);
        void Long(int at, long value) => BinaryPrimitives.WriteInt64LittleEndian(octets.AsSpan(at), value);
    }

    private static int Align(int at) => (at + 7) / 8 * 8;

    private static string PathOf(string name, string directory) => $"kernel/{directory}/{name}.ko";
}
