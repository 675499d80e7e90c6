using System.Buffers.Binary;
using Bramble.Wire;

namespace Bramble.Boot.Dhcp;

/// <summary>
/// Asks by ARP whether an address is used (RFC 5227 §2.1.1): a question from 0.0.0.0, so that it enters nobody's
/// table. Whatever speaks as the address has it.
/// <code>
///  0 destination (6)  6 source (6)  12 0806
/// 14 0001 0800 06 04  20 operation  22 sender MAC (6)  28 sender (4)  32 target MAC (6)  38 target (4)
/// </code>
/// </summary>
internal sealed class ArpProbe(ILinkChannel link) : IProbeChannel
{
    private const int FrameSize = 42;

    public bool IsThere => link.IsThere;

    public void Ask(IPv4Address address)
    {
        Span<byte> frame = stackalloc byte[FrameSize];
        frame.Clear();
        MacAddress.Broadcast.Write(frame);
        link.Mac.Write(frame[6..]);
        BinaryPrimitives.WriteUInt16BigEndian(frame[12..], LinkSocket.TypeArp);
        BinaryPrimitives.WriteUInt64BigEndian(frame[14..], 0x0001_0800_0604_0001);
        link.Mac.Write(frame[22..]);
        address.Write(frame[38..]);
        link.Send(frame);
    }

    public async ValueTask<ProbeAnswer> NextAsync(Memory<byte> buffer, CancellationToken cancellation)
    {
        while (true)
        {
            var length = await link.ReceiveAsync(buffer, cancellation).ConfigureAwait(false);
            if (TryRead(buffer.Span[..length], out var answer)) return answer;
        }
    }

    public void Dispose() => link.Dispose();

    /// <summary>Reads who speaks as which address; false for what is no ARP, or a probe itself.</summary>
    public static bool TryRead(ReadOnlySpan<byte> frame, out ProbeAnswer answer)
    {
        answer = default;
        if (frame.Length < FrameSize || BinaryPrimitives.ReadUInt16BigEndian(frame[12..]) != LinkSocket.TypeArp
            || BinaryPrimitives.ReadUInt32BigEndian(frame[14..]) != 0x0001_0800
            || BinaryPrimitives.ReadUInt16BigEndian(frame[18..]) != 0x0604)
            return false;
        answer = new ProbeAnswer(IPv4Address.Read(frame[28..]), MacAddress.Read(frame[22..]));
        return !answer.Address.IsAny;
    }
}
