using System.Collections.Concurrent;
using System.Threading.Channels;
using Bramble.Boot.Dhcp;
using Bramble.Testing;
using Bramble.Wire;
using Bramble.Wire.Dhcp;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bramble.Boot.Tests.Dhcp;

/// <summary>A directory that serves everybody, unless told otherwise, and keeps the steps.</summary>
internal sealed class FakeDirectory : IBootDirectory
{
    public Func<BoardSighting, BoardPlan> Plan { get; set; } = _ => new BoardPlan(Admission.Serve);

    public ConcurrentQueue<BootStep> Steps { get; } = new();

    public ConcurrentQueue<BoardSighting> Sightings { get; } = new();

    public BoardPlan Find(BoardSighting sighting)
    {
        Sightings.Enqueue(sighting);
        return Plan(sighting);
    }

    public BootFileAnswer Open(BootFileRequest request) => BootFileAnswer.NotFound("no files here");

    public void Record(BootStep step) => Steps.Enqueue(step);
}

/// <summary>A store whose commits a test can hold up or make fail.</summary>
internal sealed class FakeStore : ILeaseStore
{
    public List<Lease> Stored { get; } = [];

    public ConcurrentQueue<int> BatchSizes { get; } = new();

    /// <summary>
    /// Done before each commit. The rig's end ends it too, or a test that fails meanwhile would wait for it for ever.
    /// </summary>
    public Func<Task> Before { get; set; } = () => Task.CompletedTask;

    public IReadOnlyList<Lease> Load()
    {
        lock (Stored) return [.. Stored];
    }

    public async ValueTask CommitAsync(IReadOnlyList<Lease> batch, CancellationToken cancellation)
    {
        BatchSizes.Enqueue(batch.Count);
        await Before().WaitAsync(cancellation);
        lock (Stored)
        {
            foreach (var lease in batch)
            {
                Stored.RemoveAll(l => l.Address == lease.Address || (l.Network == lease.Network && l.Mac == lease.Mac
                    && l.State != LeaseState.Declined && lease.State != LeaseState.Declined));
                Stored.Add(lease);
            }
        }
    }
}

/// <summary>The network in memory.</summary>
internal sealed class FakeChannel : IDhcpChannel
{
    private readonly Channel<byte[]> _in = Channel.CreateUnbounded<byte[]>();
    private readonly Channel<(DhcpPacket, DhcpDestination)> _out =
        Channel.CreateUnbounded<(DhcpPacket, DhcpDestination)>();

    public bool IsThere { get; set; } = true;

    public bool RefusesToSend { get; set; }

    public void Receive(byte[] packet) => Assert.True(_in.Writer.TryWrite(packet));

    public void Break() => _in.Writer.Complete(new IOException("the cable is cut"));

    public bool TryTake(out DhcpPacket packet)
    {
        var there = _out.Reader.TryRead(out var sent);
        packet = sent.Item1;
        return there;
    }

    public Task<(DhcpPacket Packet, DhcpDestination To)> NextAsync() =>
        _out.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().WithinAsync("an answer to a client");

    public async ValueTask<DhcpDatagram> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellation)
    {
        try
        {
            var packet = await _in.Reader.ReadAsync(cancellation);
            packet.CopyTo(buffer);
            return new DhcpDatagram(packet.Length, IPv4Address.Any, 68);
        }
        catch (ChannelClosedException e) when (e.InnerException is IOException cause)
        {
            throw new IOException(cause.Message, cause);
        }
    }

    public void Send(ReadOnlySpan<byte> packet, in DhcpDestination to)
    {
        if (RefusesToSend) throw new IOException("the network is unreachable");
        Assert.True(DhcpPacket.TryRead(packet, out var read, out _));
        _out.Writer.TryWrite((read, to));
    }

    public void Dispose()
    {
    }
}

/// <summary>Addresses that strangers answer for.</summary>
internal sealed class FakeProbes : IProbeChannel
{
    private readonly Channel<ProbeAnswer> _answers = Channel.CreateUnbounded<ProbeAnswer>();

    public ConcurrentDictionary<IPv4Address, MacAddress> Taken { get; } = new();

    public ConcurrentQueue<IPv4Address> Asked { get; } = new();

    public bool IsThere => true;

    public void Ask(IPv4Address address)
    {
        Asked.Enqueue(address);
        if (Taken.TryGetValue(address, out var mac)) _answers.Writer.TryWrite(new ProbeAnswer(address, mac));
    }

    public ValueTask<ProbeAnswer> NextAsync(Memory<byte> buffer, CancellationToken cancellation) =>
        _answers.Reader.ReadAsync(cancellation);

    public void Dispose()
    {
    }
}

/// <summary>Ethernet in memory.</summary>
internal sealed class FakeLink : ILinkChannel
{
    private readonly Channel<byte[]> _in = Channel.CreateUnbounded<byte[]>();

    public MacAddress Mac { get; } = MacAddress.Parse("02:00:00:ff:00:01");

    public ConcurrentQueue<byte[]> Sent { get; } = new();

