using Bramble.Boot.Sockets;
using Microsoft.Win32.SafeHandles;

namespace Bramble.Boot.Tftp;

/// <summary>
/// A thread that receives for some lanes: it sleeps until one of their sockets has something, then takes all of that in
/// one call. Under load a batch is as large as what arrived while the last one was answered.
/// </summary>
internal sealed class TftpPump : IDisposable
{
    /// <summary>Packets of clients are ACKs and ERRORs; what is longer is cut and still understood.</summary>
    private const int ReceiveSize = 1024;

    /// <summary>Packets taken from a lane in one turn, so that a flood at one leaves the others theirs.</summary>
    private const int BatchSize = 64;

    private const uint StopNumber = uint.MaxValue;

    private readonly IReadOnlyList<TftpLane> _lanes;
    private readonly SafeFileHandle _set = LinuxSockets.NewReadinessSet();
    private readonly SafeFileHandle _stop = LinuxSockets.NewWakeUp();
    private readonly DatagramReader _reader = new(BatchSize, ReceiveSize);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TftpPump(IReadOnlyList<TftpLane> lanes)
    {
        _lanes = lanes;
        LinuxSockets.Watch(_set, _stop, StopNumber);
        for (var i = 0; i < lanes.Count; i++) LinuxSockets.Watch(_set, lanes[i].Handle, (uint)i);
        new Thread(Run) { Name = "TFTP", IsBackground = true }.Start();
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
                    _lanes[(int)number].Receive(_reader);
                }
            }
        }
        catch (Exception e)
        {
            _ended.SetException(e);
        }
    }
}
