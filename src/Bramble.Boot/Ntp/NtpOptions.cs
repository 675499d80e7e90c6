using Bramble.Wire;

namespace Bramble.Boot.Ntp;

/// <summary>Configuration of one time door.</summary>
public sealed record NtpOptions
{
    /// <summary>The address to serve on; also the source of every reply.</summary>
    public required IPv4Address Address { get; init; }

    /// <summary>123, or 0 for any free port (tests).</summary>
    public int Port { get; init; } = Wire.Ntp.NtpPacket.Port;

    /// <summary>The network interface to bind to (SO_BINDTODEVICE); null for whichever carries the address.</summary>
    public string? Interface { get; init; }

    /// <summary>
    /// The stratum to claim, 1 to 15. Null claims 3 while this host's clock is synchronized and 10 while it is not.
    /// </summary>
    public byte? Stratum { get; init; }

    /// <summary>Clients remembered for the rate limit and the timeline; the longest silent one makes room.</summary>
    public int MaxClients { get; init; } = 4096;
}
