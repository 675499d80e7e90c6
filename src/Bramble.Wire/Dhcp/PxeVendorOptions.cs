using System.Buffers.Binary;
using System.Text;

namespace Bramble.Wire.Dhcp;

/// <summary>One entry of a PXE boot menu: the type of boot server it leads to, and its text.</summary>
public readonly record struct PxeMenuItem(ushort Type, string Text);

/// <summary>
/// The sub-options of option 43 in a PXE answer (PXE 2.1 §2.2.1). A Pi boots from the answer whose menu holds the text
/// <c>Raspberry Pi Boot</c>:
/// <code>
/// 06 01 03                                  discovery control: neither broadcast nor multicast
/// 0a 04 00 "PXE"                            prompt, no wait
/// 09 17 0000 14 "Raspberry Pi Boot   "      menu: type 0
/// ff
/// </code>
/// The three trailing spaces are for the 3B's ROM; newer firmware looks for the text anywhere (RE#60).
/// </summary>
public sealed record PxeVendorOptions
{
    public const string PiMenuText = "Raspberry Pi Boot";

    private const byte DiscoveryControlCode = 6;
    private const byte MenuCode = 9;
    private const byte PromptCode = 10;
    private const byte EndCode = 255;

    /// <summary>Sub-option 6; null to leave it out.</summary>
    public byte? DiscoveryControl { get; init; }

    /// <summary>Sub-option 10's seconds; 255 waits for ever.</summary>
    public byte PromptSeconds { get; init; }

    /// <summary>Sub-option 10's text; null to leave the sub-option out.</summary>
    public string? Prompt { get; init; }

    /// <summary>Sub-option 9.</summary>
    public IReadOnlyList<PxeMenuItem> Menu { get; init; } = [];

    /// <summary>The answer for every Raspberry Pi, byte for byte.</summary>
    public static ReadOnlySpan<byte> RaspberryPiBoot =>
    [
        0x06, 0x01, 0x03,
        0x0a, 0x04, 0x00, 0x50, 0x58, 0x45,
        0x09, 0x17, 0x00, 0x00, 0x14,
        0x52, 0x61, 0x73, 0x70, 0x62, 0x65, 0x72, 0x72, 0x79, 0x20, 0x50, 0x69, 0x20, 0x42, 0x6f, 0x6f, 0x74,
        0x20, 0x20, 0x20,
        0xff,
    ];

    /// <summary>Whether a Pi would take this option 43 for its own.</summary>
    public bool OffersPiBoot => Menu.Any(item => item.Text.Contains(PiMenuText, StringComparison.Ordinal));

    public static bool TryRead(ReadOnlySpan<byte> octets, out PxeVendorOptions options, out WireError error)
    {
        options = null!;
        error = default;
        byte? control = null;
        string? prompt = null;
        byte seconds = 0;
        var menu = new List<PxeMenuItem>();
        var at = 0;
        while (at < octets.Length && octets[at] != EndCode)
        {
            var code = octets[at];
            if (code == 0)
            {
                at++;
                continue;
            }
            if (at + 1 >= octets.Length || at + 2 + octets[at + 1] > octets.Length)
            {
                error = new WireError($"sub-option {code} of option 43 runs out of it", at);
                return false;
            }
            var value = octets.Slice(at + 2, octets[at + 1]);
            switch (code)
            {
                case DiscoveryControlCode when value.Length == 1:
                    control = value[0];
                    break;
                case PromptCode when value.Length >= 1:
                    seconds = value[0];
                    prompt = Encoding.Latin1.GetString(value[1..]);
                    break;
                case MenuCode when !TryReadMenu(value, menu):
                    error = new WireError("the PXE menu runs out of its sub-option", at);
                    return false;
            }
            at += 2 + value.Length;
        }
        options = new PxeVendorOptions
        {
            DiscoveryControl = control,
            PromptSeconds = seconds,
            Prompt = prompt,
            Menu = menu,
        };
        return true;
    }

    /// <summary>
    /// Writes sub-options 6, 10, 9 and the end, in the order that Pis are known to take. Returns the length.
    /// </summary>
    /// <exception cref="ArgumentException">A text is too long for its one octet of length, or the buffer too
    /// small.</exception>
    public int Write(Span<byte> octets)
    {
        var at = 0;
        if (DiscoveryControl is { } control)
        {
            octets[at++] = DiscoveryControlCode;
            octets[at++] = 1;
            octets[at++] = control;
        }
        if (Prompt is { } prompt)
        {
            octets[at++] = PromptCode;
            octets[at++] = Short(1 + prompt.Length);
            octets[at++] = PromptSeconds;
            at += Encoding.Latin1.GetBytes(prompt, octets[at..]);
        }
        if (Menu.Count > 0)
        {
            octets[at++] = MenuCode;
            octets[at++] = Short(Menu.Sum(item => 3 + item.Text.Length));
            foreach (var item in Menu)
            {
                BinaryPrimitives.WriteUInt16BigEndian(octets[at..], item.Type);
                octets[at + 2] = Short(item.Text.Length);
                at += 3;
                at += Encoding.Latin1.GetBytes(item.Text, octets[at..]);
            }
        }
        octets[at++] = EndCode;
        return at;
    }

    private static byte Short(int length) =>
        length <= byte.MaxValue ? (byte)length : throw new ArgumentException("a PXE sub-option has at most 255 octets");

    private static bool TryReadMenu(ReadOnlySpan<byte> value, List<PxeMenuItem> menu)
    {
        while (value.Length > 0)
        {
            if (value.Length < 3 || value.Length < 3 + value[2]) return false;
            menu.Add(new PxeMenuItem(
                BinaryPrimitives.ReadUInt16BigEndian(value), Encoding.Latin1.GetString(value.Slice(3, value[2]))));
            value = value[(3 + value[2])..];
        }
        return true;
    }
}
