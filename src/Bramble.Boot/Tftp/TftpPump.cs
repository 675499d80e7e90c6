using System.Net.Sockets;
using Bramble.Boot.Sockets;
using Microsoft.Win32.SafeHandles;

namespace Bramble.Boot.Tftp;

/// <summary>What a pump receives for.</summary>
internal interface IDatagramSink
{
    SafeSocketHandle Handle { get; }

    /// <summary>Takes what waits at the socket, and answers it. On the pump's thread.</summary>
    /// <exception cref="SocketException">The socket is broken.</exception>
    void Receive(DatagramReader reader);
}

/// <summary>
/// A thread that receives for some sockets: it sleeps until one of them has something, then takes all of that in one
/// call. Under load a batch is as large as what arrived while the last one was answered. Not the pool's threads: what
/// else the daemon does there, such as waiting for its disk, must not hold up a board's block.
/// </summary>
internal sealed class TftpPump : IDisposable
{
    /// <summary>Packets taken from a socket in one turn, so that a flood at one leaves the others theirs.</summary>
    private const int BatchSize = 64;

    private const uint StopNumber = uint.MaxValue;

    private readonly IReadOnlyList<IDatagramSink> _sinks;
    private readonly SafeFileHandle _set = LinuxSockets.NewReadinessSet();
    private readonly SafeFileHandle _stop = LinuxSockets.NewWakeUp();
    private readonly DatagramReader _reader;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="packetSize">Octets kept of each packet; what is longer is cut.</param>
    public TftpPump(string name, IReadOnlyList<IDatagramSink> sinks, int packetSize)
    {
        _sinks = sinks;
        _reader = new DatagramReader(BatchSize, packetSize);
        LinuxSockets.Watch(_set, _stop, StopNumber);
        for (var i = 0; i < sinks.Count; i++) LinuxSockets.Watch(_set, sinks[i].Handle, (uint)i);
        new Thread(Run) { Name = name, IsBackground = true }.Start();
    }

    /// <summary>Completes when the thread has ended: as told, or with what broke a socket.</summary>
    public Task Ended => _ended.Task;

    public void Stop() => LinuxSockets.Wake(_stop);

    /// <summary>Only after it has ended.</summary>
    public void Dispose()
    {
        _reader.Dispose();
        _set.Dispose();
        _stop.Dispose();
    }

    private void Run()
    {
        Span<uint> ready = stackalloc uint[32];
        try
        {
            while (true)
            {
                var count = LinuxSockets.WaitReady(_set, ready);
                foreach (var number in ready[..count])
                {
                    if (number == StopNumber)
                    {
                        _ended.SetResult();
                        return;
                    }
                    _sinks[(int)number].Receive(_reader);
                }
            }
        }
        catch (Exception e)
        {
            _ended.SetException(e);
        }
    }
}
