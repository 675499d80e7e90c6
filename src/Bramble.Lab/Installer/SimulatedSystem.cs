using Bramble.Lab.Boards;
using Bramble.Lab.Dhcp;
using Bramble.Lab.Firmware;
using Bramble.Lab.Images;
using Bramble.Lab.Rom;

namespace Bramble.Lab.Installer;

/// <summary>Plays the kernel, Bramble's initramfs and the installed system; everything that they say is real.</summary>
internal sealed class SimulatedSystem : IBoardSystem
{
    /// <summary>The version that a board's kernel says it has.</summary>
    public static string KernelVersion(BoardSpec board) =>
        SyntheticContent.KernelVersions(board.Traits.Architecture)[0];

    /// <summary>What the installer waits before it restarts a board whose token is over.</summary>
    private const long DefaultGraceSeconds = 60;

    public async Task RunAsync(BoardRun run)
    {
        var files = run.Spec.Traits.Pc is null ? await BootRom.RunAsync(run, _ => null) : await PcRom.RunAsync(run);
        run.Link.Address = default;
        await run.EnterAsync(BoardStage.Kernel, files.Kernel);
        var system = new RunningKernel(run, Guid.NewGuid().ToString());
        await run.PaceAsync(run.Spec.Traits.KernelDelay);
        if (files.Initramfs is null) await run.StayAsync(BoardStage.Stuck, "kernel panic: no initramfs and no root=");

        await run.EnterAsync(BoardStage.Address);
        var keeper = new LeaseKeeper(run, PlainDhcpKind.Udhcpc, "");
        var lease = await keeper.ObtainAsync(BoardStage.Address);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(run.Cancellation);
        var kept = keeper.KeepAsync(lease, over.Token);
        try
        {
            var grace = TimeSpan.FromSeconds(
                long.TryParse(files.Word("bramble.grace"), out var seconds) ? seconds : DefaultGraceSeconds);
            if (files.Word("bramble.url") is not { } url)
            {
                run.Note(BoardStage.Address, "the kernel command line has no bramble.url; restarts soon");
                await run.WaitAsync(grace);
                return;
            }
            bool boots;
            try
            {
                boots = await new InitramfsRun(run, system, url, files.Word("bramble.token") ?? "").RunAsync();
            }
            catch (SessionOverException e)
            {
                run.Note(run.Stage, $"{e.Message}; restarts in {grace.TotalSeconds:0} s");
                await run.WaitAsync(grace);
                return;
            }
            if (!boots) return;
        }
        finally
        {
            await over.CancelAsync();
            await kept.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        await new InstalledSystem(run, system, run.Disk.Root!).RunAsync();
    }

    public void Dispose()
    {
        // Nothing is held.
    }
}

/// <summary>A kernel since its start: its boot id and its uptime.</summary>
internal sealed class RunningKernel(BoardRun run, string bootId)
{
    private readonly TimeSpan _start = run.Now;

    public string BootId => bootId;

    public long UptimeSeconds => (long)(run.Now - _start).TotalSeconds;
}
