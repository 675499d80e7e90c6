using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Bramble.Boot.Images;

/// <summary>An extended attribute of a file in a tar.</summary>
internal sealed record TarAttribute(string Path, string Name, byte[] Value);

/// <summary>
/// Watches a tar go by and keeps its extended attributes (file capabilities, mostly): fakeroot keeps none from one
/// program to the next. They lie in pax headers as records "length SCHILY.xattr.name=value" (pax(1), star(1)).
/// What it does not understand it ends at; the tar program itself says what is wrong with the archive.
/// </summary>
internal sealed class TarAttributes
{
    private const string Prefix = "SCHILY.xattr.";
    private const int Block = 512;
    private const int MaxExtension = 1 << 20;
    private const int MaxKept = 100_000;

    private readonly List<TarAttribute> _found = [];
    private readonly List<(string Name, byte[] Value)> _pending = [];
    private readonly byte[] _header = new byte[Block];
    private MemoryStream? _extension;
    private int _headerBytes;
    private long _left, _padding;
    private long? _nextSize;
    private string? _nextPath;
    private byte _kind;
    private bool _ended;

    public IReadOnlyList<TarAttribute> Found => _found;

    /// <summary>Takes the next bytes of the archive, in pieces of any size.</summary>
    public void Feed(ReadOnlySpan<byte> data)
    {
        while (data.Length > 0 && !_ended)
        {
            if (_left > 0)
            {
                var n = (int)Math.Min(_left, data.Length);
                _extension?.Write(data[..n]);
                data = data[n..];
                if ((_left -= n) == 0 && _extension is not null) TakeExtension();
            }
            else if (_padding > 0)
            {
                var n = (int)Math.Min(_padding, data.Length);
                data = data[n..];
                _padding -= n;
            }
            else
            {
                var n = Math.Min(Block - _headerBytes, data.Length);
                data[..n].CopyTo(_header.AsSpan(_headerBytes));
                data = data[n..];
                if ((_headerBytes += n) < Block) continue;
                _headerBytes = 0;
                TakeHeader();
            }
        }
    }

    private void TakeHeader()
    {
        if (_header[0] == 0)
        {
            _ended = true;
            return;
        }
        _kind = _header[156];
        var size = Number(_header.AsSpan(124, 12));
        var isExtension = _kind is (byte)'x' or (byte)'L';
        if (!isExtension && _kind is not ((byte)'g' or (byte)'K'))
        {
            if (_nextSize is { } real) size = real;
            // Links, devices and directories have no data, whatever their size says.
            if (_kind is >= (byte)'1' and <= (byte)'6') size = 0;
            Attach(_nextPath ?? NameOf(_header));
        }
        if (size < 0 || (isExtension && size > MaxExtension))
        {
            _ended = true;
            return;
        }
        _left = size;
        _padding = -size & (Block - 1);
        _extension = isExtension && size > 0 ? new MemoryStream() : null;
    }

    private void Attach(string path)
    {
        while (path.StartsWith("./", StringComparison.Ordinal) || path.StartsWith('/'))
            path = path[(path[0] == '/' ? 1 : 2)..];
        if (!path.Split('/').Contains(".."))
        {
            foreach (var (name, value) in _pending)
                if (_found.Count < MaxKept) _found.Add(new TarAttribute("/" + path.TrimEnd('/'), name, value));
        }
        _pending.Clear();
        _nextPath = null;
        _nextSize = null;
    }

    private void TakeExtension()
    {
        var data = _extension!.ToArray().AsSpan();
        _extension = null;
        if (_kind == (byte)'L')
        {
            _nextPath = Text(data);
            return;
        }
        while (data.Length > 0)
        {
            var blank = data.IndexOf((byte)' ');
            if (blank is < 1 or > 9
                || !int.TryParse(data[..blank], NumberStyles.None, CultureInfo.InvariantCulture, out var length)
                || length <= blank + 1 || length > data.Length) return;
            var record = data[(blank + 1)..(length - 1)];
            data = data[length..];
            var equals = record.IndexOf((byte)'=');
            if (equals < 1) continue;
            var key = Encoding.UTF8.GetString(record[..equals]);
            var value = record[(equals + 1)..];
            if (key == "path") _nextPath = Encoding.UTF8.GetString(value);
            else if (key == "size") _nextSize = Decimal(value);
            else if (key.StartsWith(Prefix, StringComparison.Ordinal))
                _pending.Add((key[Prefix.Length..], value.ToArray()));
        }
    }

    private static string NameOf(ReadOnlySpan<byte> header)
    {
        var name = Text(header[..100]);
        // The prefix is ustar's alone; GNU's old format keeps times there.
        var prefix = header.Slice(257, 6).SequenceEqual("ustar\0"u8) ? Text(header.Slice(345, 155)) : "";
        return prefix.Length > 0 ? $"{prefix}/{name}" : name;
    }

    private static long? Decimal(ReadOnlySpan<byte> digits) =>
        long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static long Number(ReadOnlySpan<byte> field)
    {
        // GNU writes what eleven octal digits cannot hold as a big-endian number with the top bit set.
        if ((field[0] & 0x80) != 0) return BinaryPrimitives.ReadInt64BigEndian(field[4..]);
        long number = 0;
        foreach (var b in field)
            if (b is >= (byte)'0' and <= (byte)'7') number = (number * 8) + b - '0';
        return number;
    }

    private static string Text(ReadOnlySpan<byte> padded)
    {
        var end = padded.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? padded : padded[..end]);
    }
}
