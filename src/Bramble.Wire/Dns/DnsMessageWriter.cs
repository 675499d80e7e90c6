using System.Buffers.Binary;

namespace Bramble.Wire.Dns;

/// <summary>Writes one message, with names compressed (RFC 1035 §4.1.4).</summary>
internal ref struct DnsMessageWriter
{
    private const int LastPointer = 0x3fff;

    private readonly Span<byte> _buffer;
    private readonly Dictionary<DnsName, int> _known = [];
    private readonly List<DnsName> _fresh = [];
    private int _at;

    private DnsMessageWriter(Span<byte> buffer) => _buffer = buffer;

    public static int Write(DnsMessage message, Span<byte> buffer)
    {
        if (buffer.Length > DnsMessage.MaxSize) buffer = buffer[..DnsMessage.MaxSize];
        // The OPT record goes with every answer, a cut one too: its room is kept free.
        var edns = message.Edns is { } opt ? 11 + opt.Options.Length : 0;
        if (buffer.Length < DnsHeader.Size + edns) return 0;
        var writer = new DnsMessageWriter(buffer[..^edns]) { _at = DnsHeader.Size };
        foreach (var question in message.Questions)
            if (!writer.TryWrite(question)) return 0;
        var afterQuestions = writer._at;
        var header = message.Header with { CodeBits = (int)message.Code };
        var (answers, authorities, additionals) = (message.Answers.Count, message.Authorities.Count, 0);
        if (writer.TryWriteAll(message.Answers) && writer.TryWriteAll(message.Authorities))
        {
            foreach (var record in message.Additionals)
            {
                if (!writer.TryWrite(record)) break;
                additionals++;
            }
        }
        else
        {
            header = header with { IsTruncated = true };
            writer._at = afterQuestions;
            (answers, authorities) = (0, 0);
        }
        var length = writer._at;
        if (message.Edns is { } e)
        {
            WriteEdns(e, message.Code, buffer[length..]);
            length += edns;
            additionals++;
        }
        BinaryPrimitives.WriteUInt16BigEndian(buffer, header.Id);
        BinaryPrimitives.WriteUInt16BigEndian(buffer[2..], header.Bits);
        BinaryPrimitives.WriteUInt16BigEndian(buffer[4..], (ushort)message.Questions.Count);
        BinaryPrimitives.WriteUInt16BigEndian(buffer[6..], (ushort)answers);
        BinaryPrimitives.WriteUInt16BigEndian(buffer[8..], (ushort)authorities);
        BinaryPrimitives.WriteUInt16BigEndian(buffer[10..], (ushort)additionals);
        return length;
    }

    private static void WriteEdns(DnsEdns edns, DnsResponseCode code, Span<byte> to)
    {
        to[0] = 0;
        BinaryPrimitives.WriteUInt16BigEndian(to[1..], (ushort)DnsType.OPT);
        BinaryPrimitives.WriteUInt16BigEndian(to[3..], edns.UdpSize);
        BinaryPrimitives.WriteUInt32BigEndian(to[5..], edns.Fields(code));
        BinaryPrimitives.WriteUInt16BigEndian(to[9..], (ushort)edns.Options.Length);
        edns.Options.Span.CopyTo(to[11..]);
    }

    private bool TryWriteAll(IReadOnlyList<DnsRecord> records)
    {
        foreach (var record in records)
            if (!TryWrite(record)) return false;
        return true;
    }

    private bool TryWrite(DnsQuestion question)
    {
        if (!TryWriteName(question.Name) || _buffer.Length - _at < 4) return false;
        Write((ushort)question.Type);
        Write((ushort)question.Class);
        return true;
    }

    /// <summary>Writes a record whole, or leaves no trace of it.</summary>
    private bool TryWrite(DnsRecord record)
    {
        var start = _at;
        _fresh.Clear();
        if (TryWriteUnguarded(record)) return true;
        foreach (var name in _fresh) _known.Remove(name);
        _at = start;
        return false;
    }

    private bool TryWriteUnguarded(DnsRecord record)
    {
        if (!TryWriteName(record.Name) || _buffer.Length - _at < 10) return false;
        Write((ushort)record.Type);
        Write((ushort)record.Class);
        BinaryPrimitives.WriteUInt32BigEndian(_buffer[_at..], record.Ttl);
        _at += 6;
        var start = _at;
        if (!TryWriteData(record)) return false;
        BinaryPrimitives.WriteUInt16BigEndian(_buffer[(start - 2)..], (ushort)(_at - start));
        return true;
    }

    private bool TryWriteData(DnsRecord record)
    {
        var data = record.Data.Span;
        var at = 0;
        foreach (var part in DnsDataLayout.Of(record.Type, record.Class))
        {
            if (part is not ('c' or >= '0' and <= '9')) break;
            if (part != 'c')
            {
                var size = Math.Min(part - '0', data.Length - at);
                if (!TryWriteOctets(data.Slice(at, size))) return false;
                at += size;
                continue;
            }
            if (!DnsName.TryRead(data, ref at, out var name, out _)) break;
            if (!TryWriteName(name)) return false;
        }
        // What holds no further name that may be compressed.
        return TryWriteOctets(data[at..]);
    }

    private bool TryWriteOctets(ReadOnlySpan<byte> octets)
    {
        if (_buffer.Length - _at < octets.Length) return false;
        octets.CopyTo(_buffer[_at..]);
        _at += octets.Length;
        return true;
    }

    private bool TryWriteName(DnsName name)
    {
        for (; !name.IsRoot; name = name.Parent)
        {
            if (_known.TryGetValue(name, out var pointer))
            {
                if (_buffer.Length - _at < 2) return false;
                Write((ushort)(0xc000 | pointer));
                return true;
            }
            if (_at <= LastPointer && _known.TryAdd(name, _at)) _fresh.Add(name);
            if (!TryWriteOctets(name.Octets[..(name.Octets[0] + 1)])) return false;
        }
        if (_buffer.Length - _at < 1) return false;
        _buffer[_at++] = 0;
        return true;
    }

    private void Write(ushort value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(_buffer[_at..], value);
        _at += 2;
    }
}
