namespace Bramble.Wire.Pcap;

/// <summary>
/// Walks a capture file that is in memory:
/// <code>
/// while (reader.TryNext(out var record, out var frame)) …
/// if (reader.Error is { } error) …
/// </code>
/// </summary>
public ref struct PcapReader
{
    private readonly ReadOnlySpan<byte> _file;
    private int _at;

    private PcapReader(ReadOnlySpan<byte> file, PcapHeader header)
    {
        _file = file;
        _at = PcapHeader.Size;
        Header = header;
    }

    public PcapHeader Header { get; }

    /// <summary>Why the walk ended before the end of the file; null if it did not.</summary>
    public WireError? Error { get; private set; }

    public static bool TryOpen(ReadOnlySpan<byte> file, out PcapReader reader, out WireError error)
    {
        reader = default;
        if (!PcapHeader.TryRead(file, out var header, out error)) return false;
        reader = new PcapReader(file, header);
        return true;
    }

    /// <summary>The next frame; false at the end, or where the file is damaged.</summary>
    public bool TryNext(out PcapRecord record, out ReadOnlySpan<byte> frame)
    {
        record = default;
        frame = default;
        if (Error is not null || _at >= _file.Length) return false;
        if (!PcapRecord.TryRead(_file[_at..], Header, out record, out var error))
        {
            Error = new WireError(error.Reason, _at + error.Offset);
            return false;
        }
        if (record.Captured > _file.Length - _at - PcapRecord.Size)
        {
            Error = new WireError("the file ends within a frame", _at);
            return false;
        }
        frame = _file.Slice(_at + PcapRecord.Size, record.Captured);
        _at += PcapRecord.Size + record.Captured;
        return true;
    }
}
