using Bramble.Boot.Tftp;
using Bramble.Wire.Tftp;

namespace Bramble.Boot.Tests.Tftp;

/// <summary>What the network does to packets; each share is a probability.</summary>
internal sealed record Weather(double Loss = 0, double Doubled = 0, double Late = 0)
{
    /// <summary>One way, of a packet that is on time; a late one takes up to ten times as long.</summary>
    public TimeSpan Trip { get; init; } = TimeSpan.FromMilliseconds(2);
}

/// <summary>
/// A transfer and a receiver joined by a network in memory that loses, doubles, delays and so reorders packets. Time is
/// counted, not waited for, and every roll of the dice comes from the seed.
/// </summary>
internal sealed class LossyNetwork(TftpTerms terms, Weather weather, int seed)
{
    private readonly Random _random = new(seed);
    private readonly PriorityQueue<(bool ToServer, byte[] Packet), (TimeSpan, int)> _flying = new();
    private readonly LossyReceiver _client = new(terms.BlockSize, terms.WindowSize, terms.Granted.Count > 0);
    private TftpTransfer _transfer = TftpTransfer.Create(terms);
    private TimeSpan _now;
    private int _order;

    public byte[] Received => _client.Received;

    public TftpEnd? End { get; private set; }

    /// <summary>DATA packets that the server sent.</summary>
    public int DataSent { get; private set; }

    public TimeSpan Elapsed => _now;

    public void Run(byte[] file)
    {
        Server(TftpEvent.Start, file);
        for (var turn = 0; End is null; turn++)
        {
            Assert.True(turn < 2_000_000, "the transfer does not end");
            var arrival = _flying.TryPeek(out _, out var due) ? due.Item1 : TimeSpan.MaxValue;
            var next = Min(arrival, Min(_transfer.Deadline, _client.Deadline));
            Assert.True(next < TimeSpan.MaxValue, "nothing happens any more");
            _now = next > _now ? next : _now;
            if (arrival <= _now)
            {
                var (toServer, packet) = _flying.Dequeue();
                if (toServer) Server(Understood(packet), file);
                else Send(toServer: true, _client.Receive(packet, _now));
            }
            else if (_transfer.Deadline <= _now)
            {
                Server(TftpEvent.Tick, file);
            }
            else
            {
                Send(toServer: true, _client.OnSilence(_now));
            }
        }
    }

    private static TftpEvent Understood(byte[] packet)
    {
        Assert.True(TftpAck.TryRead(packet, out var ack, out _));
        return TftpEvent.Ack(ack.Block);
    }

    private void Server(TftpEvent happened, byte[] file)
    {
        (_transfer, var action) = _transfer.Step(happened, _now);
        if (action.Kind == TftpActionKind.End) End = action.End;
        if (action.Kind == TftpActionKind.SendOptionAck)
        {
            var packet = new byte[512];
            Send(toServer: false, packet[..new TftpOptionAck(terms.Granted).Write(packet)]);
        }
        for (var block = action.First; block < action.First + action.Count; block++)
        {
            var packet = new byte[TftpData.HeaderSize + terms.PayloadOf(block)];
            var payload = file.AsSpan((int)((block - 1) * terms.BlockSize), terms.PayloadOf(block));
            new TftpData((ushort)block, payload).Write(packet);
            Send(toServer: false, packet);
            DataSent++;
        }
    }

    private void Send(bool toServer, byte[]? packet)
    {
        if (packet is null) return;
        for (var copies = _random.NextDouble() < weather.Doubled ? 2 : 1; copies > 0; copies--)
        {
            if (_random.NextDouble() < weather.Loss) continue;
            var slower = _random.NextDouble() < weather.Late ? 1 + 9 * _random.NextDouble() : 1;
            _flying.Enqueue((toServer, packet), (_now + weather.Trip * slower, _order++));
        }
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
