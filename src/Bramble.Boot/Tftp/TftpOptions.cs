using Bramble.Wire;

namespace Bramble.Boot.Tftp;

/// <summary>Configuration of one TFTP door.</summary>
public sealed record TftpOptions
{
    /// <summary>The address to serve on; also the source of every reply.</summary>
    public required IPv4Address Address { get; init; }

    /// <summary>69, or 0 for any free port (tests).</summary>
    public int Port { get; init; } = 69;

    /// <summary>The network interface to bind to (SO_BINDTODEVICE); null for whichever carries the address.</summary>
    public string? Interface { get; init; }

    /// <summary>
    /// Octets of the largest block granted. 1468 fills an Ethernet frame: 1500 less IP, UDP and TFTP headers. More
    /// would be fragmented, and boot ROMs reassemble badly.
    /// </summary>
    public int MaxBlockSize { get; init; } = 1468;

    /// <summary>Blocks of the largest window granted.</summary>
    public int MaxWindowSize { get; init; } = 64;

    public int MaxTransfers { get; init; } = 4096;

    public int MaxTransfersPerClient { get; init; } = 16;

    /// <summary>
    /// Sockets, hence TIDs, over which the transfers are spread. Each has its own lock, so this also bounds how many
    /// processors take part.
    /// </summary>
    public int Lanes { get; init; } = 4;

    public TftpTiming Timing { get; init; } = new();
}

/// <summary>When a transfer sends again, and when it gives up.</summary>
public sealed record TftpTiming
{
    /// <summary>Before a round trip has been measured (RFC 6298 §2.1 says 1 s).</summary>
    public TimeSpan Initial { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Boards pause to decompress or to write; asking sooner only doubles the traffic.</summary>
    public TimeSpan Min { get; init; } = TimeSpan.FromMilliseconds(200);

    public TimeSpan Max { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>
    /// Retransmissions without an answer. Six take at least 20 s, less than the 30 s a Pi gives a file.
    /// </summary>
    public int MaxRetries { get; init; } = 6;
}
