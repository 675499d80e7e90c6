using Bramble.Boot.Sockets;

namespace Bramble.Boot.Tftp;

/// <summary>
/// Which client ports have a transfer, in which lane, and how many each client has: the limits live here.
/// </summary>
internal sealed class TftpRegistry(int limit, int limitPerClient)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<UdpPeer, TftpLane> _lanes = [];
    private readonly Dictionary<uint, int> _perClient = [];

    public TftpLane? LaneOf(UdpPeer peer)
    {
        lock (_lock) return _lanes.GetValueOrDefault(peer);
    }

    /// <summary>Null if there is room; else which limit is reached, in words.</summary>
    public string? WhyFull(UdpPeer peer)
    {
        lock (_lock)
        {
            if (_perClient.GetValueOrDefault(peer.Address.Bits) >= limitPerClient)
                return $"too many transfers of this client ({limitPerClient}); try again later";
            return _lanes.Count >= limit ? $"too many transfers ({limit}); try again later" : null;
        }
    }

    /// <summary>
    /// Only the request loop enters, one at a time, so room that <see cref="WhyFull"/> saw is still there.
    /// </summary>
    public void Enter(UdpPeer peer, TftpLane lane)
    {
        lock (_lock)
        {
            _lanes.Add(peer, lane);
            _perClient[peer.Address.Bits] = _perClient.GetValueOrDefault(peer.Address.Bits) + 1;
        }
    }

    public void Leave(UdpPeer peer)
    {
        lock (_lock)
        {
            if (!_lanes.Remove(peer)) return;
            var left = _perClient[peer.Address.Bits] - 1;
            if (left > 0) _perClient[peer.Address.Bits] = left;
            else _perClient.Remove(peer.Address.Bits);
        }
    }
}
