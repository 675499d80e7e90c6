namespace Bramble.Testing;

/// <summary>
/// A clock that stands still until a test moves it. Timers fire on the thread that advances the time.
/// </summary>
public sealed class ManualTimeProvider(DateTimeOffset? start = null) : TimeProvider
{
    private readonly Lock _lock = new();
    private readonly List<ManualTimer> _timers = [];
    private DateTimeOffset _now = start ?? new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private long _monotonic;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock) return _now;
    }

    public override long GetTimestamp()
    {
        lock (_lock) return _monotonic;
    }

    /// <summary>How long until the next timer is due; null if none is set.</summary>
    public TimeSpan? NextDue
    {
        get
        {
            lock (_lock)
                return _timers.MinBy(t => t.Due) is { } next ? TimeSpan.FromTicks(next.Due - _monotonic) : null;
        }
    }

    /// <summary>Moves the wall clock alone, as an operator or an NTP step does; no timer fires.</summary>
    public void JumpWallClock(TimeSpan by)
    {
        lock (_lock) _now += by;
    }

    /// <summary>Lets time pass: due timers fire in order, each at its own instant.</summary>
    public void Advance(TimeSpan by)
    {
        long target;
        lock (_lock) target = _monotonic + by.Ticks;
        while (true)
        {
            ManualTimer? due;
            lock (_lock)
            {
                due = _timers.Where(t => t.Due <= target).MinBy(t => t.Due);
                var to = due?.Due ?? target;
                if (to > _monotonic)
                {
                    _now += TimeSpan.FromTicks(to - _monotonic);
                    _monotonic = to;
                }
                if (due is null) return;
                due.Rearm();
            }
            due.Fire();
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private sealed class ManualTimer(ManualTimeProvider clock, TimerCallback callback, object? state) : ITimer
    {
        private TimeSpan _period;

        public long Due { get; private set; } = long.MaxValue;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (clock._lock)
            {
                _period = period;
                clock._timers.Remove(this);
                Due = dueTime == Timeout.InfiniteTimeSpan ? long.MaxValue : clock._monotonic + dueTime.Ticks;
                if (Due != long.MaxValue) clock._timers.Add(this);
            }
            return true;
        }

        public void Rearm()
        {
            if (_period > TimeSpan.Zero)
            {
                Due += _period.Ticks;
            }
            else
            {
                Due = long.MaxValue;
                clock._timers.Remove(this);
            }
        }

        public void Fire() => callback(state);

        public void Dispose()
        {
            lock (clock._lock) clock._timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
