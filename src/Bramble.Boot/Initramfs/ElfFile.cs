using System.Buffers.Binary;
using System.Text;

namespace Bramble.Boot.Initramfs;

/// <summary>
/// What an ELF program tells of itself (System V ABI, "Object Files"): its machine, whether it is static, and the
/// libraries that it needs.
/// </summary>
internal static class ElfFile
{
    private const int MaxBytes = 64 << 20;
    private const int Load = 1;
    private const int Dynamic = 2;
    private const int Interpreter = 3;

    /// <summary>Debian's name of the architecture; null for what is no ELF program of a known machine.</summary>
    public static string? ArchitectureOf(string path)
    {
        var head = new byte[20];
        using var file = File.OpenHandle(path);
        return RandomAccess.Read(file, head, 0) == head.Length ? ArchitectureOf(head) : null;
    }

    /// <inheritdoc cref="ArchitectureOf(string)"/>
    public static string? ArchitectureOf(ReadOnlySpan<byte> head)
    {
        // All our machines are little-endian.
        if (head.Length < 20 || head[0] != 0x7F || !head[1..].StartsWith("ELF"u8) || head[5] != 1) return null;
        return (head[4], BinaryPrimitives.ReadUInt16LittleEndian(head[18..])) switch
        {
            (2, 183) => "arm64",
            (1, 40) => "armhf",
            (2, 62) => "amd64",
            _ => null,
        };
    }

    /// <summary>Whether a program runs without libraries: it names no interpreter.</summary>
    public static bool IsStatic(string path)
    {
        var data = ReadAll(path);
        return ArchitectureOf(data) is not null && !Segments(data).Any(s => s.Type == Interpreter);
    }

    /// <summary>The program's interpreter (its dynamic loader); null for a library or a static program.</summary>
    public static string? InterpreterOf(string path)
    {
        var data = ReadAll(path);
        foreach (var s in Segments(data))
            if (s.Type == Interpreter) return TextAt(data, s.Offset);
        return null;
    }

    /// <summary>The DT_NEEDED names of a program or library.</summary>
    public static IReadOnlyList<string> NeededBy(string path)
    {
        var data = ReadAll(path);
        var segments = Segments(data).ToList();
        var is64 = data.Length > 4 && data[4] == 2;
        var names = new List<long>();
        long strings = -1;
        foreach (var d in segments.Where(s => s.Type == Dynamic).Take(1))
        {
            var step = is64 ? 16 : 8;
            for (var at = d.Offset; at >= 0 && at < d.Offset + d.Size && at <= data.Length - step; at += step)
            {
                var tag = is64 ? Long(data, at) : Int(data, at);
                var value = is64 ? Long(data, at + 8) : Int(data, at + 4);
                if (tag == 0) break;
                if (tag == 1) names.Add(value);
                // DT_STRTAB is an address in memory: find the segment that holds it.
                if (tag == 5)
                {
                    strings = segments.Where(s => s.Type == Load && value >= s.Address && value < s.Address + s.Size)
                        .Select(s => value - s.Address + s.Offset).DefaultIfEmpty(-1).First();
                }
            }
        }
        return strings < 0 ? [] : [.. names.Select(n => TextAt(data, strings + n)).OfType<string>()];
    }

    private static byte[] ReadAll(string path) => new FileInfo(path).Length > MaxBytes ? [] : File.ReadAllBytes(path);

    private static IEnumerable<(int Type, long Offset, long Address, long Size)> Segments(byte[] data)
    {
        if (ArchitectureOf(data) is null || data.Length < 64) yield break;
        var is64 = data[4] == 2;
        var table = is64 ? Long(data, 32) : Int(data, 28);
        int step = BinaryPrimitives.ReadUInt16LittleEndian(data.AsSpan(is64 ? 54 : 42));
        int count = BinaryPrimitives.ReadUInt16LittleEndian(data.AsSpan(is64 ? 56 : 44));
        if (step < (is64 ? 56 : 32)) yield break;
        for (var i = 0; i < count; i++)
        {
            var at = table + ((long)i * step);
            if (at < 0 || at > data.Length - step) yield break;
            var type = (int)Int(data, at);
            yield return is64
                ? (type, Long(data, at + 8), Long(data, at + 16), Long(data, at + 32))
                : (type, Int(data, at + 4), Int(data, at + 8), Int(data, at + 16));
        }
    }

    private static string? TextAt(byte[] data, long offset)
    {
        if (offset < 0 || offset >= data.Length) return null;
        var rest = data.AsSpan((int)offset);
        var end = rest.IndexOf((byte)0);
        return end is < 1 or > 255 ? null : Encoding.ASCII.GetString(rest[..end]);
    }

    private static long Long(byte[] data, long at) => BinaryPrimitives.ReadInt64LittleEndian(data.AsSpan((int)at));

    private static long Int(byte[] data, long at) => BinaryPrimitives.ReadUInt32LittleEndian(data.AsSpan((int)at));
}
