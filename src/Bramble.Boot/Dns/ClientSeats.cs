using Bramble.Wire;

namespace Bramble.Boot.Dns;

/// <summary>Places for what is under way, bounded in all and for each client. Thread-safe.</summary>
internal sealed class ClientSeats(int max, int maxOfClient)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<IPv4Address, int> _taken = [];
    private int _count;

    public int Count
    {
        get
        {
            lock (_lock) return _count;
        }
    }

    public bool IsFull => Count >= max;

    public bool TryTake(IPv4Address client)
    {
        lock (_lock)
        {
            var taken = _taken.GetValueOrDefault(client);
            if (_count >= max || taken >= maxOfClient) return false;
            _taken[client] = taken + 1;
            _count++;
            return true;
        }
    }

    public void Leave(IPv4Address client)
    {
        lock (_lock)
        {
            _count--;
            if (--_taken[client] == 0) _taken.Remove(client);
        }
    }
}
