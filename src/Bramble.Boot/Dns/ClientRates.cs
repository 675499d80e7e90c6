using Bramble.Wire;

namespace Bramble.Boot.Dns;

/// <summary>
/// How fast each client asks: so much at once, then so much a second. Bounded; the longest silent one makes room.
/// Thread-safe.
/// </summary>
internal sealed class ClientRates(int burst, int perSecond, int maxClients, TimeProvider clock)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<IPv4Address, LinkedListNode<Client>> _clients = [];
    private readonly LinkedList<Client> _bySilence = [];

    /// <summary>Counts a question. False if it is one too many.</summary>
    public bool TryTake(IPv4Address address)
    {
        var now = clock.GetTimestamp();
        lock (_lock)
        {
            if (!_clients.TryGetValue(address, out var node))
            {
                if (_clients.Count >= maxClients)
                {
                    _clients.Remove(_bySilence.First!.Value.Address);
                    _bySilence.RemoveFirst();
                }
                node = _clients[address] = new LinkedListNode<Client>(new Client(address, now) { Tokens = burst });
            }
            else
            {
                _bySilence.Remove(node);
            }
            _bySilence.AddLast(node);
            var client = node.Value;
            client.Tokens = Math.Min(
                burst, client.Tokens + clock.GetElapsedTime(client.SeenAt, now).TotalSeconds * perSecond);
            client.SeenAt = now;
            if (client.Tokens < 1) return false;
            client.Tokens--;
            return true;
        }
    }

    private sealed class Client(IPv4Address address, long seenAt)
    {
        public IPv4Address Address { get; } = address;

        public long SeenAt { get; set; } = seenAt;

        public double Tokens { get; set; }
    }
}
