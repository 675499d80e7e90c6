using Bramble.Boot.Dhcp;

namespace Bramble.Manager.Capture;

/// <summary>
/// What of an interface's frames belongs to booting: ARP, all of UDP over IPv4, and of the boot network's HTTP what
/// begins, ends or asks. The filter runs in the kernel and leaves the images themselves out.
/// </summary>
internal static class CaptureFilter
{
    private const uint Tcp = 6;
    private const uint Udp = 17;

    /// <summary>
    /// FIN, SYN, RST and PSH: the last segment of a request carries PSH, those of a long answer do not.
    /// </summary>
    private const uint TellingFlags = 0x0f;

    // Jumps are counted from the next instruction on: (true, false). The last two are "all of it" and "nothing".
    public static SockFilter[] Of(int httpPort) =>
    [
        new(0x28, 0, 0, 12),                    // ldh [12]: the type of the frame
        new(0x15, 13, 0, LinkSocket.TypeArp),   // jeq ARP → all
        new(0x15, 0, 13, LinkSocket.TypeIPv4),  // jne IPv4 → nothing
        new(0x30, 0, 0, 23),                    // ldb [23]: the protocol
        new(0x15, 10, 0, Udp),                  // jeq UDP → all
        new(0x15, 0, 10, Tcp),                  // jne TCP → nothing
        new(0x28, 0, 0, 20),                    // ldh [20]: the fragment's offset
        new(0x45, 8, 0, 0x1fff),                // jset → nothing
        new(0xb1, 0, 0, 14),                    // ldxb 4*([14]&0xf): the length of the IP header
        new(0x48, 0, 0, 14),                    // ldh [x+14]: the source port
        new(0x15, 2, 0, (uint)httpPort),        // jeq → the flags
        new(0x48, 0, 0, 16),                    // ldh [x+16]: the destination port
        new(0x15, 0, 3, (uint)httpPort),        // jne → nothing
        new(0x50, 0, 0, 27),                    // ldb [x+27]: the flags
        new(0x45, 0, 1, TellingFlags),          // none of them → nothing
        new(0x06, 0, 0, 0x40000),
        new(0x06, 0, 0, 0),
    ];
}
