using Bramble.Wire;

namespace Bramble.Boot.Ntp;

/// <summary>
/// The clients of late: how fast they ask, and whether their getting the time is already on the timeline. Bounded; the
/// longest silent one makes room. One thread uses it.
/// </summary>
internal sealed class NtpClients(int limit)
{
    /// <summary>Requests that may come at once: a client that starts sends four to eight.</summary>
    private const double Burst = 16;

    /// <summary>Then one in two seconds, the shortest interval of an NTP burst (RFC 5905 §13).</summary>
    private const double PerSecond = 0.5;

    private static readonly TimeSpan NewAfter = TimeSpan.FromHours(1);
    private static readonly TimeSpan OneShotAfter = TimeSpan.FromSeconds(30);

    private readonly Dictionary<IPv4Address, LinkedListNode<Client>> _clients = [];
    private readonly LinkedList<Client> _bySilence = [];

    /// <summary>Counts a request.</summary>
    /// <param name="client">Who asks.</param>
    /// <param name="oneShot">
    /// The request has no transmit time: it is from a board that sets its clock once, so each of its boots counts.
    /// </param>
    /// <param name="now">The driver's clock.</param>
    public NtpVerdict Count(IPv4Address client, bool oneShot, TimeSpan now)
    {
        if (!_clients.TryGetValue(client, out var node))
        {
            if (_clients.Count >= limit)
            {
                _clients.Remove(_bySilence.First!.Value.Address);
                _bySilence.RemoveFirst();
            }
            node = new LinkedListNode<Client>(new Client(client) { Tokens = Burst - 1, SeenAt = now, ToldAt = now });
            _clients.Add(client, node);
            _bySilence.AddLast(node);
            return NtpVerdict.AnswerAndTell;
        }
        _bySilence.Remove(node);
        _bySilence.AddLast(node);
        var known = node.Value;
        var silence = now - known.SeenAt;
        known.Tokens = Math.Min(Burst, known.Tokens + silence.TotalSeconds * PerSecond);
        known.SeenAt = now;
        if (known.Tokens < 1) return NtpVerdict.TooFast;
        known.Tokens--;
        if (silence < NewAfter && !(oneShot && now - known.ToldAt >= OneShotAfter)) return NtpVerdict.Answer;
        known.ToldAt = now;
        return NtpVerdict.AnswerAndTell;
    }

    private sealed class Client(IPv4Address address)
    {
        public IPv4Address Address { get; } = address;

        public double Tokens { get; set; }

        public TimeSpan SeenAt { get; set; }

        public TimeSpan ToldAt { get; set; }
    }
}

/// <summary>What the rate limit says to a request.</summary>
internal enum NtpVerdict
{
    Answer,

    /// <summary>Answer, and put it on the boot timeline.</summary>
    AnswerAndTell,

    TooFast,
}
