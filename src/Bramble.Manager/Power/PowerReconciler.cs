using System.Collections.Concurrent;
using Bramble.Boot;
using Bramble.Manager.Configuration;
using Bramble.Manager.Events;
using Bramble.Manager.Nodes;
using Bramble.Manager.Nodes.Timeline;
using Bramble.Manager.Store;

namespace Bramble.Manager.Power;

/// <summary>
/// Brings each port to what is wanted of it: off, on, or off for a while and on again. The wish is in the store before
/// the port is touched, so a daemon that is killed between off and on goes on where it stopped.
/// </summary>
public sealed partial class PowerReconciler(
    BrambleOptions options, NodeRegistry nodes, PowerService power, BootTimeline timeline, EventLog events,
    TimeProvider clock, ILogger<PowerReconciler> logger) : IDisposable
{
    private static readonly TimeSpan s_findInterval = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_bound = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<long, Work> _works = new();
    private readonly SemaphoreSlim _parallel = new(64);

    /// <summary>Records a power cycle of a node; the next tick carries it out.</summary>
    public Task BeginCycleAsync(long nodeId, string why, string actor)
    {
        var now = clock.GetUtcNow();
        var (node, durable) = nodes.Observe(nodeId, status => status.Power is null
            ? status with { Power = new PowerOperation(why, now, now + options.Watchdog.OffTime, OffDone: false) }
            : status, actor);
        if (node is not null) events.Add("power.cycle", nodeId, node.Name, actor, why);
        return durable;
    }

    /// <summary>The last failure on this node's port since an instant, or null while there is none.</summary>
    public string? FailureSince(long nodeId, DateTimeOffset since) =>
        _works.TryGetValue(nodeId, out var work) && work.Failure is { } failure && work.FailedAt >= since
            ? failure : null;

    /// <summary>Whether the node's port is as wanted, by our last successful command.</summary>
    public static bool IsSettled(NodeSnapshot node) =>
        node.Status.Power is null && (node.Status.PowerSet ?? true) == node.Spec.PowerOn;

    public void Dispose() => _parallel.Dispose();

    /// <summary>Looks at every node and starts what is due; never waits for a device.</summary>
    public void Tick(CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        foreach (var node in nodes.All)
        {
            if (PowerService.PortOf(node) is { } port)
            {
                if (IsDue(node, now)) Start(node.Id, () => CarryOutAsync(node.Id, port, cancellation));
            }
            else if (node.Spec.PowerDevice is null && power.Drivers.Values.Any(d => d.CanFind))
            {
                Start(node.Id, () => FindAsync(node, cancellation));
            }
        }
    }

    private bool IsDue(NodeSnapshot node, DateTimeOffset now) => node.Status.Power is not { } operation
        ? !IsSettled(node)
        // Further off than a cycle takes: the clock was set back, and the board must not stay dark for it.
        : !operation.OffDone || operation.OnAt <= now || operation.OnAt - now > options.Watchdog.OffTime;

    private void Start(long nodeId, Func<Task<TimeSpan>> carryOut)
    {
        var work = _works.GetOrAdd(nodeId, static _ => new Work());
        if (work.Running || clock.GetElapsedTime(work.EndedAt) < work.Pause) return;
        work.Running = true;
        _ = RunAsync();

        async Task RunAsync()
        {
            var pause = TimeSpan.FromSeconds(5);
            try
            {
                await _parallel.WaitAsync().ConfigureAwait(false);
                try
                {
                    pause = await carryOut().ConfigureAwait(false);
                }
                finally
                {
                    _parallel.Release();
                }
            }
            catch (StoreException)
            {
                // The store says itself what is wrong with it; tried again after the pause.
            }
            catch (Exception e)
            {
                LogUnexpected(e, nodeId);
            }
            finally
            {
                (work.EndedAt, work.Pause) = (clock.GetTimestamp(), pause);
                work.Running = false;
            }
        }
    }

    private async Task<TimeSpan> CarryOutAsync(long nodeId, PowerPort port, CancellationToken cancellation)
    {
        // Durable before the port is touched: a daemon that is killed now must know that the board is to get its power
        // back.
        await nodes.KeptAsync(nodeId).ConfigureAwait(false);
        if (nodes.Find(nodeId) is not { } node) return TimeSpan.Zero;
        var operation = node.Status.Power;
        var on = operation is null ? node.Spec.PowerOn : operation.OffDone;
        using var patience = new CancellationTokenSource(s_bound, clock);
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation, patience.Token);
        try
        {
            await power.SetAsync(port, on, bound.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is PowerException or OperationCanceledException)
        {
            if (cancellation.IsCancellationRequested) return TimeSpan.Zero;
            return Fail(node, port, on, e is PowerException ? e.Message : $"{port} did not answer in a minute");
        }
        var now = clock.GetUtcNow();
        var detail = operation is null ? $"port {port}" : $"port {port}: {operation.Why}";
        Step(node, on ? "on" : "off", StepOutcome.Ok, detail);
        var (_, durable) = nodes.Update(nodeId, n => n with
        {
            Status = n.Status with
            {
                PowerSet = on,
                // A cycle that was asked for meanwhile is not done by this.
                Power = operation is null ? n.Status.Power : on ? null
                    : operation with { OffDone = true, OnAt = now + options.Watchdog.OffTime },
                RestartedGeneration = operation is not null && on
                    ? n.Spec.RestartGeneration : n.Status.RestartedGeneration,
            },
        }, "reconciler");
        await durable.ConfigureAwait(false);
        events.Add(on ? "power.on" : "power.off", nodeId, node.Name, "reconciler", $"port {port}");
        if (_works.TryGetValue(nodeId, out var work)) work.Failures = 0;
        return TimeSpan.Zero;
    }

    private TimeSpan Fail(NodeSnapshot node, PowerPort port, bool on, string why)
    {
        var work = _works[node.Id];
        work.Failure = why;
        work.FailedAt = clock.GetUtcNow();
        LogFailed(node.Name, on ? "on" : "off", why);
        Step(node, on ? "on" : "off", StepOutcome.Failed, why);
        if (work.Failures++ == 0) events.Add("power.failed", node.Id, node.Name, "reconciler", $"port {port}: {why}");
        return TimeSpan.FromSeconds(Math.Min(60, Math.Pow(2, work.Failures)));
    }

    private async Task<TimeSpan> FindAsync(NodeSnapshot node, CancellationToken cancellation)
    {
        foreach (var driver in power.Drivers.Values.Where(d => d.CanFind))
        {
            try
            {
                if (await driver.FindAsync(node.Mac, cancellation).ConfigureAwait(false) is not { } port) continue;
                nodes.Observe(node.Id, s => s with { FoundPowerDevice = port.Device, FoundPowerPort = port.Port },
                    "reconciler");
                events.Add("power.found", node.Id, node.Name, "reconciler", $"hangs at port {port}");
                return TimeSpan.Zero;
            }
            catch (PowerException e)
            {
                LogFindFailed(node.Name, e.Message);
            }
        }
        return s_findInterval;
    }

    private void Step(NodeSnapshot node, string what, StepOutcome outcome, string detail) => timeline.Add(node.Id,
        new BootStep(clock.GetUtcNow(), BootStage.Power, what, outcome, detail));

    private sealed class Work
    {
        public volatile bool Running;

        /// <summary>When the last try ended, on the clock that nobody sets, and how long to wait from then.</summary>
        public long EndedAt { get; set; }

        public TimeSpan Pause { get; set; }

        public string? Failure { get; set; }

        public DateTimeOffset FailedAt { get; set; }

        public int Failures { get; set; }
    }

    [LoggerMessage(3101, LogLevel.Warning, "{Node}: its port could not be turned {State}: {Why}")]
    private partial void LogFailed(string node, string state, string why);

    [LoggerMessage(3102, LogLevel.Warning, "{Node}: no switch could be asked for its port: {Why}")]
    private partial void LogFindFailed(string node, string why);

    [LoggerMessage(3103, LogLevel.Error, "Power work on node {NodeId} broke")]
    private partial void LogUnexpected(Exception exception, long nodeId);
}
