using System.Buffers.Binary;
using System.Text;
using Bramble.Lab.Rom;

namespace Bramble.Lab.Firmware;

/// <summary>An EFI program as firmware loads it: a PE image of the right machine (Microsoft's "PE Format").</summary>
internal sealed class EfiProgram
{
    private readonly byte[] _image;
    private readonly Dictionary<string, Range> _sections = [];

    /// <exception cref="BootStoppedException">Firmware would not start it.</exception>
    public EfiProgram(string name, byte[] image, string machine)
    {
        _image = image;
        if (image.Length < 0x40 || !image.AsSpan().StartsWith("MZ"u8)) throw Refuse("it does not begin with MZ");
        var pe = BinaryPrimitives.ReadInt32LittleEndian(image.AsSpan(0x3c));
        if (pe < 0x40 || pe > image.Length - 24 || !image.AsSpan(pe).StartsWith("PE\0\0"u8))
            throw Refuse("it has no PE header");
        var made = BinaryPrimitives.ReadUInt16LittleEndian(image.AsSpan(pe + 4));
        if (made != (machine == "aarch64" ? 0xaa64 : 0x8664)) throw Refuse($"it is made for machine 0x{made:x4}");
        var count = BinaryPrimitives.ReadUInt16LittleEndian(image.AsSpan(pe + 6));
        var table = pe + 24 + BinaryPrimitives.ReadUInt16LittleEndian(image.AsSpan(pe + 20));
        if (table + 40 * count > image.Length) throw Refuse("its section table lies outside of it");
        for (var at = table; at < table + 40 * count; at += 40)
        {
            var header = image.AsSpan(at, 40);
            var size = BinaryPrimitives.ReadUInt32LittleEndian(header[8..]);
            var raw = BinaryPrimitives.ReadUInt32LittleEndian(header[16..]);
            var start = BinaryPrimitives.ReadUInt32LittleEndian(header[20..]);
            var section = Encoding.ASCII.GetString(header[..8]).TrimEnd('\0');
            if ((long)start + raw > image.Length) throw Refuse($"its section {section} ends after the file");
            _sections[section] = (int)start..(int)(start + Math.Min(size, raw));
        }

        BootStoppedException Refuse(string why) => new($"{name} is no EFI program for {machine}: {why}");
    }

    /// <summary>Whether it carries a kernel, as a unified kernel image does.</summary>
    public bool IsUnifiedKernel => _sections.ContainsKey(".linux");

    /// <summary>A section's content; empty if there is none.</summary>
    public ReadOnlyMemory<byte> Section(string name) =>
        _sections.TryGetValue(name, out var range) ? _image.AsMemory(range) : default;
}
