using System.Globalization;
using System.Text;

namespace Bramble.Boot.Initramfs;

/// <summary>
/// Writes the "newc" archive that the kernel unpacks as its initramfs (Documentation/driver-api/early-userspace/
/// buffer-format.rst): a header of 8-digit hexadecimal fields, the name, the data, each padded to four bytes. Owners
/// are root, times are zero, inodes count up: the same input gives the same bytes.
/// </summary>
internal sealed class CpioWriter(Stream output)
{
    private const int FileType = 0x8000;
    private const int DirectoryType = 0x4000;
    private const int LinkType = 0xA000;
    private const int CharacterType = 0x2000;

    private readonly HashSet<string> _names = [];
    private int _inode;

    /// <summary>Bytes written so far.</summary>
    public long Length { get; private set; }

    public void Directory(string path, int mode = 0b111_101_101)
    {
        if (path.Length == 0 || _names.Contains(path)) return;
        Parents(path);
        Entry(path, DirectoryType | mode, default, 0, 0);
    }

    public void File(string path, int mode, ReadOnlySpan<byte> content)
    {
        Parents(path);
        Entry(path, FileType | mode, content, 0, 0);
    }

    public void Link(string path, string target)
    {
        Parents(path);
        Entry(path, LinkType | 0b111_111_111, Encoding.UTF8.GetBytes(target), 0, 0);
    }

    public void CharacterDevice(string path, int mode, int major, int minor)
    {
        Parents(path);
        Entry(path, CharacterType | mode, default, major, minor);
    }

    public void End()
    {
        Entry("TRAILER!!!", 0, default, 0, 0);
        // Whole blocks, as cpio itself writes; boot loaders that join archives count on alignment.
        Pad(512);
    }

    private void Parents(string path)
    {
        var slash = path.LastIndexOf('/');
        if (slash > 0) Directory(path[..slash]);
    }

    private void Entry(string path, int mode, ReadOnlySpan<byte> content, int major, int minor)
    {
        if (!_names.Add(path)) throw new ArgumentException($"{path} is in the archive already.", nameof(path));
        var name = Encoding.UTF8.GetBytes(path + '\0');
        _inode++;
        Span<int> fields =
        [
            mode == 0 ? 0 : _inode, mode, 0, 0, (mode & 0xF000) == DirectoryType ? 2 : 1, 0, content.Length, 0, 0,
            major, minor, name.Length, 0,
        ];
        var header = new StringBuilder("070701", 110);
        foreach (var field in fields) header.Append(field.ToString("X8", CultureInfo.InvariantCulture));
        Write(Encoding.ASCII.GetBytes(header.ToString()));
        Write(name);
        Pad(4);
        Write(content);
        Pad(4);
    }

    private void Pad(int to)
    {
        var n = (int)(-Length & (to - 1));
        if (n > 0) Write(new byte[n]);
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        output.Write(bytes);
        Length += bytes.Length;
    }
}
