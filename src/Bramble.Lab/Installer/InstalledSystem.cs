using Bramble.Contracts.Installer;
using Bramble.Lab.Boards;
using Bramble.Lab.Dhcp;
using Bramble.Lab.Disks;
using Bramble.Wire;

namespace Bramble.Lab.Installer;

/// <summary>The system on the disk: takes an address like any host, and reports in with its credential.</summary>
internal sealed class InstalledSystem(BoardRun run, RunningKernel kernel, InstalledRoot root)
{
    private const long DefaultSeconds = 30;

    /// <summary>Returns when the manager asks for a restart.</summary>
    public async Task RunAsync()
    {
        run.Link.Address = default;
        await run.EnterAsync(BoardStage.Booting, root.HostName);
        await run.PaceAsync(run.Spec.Traits.SystemDelay);
        var keeper = new LeaseKeeper(run, PlainDhcpKind.System, root.HostName);
        while (true)
        {
            var lease = await keeper.ObtainAsync(run.Stage);
            await SetClockAsync(lease);
            using var over = CancellationTokenSource.CreateLinkedTokenSource(run.Cancellation);
            var reports = ReportAsync(over.Token);
            var kept = keeper.KeepAsync(lease, over.Token);
            var first = await Task.WhenAny(reports, kept);
            await over.CancelAsync();
            await Task.WhenAll(reports, kept).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            run.Cancellation.ThrowIfCancellationRequested();
            if (first == reports)
            {
                await reports;
                return;
            }
            // The lease is lost: start over, as a DHCP client does.
        }
    }

    // An installed system keeps time by SNTP. It starts all the same if nobody tells it.
    private async Task SetClockAsync(DhcpLease lease)
    {
        var server = !lease.TimeServer.IsAny ? lease.TimeServer
            : IPv4Address.TryParse(new Uri(root.ReportUrl).Host, out var manager) ? manager
            : lease.Server;
        if (await SntpQuery.AskAsync(run, server) is null) run.Note(run.Stage, $"no time from {server}");
    }

    /// <summary>Returns when the manager asks for a restart.</summary>
    private async Task ReportAsync(CancellationToken cancellation)
    {
        using var manager = new ManagerClient(run, root.ReportUrl, run.Link.OpenHttp()) { Bearer = root.Credential };
        while (!cancellation.IsCancellationRequested)
        {
            var seconds = DefaultSeconds;
            try
            {
                if (await manager.TryCallAsync(HttpMethod.Post, "/node/v1/report", Report()) is { } answer)
                {
                    run.Count(state => state with { Reports = state.Reports + 1 });
                    seconds = Math.Clamp(answer.Number("next") ?? DefaultSeconds, 1, 900);
                    if (run.Stage != BoardStage.Running) await run.EnterAsync(BoardStage.Running, root.HostName);
                    if (answer["action"] == "reboot") return;
                }
                else
                {
                    run.Note(run.Stage, $"report not heard: {manager.LastError}");
                    seconds = 5;
                }
            }
            catch (Exception e) when (e is SessionOverException or PlanOverException)
            {
                run.Note(run.Stage, $"report refused: {e.Message}");
            }
            await Task.Delay(TimeSpan.FromSeconds(seconds), run.Time, cancellation);
        }
    }

    private InstallerMessage Report() => new InstallerMessage()
        .Add("job", root.Job)
        .Add("boot-id", kernel.BootId)
        .Add("hostname", root.HostName)
        .Add("kernel", SimulatedSystem.KernelVersion(run.Spec))
        .Add("uptime", kernel.UptimeSeconds);
}
