namespace Bramble.Wire.Dhcp;

/// <summary>
/// Lays options into the <c>options</c> field, and into <c>file</c> and <c>sname</c> (option 52) if they are free and
/// needed. A value over 255 octets is written in parts (RFC 3396 §5). Order is kept. No pad options are written.
/// </summary>
internal ref struct DhcpOptionsWriter
{
    private readonly Span<byte> _packet;
    private readonly DhcpOptions _options;
    private readonly bool _split;
    private readonly int _overload;
    private int _at;
    private int _end;
    private int _field;
    private int _optionsEnd;

    private DhcpOptionsWriter(Span<byte> packet, DhcpOptions options, int overload, bool split)
    {
        _packet = packet;
        _options = options;
        _overload = overload;
        _split = split;
    }

    /// <summary>Returns the octets of the packet up to and with the End option, or 0 if it does not fit.</summary>
    /// <param name="packet">The packet's buffer, as long as the packet may become.</param>
    /// <param name="lendable">The overload value for the fields that are free to hold options.</param>
    public static int Write(Span<byte> packet, DhcpOptions options, int lendable)
    {
        ClearFields(packet, lendable);
        // Plain first; then lent fields with every option whole; then cutting options where the fields end.
        foreach (var overload in (ReadOnlySpan<int>)[0, 1, 2, 3])
        {
            if ((overload & ~lendable) != 0) continue;
            foreach (var split in (ReadOnlySpan<bool>)[false, true])
            {
                if (split && overload == 0) continue;
                var writer = new DhcpOptionsWriter(packet, options, overload, split);
                if (writer.TryLayOut()) return writer._optionsEnd;
                ClearFields(packet, lendable);
            }
        }
        return 0;
    }

    /// <summary>Empties the free fields of what a try that did not fit left in them.</summary>
    private static void ClearFields(Span<byte> packet, int fields)
    {
        if ((fields & 1) != 0) packet.Slice(DhcpOptionsReader.FileOffset, DhcpOptionsReader.FileSize).Clear();
        if ((fields & 2) != 0)
            packet.Slice(DhcpOptionsReader.ServerNameOffset, DhcpOptionsReader.ServerNameSize).Clear();
    }

    private bool TryLayOut()
    {
        Enter(0, DhcpOptionsReader.OptionsOffset, _packet.Length);
        if (_end < _at) return false;
        if (_overload != 0)
        {
            if (_end - _at < 3) return false;
            _packet[_at++] = (byte)DhcpOption.Overload;
            _packet[_at++] = 1;
            _packet[_at++] = (byte)_overload;
        }
        for (var i = 0; i < _options.Count; i++)
            if (!TryPut(_options.OptionAt(i), _options.ValueAt(i))) return false;
        Close();
        // A lent field that stayed empty still needs its End, or zeros would be read as pads to its edge.
        while (NextField()) Close();
        return true;
    }

    private bool TryPut(DhcpOption option, ReadOnlySpan<byte> value)
    {
        do
        {
            var part = Math.Min(value.Length, byte.MaxValue);
            var room = _end - _at - 2;
            if (part > room)
            {
                if (_split && room > 0)
                {
                    part = room;
                }
                else
                {
                    Close();
                    if (!NextField()) return false;
                    continue;
                }
            }
            _packet[_at++] = (byte)option;
            _packet[_at++] = (byte)part;
            value[..part].CopyTo(_packet[_at..]);
            _at += part;
            value = value[part..];
            if (value.IsEmpty) return true;
        }
        while (true);
    }

    /// <summary>One octet of each field is kept for its End option.</summary>
    private void Enter(int field, int start, int end)
    {
        _field = field;
        _at = start;
        _end = end - 1;
    }

    private void Close()
    {
        _packet[_at++] = (byte)DhcpOption.End;
        if (_field == 0) _optionsEnd = _at;
    }

    private bool NextField()
    {
        if (_field == 0 && (_overload & 1) != 0)
        {
            Enter(1, DhcpOptionsReader.FileOffset, DhcpOptionsReader.FileOffset + DhcpOptionsReader.FileSize);
            return true;
        }
        if (_field < 2 && (_overload & 2) != 0)
        {
            Enter(2, DhcpOptionsReader.ServerNameOffset,
                DhcpOptionsReader.ServerNameOffset + DhcpOptionsReader.ServerNameSize);
            return true;
        }
        return false;
    }
}
