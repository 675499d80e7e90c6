namespace Bramble.Boot.Dns;

/// <summary>How questions are passed on.</summary>
public sealed record DnsForwarderOptions
{
    /// <summary>Different questions that wait for upstream at once; above that a client gets SERVFAIL.</summary>
    public int MaxOutstanding { get; init; } = 512;

    /// <summary>How long one server is waited for over UDP before the next is asked.</summary>
    public TimeSpan TryTimeout { get; init; } = TimeSpan.FromMilliseconds(1200);

    /// <summary>How long one server is waited for over TCP.</summary>
    public TimeSpan TcpTimeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>After that a question has failed: clients give up after 5 s.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromMilliseconds(4800);

    /// <summary>How often the list of servers is gone through.</summary>
    public int Rounds { get; init; } = 2;

    public int CacheEntries { get; init; } = 10_000;

    /// <summary>Of messages as they came over the wire; in memory they take some times as much.</summary>
    public long CacheOctets { get; init; } = 4 << 20;
}
