namespace Bramble.Boot.Dhcp;

/// <summary>
/// Things that are due later, on one timer. Bounded; what is due is handed over on the timer's thread.
/// </summary>
internal sealed class DelayQueue<T> : IDisposable
{
    private readonly TimeProvider _clock;
    private readonly Action<T> _due;
    private readonly int _capacity;
    private readonly long _start;
    private readonly ITimer _timer;
    private readonly Lock _gate = new();
    private readonly PriorityQueue<T, TimeSpan> _queue = new();
    private bool _disposed;

    /// <param name="due">Must not throw.</param>
    public DelayQueue(TimeProvider clock, int capacity, Action<T> due)
    {
        (_clock, _capacity, _due) = (clock, capacity, due);
        _start = clock.GetTimestamp();
        _timer = clock.CreateTimer(static state => ((DelayQueue<T>)state!).Fire(), this,
            Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public int Count
    {
        get
        {
            lock (_gate) return _queue.Count;
        }
    }

    /// <summary>False if the queue is full.</summary>
    public bool TryAdd(T item, TimeSpan delay)
    {
        lock (_gate)
        {
            if (_disposed || _queue.Count >= _capacity) return false;
            _queue.Enqueue(item, _clock.GetElapsedTime(_start) + delay);
            Arm();
        }
        return true;
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            _queue.Clear();
        }
        _timer.Dispose();
    }

    private void Fire()
    {
        while (true)
        {
            T item;
            lock (_gate)
            {
                if (!_queue.TryPeek(out _, out var at)) return;
                if (at > _clock.GetElapsedTime(_start))
                {
                    Arm();
                    return;
                }
                item = _queue.Dequeue();
            }
            _due(item);
        }
    }

    private void Arm()
    {
        if (!_queue.TryPeek(out _, out var at)) return;
        var wait = at - _clock.GetElapsedTime(_start);
        // Timers count in milliseconds: round up, or the last one would be spent spinning.
        var whole = TimeSpan.FromMilliseconds(Math.Ceiling(Math.Max(0, wait.TotalMilliseconds)));
        _timer.Change(whole, Timeout.InfiniteTimeSpan);
    }
}
