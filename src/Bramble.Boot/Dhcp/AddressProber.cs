using Bramble.Wire;

namespace Bramble.Boot.Dhcp;

/// <summary>Somebody answered for an address.</summary>
/// <param name="Mac">Who, if the answer tells.</param>
internal readonly record struct ProbeAnswer(IPv4Address Address, MacAddress? Mac);

/// <summary>A way to ask whether an address is used. The seam at which tests put answers of their own.</summary>
internal interface IProbeChannel : IInterfaceChannel
{
    /// <summary>Puts one question on the wire, without waiting.</summary>
    /// <exception cref="IOException">The network refused it.</exception>
    void Ask(IPv4Address address);

    /// <exception cref="IOException">The channel broke; it must be opened anew.</exception>
    ValueTask<ProbeAnswer> NextAsync(Memory<byte> buffer, CancellationToken cancellation);
}

/// <summary>
/// Tries addresses before they are offered (RFC 2131 §2.2): asks twice and waits, on nobody's time but the client's.
/// Bounded: what is too much is offered untried.
/// </summary>
internal sealed class AddressProber : IDisposable
{
    /// <summary>Addresses that may be tried at once.</summary>
    public const int Capacity = 1024;

    private readonly Lock _gate = new();
    private readonly Dictionary<IPv4Address, Pending> _pending = [];
    private readonly DelayQueue<Pending> _turns;
    private volatile IProbeChannel? _channel;
    private long _made;
    private long _skipped;

    public AddressProber(TimeProvider clock) => _turns = new DelayQueue<Pending>(clock, 2 * Capacity, Turn);

    private sealed class Pending(IPv4Address address, MacAddress client, Action<bool> done)
    {
        public IPv4Address Address => address;

        public MacAddress Client => client;

        public Action<bool> Done { get; set; } = done;

        /// <summary>What is left of the time to wait after the second question.</summary>
        public TimeSpan Rest { get; set; }
    }

    /// <summary>Probes begun.</summary>
    public long Made => Interlocked.Read(ref _made);

    /// <summary>Offered untried, because too many were being tried or the wire was not there.</summary>
    public long Skipped => Interlocked.Read(ref _skipped);

    /// <summary>
    /// Begins to try an address; false if it cannot be. Afterwards <paramref name="done"/> is called, with whether a
    /// stranger answered, on the thread of a timer or of the channel. A client that asks again while its address is
    /// being tried is answered once, for its last packet.
    /// </summary>
    public bool TryProbe(IPv4Address address, MacAddress client, TimeSpan timeout, Action<bool> done)
    {
        lock (_gate)
        {
            if (_pending.TryGetValue(address, out var running) && running.Client == client)
            {
                running.Done = done;
                return true;
            }
            var half = timeout / 2;
            var pending = new Pending(address, client, done) { Rest = timeout - half };
            if (running is not null || _pending.Count >= Capacity || !_turns.TryAdd(pending, half) || !TryAsk(address))
            {
                Interlocked.Increment(ref _skipped);
                return false;
            }
            _pending.Add(address, pending);
            Interlocked.Increment(ref _made);
            return true;
        }
    }

    /// <summary>Reads answers from a channel until it breaks or the end has come.</summary>
    public async Task RunAsync(IProbeChannel channel, CancellationToken cancellation)
    {
        var buffer = new byte[2048];
        _channel = channel;
        try
        {
            while (true) Hear(await channel.NextAsync(buffer, cancellation).ConfigureAwait(false));
        }
        finally
        {
            _channel = null;
        }
    }

    public void Dispose() => _turns.Dispose();

    private void Hear(ProbeAnswer answer)
    {
        Pending? pending;
        lock (_gate)
        {
            // The client itself may still use the address from before: that is no conflict.
            if (!_pending.TryGetValue(answer.Address, out pending) || pending.Client == answer.Mac) return;
            _pending.Remove(answer.Address);
        }
        pending.Done(true);
    }

    private void Turn(Pending pending)
    {
        lock (_gate)
        {
            if (_pending.GetValueOrDefault(pending.Address) != pending) return;
            if (pending.Rest > TimeSpan.Zero)
            {
                // Either question may be lost.
                var rest = pending.Rest;
                pending.Rest = TimeSpan.Zero;
                if (_turns.TryAdd(pending, rest))
                {
                    TryAsk(pending.Address);
                    return;
                }
            }
            _pending.Remove(pending.Address);
        }
        pending.Done(false);
    }

    private bool TryAsk(IPv4Address address)
    {
        if (_channel is not { } channel) return false;
        try
        {
            channel.Ask(address);
            return true;
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            return false;
        }
    }
}
