using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Bramble.Wire.Dhcp;

/// <summary>
/// The options of a packet, each number once, in the order of their first appearance; parts of a long option
/// (RFC 3396) are already joined. The values lie in one buffer: reading an option allocates nothing.
/// </summary>
public sealed class DhcpOptions
{
    private readonly List<Entry> _entries;
    private byte[] _data;
    private int _used;

    public DhcpOptions()
    {
        _entries = new List<Entry>(16);
        _data = new byte[128];
    }

    internal DhcpOptions(List<Entry> entries, byte[] data)
    {
        _entries = entries;
        _data = data;
        _used = data.Length;
    }

    /// <summary>Where an option's value lies in the buffer.</summary>
    internal readonly record struct Entry(DhcpOption Option, int Offset, int Length);

    public int Count => _entries.Count;

    /// <summary>The number of the n-th option.</summary>
    public DhcpOption OptionAt(int index) => _entries[index].Option;

    /// <summary>The value of the n-th option, valid until the next change.</summary>
    public ReadOnlySpan<byte> ValueAt(int index) => _data.AsSpan(_entries[index].Offset, _entries[index].Length);

    public bool Contains(DhcpOption option) => IndexOf(option) >= 0;

    /// <summary>The value, valid until the next change; an option that is there may be empty.</summary>
    public bool TryGet(DhcpOption option, out ReadOnlySpan<byte> value)
    {
        var i = IndexOf(option);
        value = i < 0 ? default : ValueAt(i);
        return i >= 0;
    }

    public bool TryGetByte(DhcpOption option, out byte value)
    {
        var there = TryGet(option, out var octets) && octets.Length == 1;
        value = there ? octets[0] : (byte)0;
        return there;
    }

    public bool TryGetUInt16(DhcpOption option, out ushort value)
    {
        var there = TryGet(option, out var octets) && octets.Length == 2;
        value = there ? BinaryPrimitives.ReadUInt16BigEndian(octets) : (ushort)0;
        return there;
    }

    public bool TryGetUInt32(DhcpOption option, out uint value)
    {
        var there = TryGet(option, out var octets) && octets.Length == 4;
        value = there ? BinaryPrimitives.ReadUInt32BigEndian(octets) : 0;
        return there;
    }

    public bool TryGetAddress(DhcpOption option, out IPv4Address address)
    {
        var there = TryGetUInt32(option, out var bits);
        address = new IPv4Address(bits);
        return there;
    }

    /// <summary>A list of addresses; false if missing, empty or no multiple of four octets.</summary>
    public bool TryGetAddresses(DhcpOption option, [NotNullWhen(true)] out IPv4Address[]? addresses)
    {
        addresses = null;
        if (!TryGet(option, out var octets) || octets.IsEmpty || octets.Length % IPv4Address.Size != 0) return false;
        addresses = new IPv4Address[octets.Length / IPv4Address.Size];
        for (var i = 0; i < addresses.Length; i++) addresses[i] = IPv4Address.Read(octets[(i * IPv4Address.Size)..]);
        return true;
    }

    /// <summary>Text, without the NULs that some clients append (RFC 2132 §2 forbids relying on them).</summary>
    public bool TryGetText(DhcpOption option, [NotNullWhen(true)] out string? text)
    {
        text = TryGet(option, out var octets) ? Encoding.Latin1.GetString(octets.TrimEnd((byte)0)) : null;
        return text is not null;
    }

    /// <summary>Whether the value begins with these octets, as a vendor class does with <c>PXEClient</c>.</summary>
    public bool StartsWith(DhcpOption option, ReadOnlySpan<byte> prefix) =>
        TryGet(option, out var octets) && octets.StartsWith(prefix);

    /// <summary>Adds an option at the end, or replaces its value where it stands.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Pad, End or Overload: the codec writes them itself.</exception>
    public DhcpOptions Set(DhcpOption option, ReadOnlySpan<byte> value)
    {
        if (option is DhcpOption.Pad or DhcpOption.End or DhcpOption.Overload)
            throw new ArgumentOutOfRangeException(nameof(option), option, "the codec writes this option itself");
        if (_data.Length - _used < value.Length)
            Array.Resize(ref _data, Math.Max(_data.Length * 2, _used + value.Length));
        value.CopyTo(_data.AsSpan(_used));
        var entry = new Entry(option, _used, value.Length);
        _used += value.Length;
        var i = IndexOf(option);
        if (i < 0) _entries.Add(entry);
        else _entries[i] = entry;
        return this;
    }

    public DhcpOptions Set(DhcpOption option, byte value) => Set(option, [value]);

    public DhcpOptions Set(DhcpOption option, ushort value)
    {
        Span<byte> octets = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(octets, value);
        return Set(option, octets);
    }

    public DhcpOptions Set(DhcpOption option, uint value)
    {
        Span<byte> octets = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(octets, value);
        return Set(option, octets);
    }

    public DhcpOptions Set(DhcpOption option, IPv4Address address) => Set(option, address.Bits);

    public DhcpOptions Set(DhcpOption option, IReadOnlyList<IPv4Address> addresses)
    {
        var octets = new byte[addresses.Count * IPv4Address.Size];
        for (var i = 0; i < addresses.Count; i++) addresses[i].Write(octets.AsSpan(i * IPv4Address.Size));
        return Set(option, octets);
    }

    /// <summary>
    /// Text without a closing NUL: a Pi takes the NUL for a part of the address in option 66 (FW#871).
    /// </summary>
    public DhcpOptions Set(DhcpOption option, string text) => Set(option, Encoding.Latin1.GetBytes(text));

    public bool Remove(DhcpOption option)
    {
        var i = IndexOf(option);
        if (i >= 0) _entries.RemoveAt(i);
        return i >= 0;
    }

    private int IndexOf(DhcpOption option)
    {
        for (var i = 0; i < _entries.Count; i++)
            if (_entries[i].Option == option) return i;
        return -1;
    }
}
