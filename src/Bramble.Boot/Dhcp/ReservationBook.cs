using Bramble.Wire;

namespace Bramble.Boot.Dhcp;

/// <summary>
/// Which address is kept for whom. Of two that claim one address the first keeps it. Only <see cref="LeaseTable"/>
/// uses it, under its lock.
/// </summary>
internal sealed class ReservationBook
{
    private readonly Dictionary<IPv4Address, (string Network, MacAddress Mac)> _holders;
    private readonly Dictionary<(string Network, MacAddress Mac), IPv4Address> _addresses;

    public ReservationBook() => (_holders, _addresses) = ([], []);

    public ReservationBook(ReservationBook other) =>
        (_holders, _addresses) = (new(other._holders), new(other._addresses));

    public bool IsForAnother(string network, IPv4Address address, MacAddress mac) =>
        _holders.TryGetValue(address, out var holder) && holder != (network, mac);

    /// <summary>Enters or strikes out (null) a reservation.</summary>
    /// <returns>The address that is nobody's any more, if there is one.</returns>
    public IPv4Address? Set((string Network, MacAddress Mac) client, IPv4Address? address)
    {
        IPv4Address? released = null;
        if (_addresses.TryGetValue(client, out var old))
        {
            if (old == address) return null;
            _addresses.Remove(client);
            _holders.Remove(old);
            released = old;
        }
        if (address is { } a && _holders.TryAdd(a, client)) _addresses[client] = a;
        return released;
    }
}
