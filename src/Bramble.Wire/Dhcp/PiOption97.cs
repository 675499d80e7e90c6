using System.Buffers.Binary;

namespace Bramble.Wire.Dhcp;

/// <summary>Which shape the 16 octets of a client machine identifier have.</summary>
public enum PiOption97Form
{
    /// <summary>
    /// No shape that the Pi firmware is known to make: another machine's UUID, or a prefix of the owner's.
    /// </summary>
    Other,

    /// <summary>3B: 0x44 sixteen times.</summary>
    Constant,

    /// <summary>3B+, Pi 4 before 2020-03: the serial, little-endian, four times.</summary>
    SerialFourTimes,

    /// <summary>Pi 4, Pi 5: FourCC, revision, end of the MAC, serial.</summary>
    FourCc,
}

/// <summary>
/// Option 97 as Raspberry Pis fill it: a type octet 0, then 16 octets.
/// <code>
/// 3B        44444444 44444444 44444444 44444444
/// 3B+       serial   serial   serial   serial      each little-endian
/// Pi 4, 5   "RPi4"   revision MAC[2..] serial      revision and serial little-endian
///           52506934 1131a000 322ef8ed 1045155b  = Pi 4, revision a03111, serial 5b154510
/// </code>
/// The FourCC also occurs reversed (<c>4iPR</c>), and the owner of a Pi can replace it: then <see cref="Form"/> is
/// <see cref="PiOption97Form.Other"/>, and only <see cref="MacTail"/> tells that it is a Pi.
/// </summary>
public readonly record struct PiOption97
{
    public const int Size = 17;

    private const uint ConstantWord = 0x44444444;

    private PiOption97(PiOption97Form form, uint word0, uint word1, uint word2, uint word3)
    {
        Form = form;
        (Word0, Word1, Word2, Word3) = (word0, word1, word2, word3);
    }

    public PiOption97Form Form { get; }

    private uint Word0 { get; }

    private uint Word1 { get; }

    private uint Word2 { get; }

    private uint Word3 { get; }

    /// <summary>The digit of <c>RPi4</c>, <c>RPi5</c>; 0 in other forms.</summary>
    public int Generation =>
        Form != PiOption97Form.FourCc ? 0
            : IsFourCc(Word0) ? (byte)Word0 - '0'
            : (int)(Word0 >> 24) - '0';

    /// <summary>The low 32 bits of the serial, where the form carries them, else 0.</summary>
    public uint Serial => Form == PiOption97Form.Constant ? 0 : BinaryPrimitives.ReverseEndianness(Word3);

    /// <summary>The revision code where the form of the FourCC carries it, else 0.</summary>
    public uint Revision =>
        Form is PiOption97Form.FourCc or PiOption97Form.Other ? BinaryPrimitives.ReverseEndianness(Word1) : 0;

    /// <summary>The last four octets of the MAC where the form of the FourCC carries them, else 0.</summary>
    public uint MacTail => Form is PiOption97Form.FourCc or PiOption97Form.Other ? Word2 : 0;

    public static PiOption97 Pi3B { get; } =
        new(PiOption97Form.Constant, ConstantWord, ConstantWord, ConstantWord, ConstantWord);

    public static PiOption97 FromSerial(uint serial)
    {
        var word = BinaryPrimitives.ReverseEndianness(serial);
        return new PiOption97(PiOption97Form.SerialFourTimes, word, word, word, word);
    }

    /// <param name="generation">4 or 5.</param>
    /// <param name="reversed">Write <c>4iPR</c>, as some firmware does.</param>
    public static PiOption97 FromFourCc(
        int generation, uint revision, MacAddress mac, uint serial, bool reversed = false)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)generation, 9u);
        var fourCc = 0x52506900u | (uint)('0' + generation);
        return new PiOption97(PiOption97Form.FourCc, reversed ? BinaryPrimitives.ReverseEndianness(fourCc) : fourCc,
            BinaryPrimitives.ReverseEndianness(revision), (uint)mac.Bits, BinaryPrimitives.ReverseEndianness(serial));
    }

    /// <summary>
    /// Reads any client machine identifier of the right length; what shape it has, <see cref="Form"/> says.
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> octets, out PiOption97 id, out WireError error)
    {
        id = default;
        if (octets.Length != Size)
        {
            // RFC 4578 §2.3: exactly 17.
            error = new WireError("option 97 (client machine identifier) is not 17 octets long", octets.Length);
            return false;
        }
        if (octets[0] != 0)
        {
            error = new WireError("option 97 (client machine identifier) is not of type 0", 0);
            return false;
        }
        error = default;
        var w0 = BinaryPrimitives.ReadUInt32BigEndian(octets[1..]);
        var w1 = BinaryPrimitives.ReadUInt32BigEndian(octets[5..]);
        var w2 = BinaryPrimitives.ReadUInt32BigEndian(octets[9..]);
        var w3 = BinaryPrimitives.ReadUInt32BigEndian(octets[13..]);
        id = new PiOption97(FormOf(w0, w1, w2, w3), w0, w1, w2, w3);
        return true;
    }

    public int Write(Span<byte> octets)
    {
        octets[0] = 0;
        BinaryPrimitives.WriteUInt32BigEndian(octets[1..], Word0);
        BinaryPrimitives.WriteUInt32BigEndian(octets[5..], Word1);
        BinaryPrimitives.WriteUInt32BigEndian(octets[9..], Word2);
        BinaryPrimitives.WriteUInt32BigEndian(octets[13..], Word3);
        return Size;
    }

    private static PiOption97Form FormOf(uint w0, uint w1, uint w2, uint w3)
    {
        if (w0 == w1 && w1 == w2 && w2 == w3)
        {
            // A blank UUID, as unprogrammed PC firmware sends it, is nobody's serial.
            return w0 switch
            {
                ConstantWord => PiOption97Form.Constant,
                0 or uint.MaxValue => PiOption97Form.Other,
                _ => PiOption97Form.SerialFourTimes,
            };
        }
        return IsFourCc(w0) || IsFourCc(BinaryPrimitives.ReverseEndianness(w0))
            ? PiOption97Form.FourCc
            : PiOption97Form.Other;
    }

    private static bool IsFourCc(uint word) => word >> 8 == 0x525069 && (word & 0xff) is >= '0' and <= '9';
}
