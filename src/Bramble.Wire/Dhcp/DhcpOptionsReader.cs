namespace Bramble.Wire.Dhcp;

/// <summary>
/// Reads the options of up to three fields: <c>options</c>, then <c>file</c>, then <c>sname</c> where option 52 lends
/// them (RFC 2132 §9.3). Parts of one option are joined in that order (RFC 3396 §7). Two passes, so that time and
/// memory are linear in the packet whatever it holds.
/// </summary>
internal static class DhcpOptionsReader
{
    public const int FileOffset = 108;
    public const int FileSize = 128;
    public const int ServerNameOffset = 44;
    public const int ServerNameSize = 64;
    public const int OptionsOffset = 240;

    private delegate void Visit(ref State state, DhcpOption option, ReadOnlySpan<byte> part);

    private ref struct State
    {
        public Span<int> Lengths;
        public Span<int> Offsets;
        public Span<DhcpOption> Order;
        public int Count;
        public int Overload;
        public byte[] Data;
    }

    public static bool TryRead(
        ReadOnlySpan<byte> packet, out DhcpOptions options, out int overload, out WireError error)
    {
        var state = new State
        {
            Lengths = stackalloc int[256],
            Offsets = stackalloc int[256],
            Order = stackalloc DhcpOption[256],
        };
        state.Lengths.Fill(-1);
        options = null!;
        overload = 0;
        if (!Walk(packet, ref state, Measure, out error)) return false;

        var entries = new List<DhcpOptions.Entry>(state.Count);
        var total = 0;
        foreach (var option in state.Order[..state.Count])
        {
            entries.Add(new DhcpOptions.Entry(option, total, state.Lengths[(int)option]));
            state.Offsets[(int)option] = total;
            total += state.Lengths[(int)option];
        }
        state.Data = new byte[total];
        overload = state.Overload;
        Walk(packet, ref state, Copy, out error);
        options = new DhcpOptions(entries, state.Data);
        return true;
    }

    private static bool Walk(ReadOnlySpan<byte> packet, ref State state, Visit visit, out WireError error)
    {
        state.Overload = 0;
        if (!WalkField(packet, OptionsOffset, packet.Length - OptionsOffset, true, ref state, visit, out error))
            return false;
        if ((state.Overload & 1) != 0
            && !WalkField(packet, FileOffset, FileSize, false, ref state, visit, out error))
            return false;
        return (state.Overload & 2) == 0
            || WalkField(packet, ServerNameOffset, ServerNameSize, false, ref state, visit, out error);
    }

    private static bool WalkField(
        ReadOnlySpan<byte> packet, int start, int size, bool first, ref State state, Visit visit, out WireError error)
    {
        error = default;
        var at = start;
        var end = start + size;
        while (at < end)
        {
            var option = (DhcpOption)packet[at];
            if (option == DhcpOption.End) return true;
            if (option == DhcpOption.Pad)
            {
                at++;
                continue;
            }
            if (at + 1 >= end)
            {
                error = new WireError($"option {(int)option} has no length", at);
                return false;
            }
            var length = packet[at + 1];
            if (at + 2 + length > end)
            {
                error = new WireError($"option {(int)option} says {length} octets and runs out of its field", at);
                return false;
            }
            var value = packet.Slice(at + 2, length);
            if (option != DhcpOption.Overload)
            {
                visit(ref state, option, value);
            }
            else if (first)
            {
                // One in file or sname means nothing: it could only point back at where we are.
                if (length != 1 || value[0] is 0 or > 3)
                {
                    error = new WireError("option 52 (overload) is not 1, 2 or 3", at);
                    return false;
                }
                state.Overload = value[0];
            }
            at += 2 + length;
        }
        // RFC 2131 §4.1 wants an End option; field reports know clients that leave it out of a full field. Be lax.
        return true;
    }

    private static void Measure(ref State state, DhcpOption option, ReadOnlySpan<byte> part)
    {
        ref var length = ref state.Lengths[(int)option];
        if (length < 0)
        {
            length = 0;
            state.Order[state.Count++] = option;
        }
        length += part.Length;
    }

    private static void Copy(ref State state, DhcpOption option, ReadOnlySpan<byte> part)
    {
        part.CopyTo(state.Data.AsSpan(state.Offsets[(int)option]));
        state.Offsets[(int)option] += part.Length;
    }
}
