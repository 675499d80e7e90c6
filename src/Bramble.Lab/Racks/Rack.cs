using System.Collections.Concurrent;
using Bramble.Lab.Boards;
using Bramble.Lab.Power;
using Bramble.Wire;

namespace Bramble.Lab.Racks;

/// <summary>
/// Boards and what feeds them: a port that goes dead kills its board, a port that comes alive starts it.
/// </summary>
internal sealed class Rack : IDisposable
{
    private readonly IPortFeed _feed;
    private readonly ConcurrentDictionary<int, Board> _byPort = [];
    private readonly ConcurrentDictionary<MacAddress, int> _ports = [];

    public Rack(IPortFeed feed, IEnumerable<Board> boards)
    {
        _feed = feed;
        Boards = [.. boards];
        foreach (var board in Boards)
        {
            _byPort[board.Spec.Port] = board;
            _ports[board.Spec.Mac] = board.Spec.Port;
            feed.Attach(board.Spec.Port);
        }
        feed.PortChanged += (port, _) => Follow(port);
    }

    public IReadOnlyList<Board> Boards { get; }

    public IPortFeed Feed => _feed;

    /// <summary>Gives each board the power that its port has.</summary>
    public void FollowAll()
    {
        foreach (var board in Boards) Follow(board.Spec.Port);
    }

    /// <summary>Switches all ports on, one after the other.</summary>
    public async Task PowerOnAsync(TimeSpan stagger, TimeProvider time, CancellationToken cancellation)
    {
        foreach (var board in Boards)
        {
            _feed.SetPort(board.Spec.Port, true);
            Follow(board.Spec.Port);
            if (stagger > TimeSpan.Zero) await Task.Delay(stagger, time, cancellation);
        }
    }

    /// <summary>The switch learns where a frame came from.</summary>
    public void Learn(MacAddress mac)
    {
        if (_ports.TryGetValue(mac, out var port)) _feed.Learn(mac, port);
    }

    /// <summary>Finds a board by number, name, MAC or serial.</summary>
    public Board? Find(string word) => Boards.FirstOrDefault(board =>
        board.Spec.Name.Equals(word, StringComparison.OrdinalIgnoreCase)
        || board.Spec.Number.ToString(System.Globalization.CultureInfo.InvariantCulture) == word
        || board.Spec.Prefix.Equals(word, StringComparison.OrdinalIgnoreCase)
        || (MacAddress.TryParse(word, out var mac) && mac == board.Spec.Mac));

    public void Dispose()
    {
        foreach (var board in Boards) board.Dispose();
    }

    private void Follow(int port)
    {
        if (!_byPort.TryGetValue(port, out var board)) return;
        // Looked at under a lock, so that of two changes at once the later one is obeyed.
        lock (_byPort)
        {
            if (_feed.IsPowered(port)) board.PowerOn();
            else board.PowerOff();
        }
    }
}
