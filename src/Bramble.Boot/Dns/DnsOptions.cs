using Bramble.Wire;
using Bramble.Wire.Dns;

namespace Bramble.Boot.Dns;

/// <summary>Configuration of one door for names.</summary>
public sealed record DnsOptions
{
    /// <summary>Our address with the network's length: where we listen, and whose addresses are preferred.</summary>
    public required IPv4Prefix Address { get; init; }

    /// <summary>The network interface to bind to (SO_BINDTODEVICE); null for whichever carries the address.</summary>
    public string? Interface { get; init; }

    /// <summary>53, or 0 for any free port, another one for UDP than for TCP (tests).</summary>
    public int Port { get; init; } = DnsMessage.Port;

    /// <summary>Whose questions about names that are not ours are passed on; others get REFUSED.</summary>
    public required IReadOnlyList<IPv4Prefix> Recursion { get; init; }

    /// <summary>Questions of others that wait for an answer from upstream at once, and those of one client.</summary>
    public int MaxWaiting { get; init; } = 1024;

    public int MaxWaitingOfClient { get; init; } = 128;

    /// <summary>TCP connections at once, and those of one client.</summary>
    public int MaxConnections { get; init; } = 256;

    public int MaxConnectionsOfClient { get; init; } = 16;

    /// <summary>How long a TCP connection may rest between questions (RFC 7766 §6.2.3: seconds).</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a started question may take to arrive over TCP, and an answer to leave.</summary>
    public TimeSpan TransferTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Questions of one client that may come at once, and then in a second; beyond that is silence.</summary>
    public int Burst { get; init; } = 2000;

    public int PerSecond { get; init; } = 1000;

    /// <summary>Clients remembered for that; the longest silent one makes room.</summary>
    public int MaxClients { get; init; } = 4096;
}