    public bool IsThere => true;

    public void Receive(byte[] frame) => Assert.True(_in.Writer.TryWrite(frame));

    public void Send(ReadOnlySpan<byte> frame) => Sent.Enqueue(frame.ToArray());

    public async ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellation)
    {
        var frame = await _in.Reader.ReadAsync(cancellation);
        frame.CopyTo(buffer);
        return frame.Length;
    }

    public void Dispose()
    {
    }
}

/// <summary>A server on a network in memory, with a clock that stands still.</summary>
internal sealed class DhcpRig : IAsyncDisposable
{
    private readonly CancellationTokenSource _end = new();
    private readonly Task _running;

    public DhcpRig(
        DhcpNetwork? network = null, Func<DhcpRig, IDhcpChannel>? open = null,
        IReadOnlyList<DhcpNetwork>? relayed = null)
    {
        Leases = new LeaseTable(Clock);
        Committer = new LeaseCommitter(Store, Leases, Clock, NullLogger<LeaseCommitter>.Instance);
        Server = new DhcpServer(network ?? Nets.Rack, relayed ?? [], Directory, Leases, Committer, Clock,
            NullLogger<DhcpServer>.Instance, new DhcpWires(
                (_, port) => open?.Invoke(this) ?? (port == 67 ? Channel : ProxyChannel),
                (_, _) => Probes, _ => Link));
        Server.Noticed += Notices.Enqueue;
        _running = Task.WhenAll(Committer.RunAsync(_end.Token), Server.RunAsync(_end.Token));
    }

    public ManualTimeProvider Clock { get; } = new();

    public FakeStore Store { get; } = new();

    public FakeDirectory Directory { get; } = new();

    public FakeChannel Channel { get; } = new();

    public FakeChannel ProxyChannel { get; } = new();

    public FakeProbes Probes { get; } = new();

    public FakeLink Link { get; } = new();

    public ConcurrentQueue<DhcpNotice> Notices { get; } = new();

    public LeaseTable Leases { get; }

    public LeaseCommitter Committer { get; }

    public DhcpServer Server { get; }

    /// <summary>Lets the loops run; nothing is measured by it.</summary>
    public static Task PauseAsync() => Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);

    public Task UntilIgnoredAsync(DhcpIgnoreReason reason, int times = 1) =>
        Patience.UntilAsync(
            () => Server.Snapshot().Ignored.GetValueOrDefault(reason) >= times, $"{times} times {reason}");

    public Task AskedAsync(int times) =>
        Patience.UntilAsync(() => Probes.Asked.Count >= times, $"{times} questions for addresses");

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _running.WithinAsync("the end of the DHCP server and its committer");
        _end.Dispose();
    }
}

internal static class Nets
{
    public static readonly IPv4Address Server = IPv4Address.Parse("10.77.0.1");

    /// <summary>101 addresses, 10.77.0.100 to .200.</summary>
    public static readonly DhcpNetwork Rack = new()
    {
        Name = "rack",
        Interface = "eth0",
        Server = IPv4Prefix.Parse("10.77.0.1/24"),
        Pools = [new AddressRange(IPv4Address.Parse("10.77.0.100"), IPv4Address.Parse("10.77.0.200"))],
        Router = IPv4Address.Parse("10.77.0.254"),
        DnsServers = [IPv4Address.Parse("10.77.0.2"), IPv4Address.Parse("10.77.0.3")],
        Domain = "rack.example",
        NtpServers = [IPv4Address.Parse("10.77.0.1")],
    };

    public static DhcpNetwork Small(int addresses) => Rack with
    {
        Pools = [new AddressRange(Address(100), Address(99 + addresses))],
    };

    public static IPv4Address Address(int host) => new(0x0a4d0000u + (uint)host);

    public static MacAddress Mac(int n) => new(0x020000000000u + (ulong)n);
}

/// <summary>Packets of a plain client, such as an installed system.</summary>
internal static class Client
{
    public static DhcpPacket Packet(
        DhcpMessageType type, MacAddress mac, IPv4Address? requested = null, IPv4Address? server = null,
        IPv4Address? ciaddr = null, uint xid = 1)
    {
        var packet = new DhcpPacket { TransactionId = xid, Mac = mac, ClientAddress = ciaddr ?? IPv4Address.Any };
        packet.Options.Set(DhcpOption.MessageType, (byte)type);
        if (requested is { } r) packet.Options.Set(DhcpOption.RequestedAddress, r);
        if (server is { } s) packet.Options.Set(DhcpOption.ServerIdentifier, s);
        return packet;
    }

    public static DhcpPacket Discover(MacAddress mac) => Packet(DhcpMessageType.Discover, mac);

    public static DhcpPacket Select(MacAddress mac, IPv4Address address) =>
        Packet(DhcpMessageType.Request, mac, address, Nets.Server);

    public static DhcpPacket Read(byte[] octets)
    {
        Assert.True(DhcpPacket.TryRead(octets, out var packet, out var error), error.ToString());
        return packet;
    }
}
