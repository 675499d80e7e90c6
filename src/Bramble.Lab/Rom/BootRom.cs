using Bramble.Lab.Boards;
using Bramble.Lab.Dhcp;
using Bramble.Lab.Tftp;
using Bramble.Wire.Dhcp;

namespace Bramble.Lab.Rom;

/// <summary>A board's boot ROM and firmware: from power to a kernel in memory.</summary>
internal static class BootRom
{
    /// <summary>TFTP_FILE_TIMEOUT of a Pi 4 and 5; a Pi 3 is only known to give up when nothing comes.</summary>
    private static readonly TimeSpan FileLimit = TimeSpan.FromSeconds(30);

    /// <summary>Until BOOT_ORDER <c>0xf21</c> comes round to the network again: card slot, link, restart.</summary>
    private static readonly TimeSpan NextRound = TimeSpan.FromSeconds(8);

    /// <summary>
    /// Returns when everything is loaded. A Pi 3 that fails stays where it is; a Pi 4 or 5 starts over.
    /// </summary>
    public static async Task<BootFiles> RunAsync(BoardRun run, Func<string, Stream?> keep)
    {
        while (true)
        {
            run.Link.Address = default;
            await run.EnterAsync(BoardStage.Rom);
            await run.PaceAsync(run.Spec.Traits.RomDelay);
            await run.EnterAsync(BoardStage.Dhcp);
            string why;
            if (await AskAsync(run) is { } lease)
            {
                run.Link.Address = lease.Address;
                await run.EnterAsync(BoardStage.Tftp, $"from {lease.TftpServer}");
                run.Link.AskWho(lease.TftpServer);
                try
                {
                    return await new FirmwareOrder(run.Spec, new Files(run, lease), keep).RunAsync();
                }
                catch (BootStoppedException e)
                {
                    why = e.Message;
                }
            }
            else if (run.Spec.Traits.IsPi3)
            {
                await run.StayAsync(BoardStage.Silent, "DISCOVER five times without an answer");
                throw new InvalidOperationException("a silent board went on");
            }
            else
            {
                why = "no answer to DISCOVER within 45 s";
            }
            if (run.Spec.Traits.IsPi3) await run.StayAsync(BoardStage.Stuck, why);
            run.Note(BoardStage.Rom, $"{why}; the next in BOOT_ORDER");
            await run.PaceAsync(NextRound);
        }
    }

    /// <summary>FW#934: a 3B locks up if both answers come within 2 s of its DISCOVER.</summary>
    public static bool LocksUp(BoardModel model, TimeSpan offerAfter, TimeSpan tftpAfter, TimeSpan window) =>
        model == BoardModel.Pi3B && offerAfter < window && tftpAfter < window;

    private static Task<DhcpLease?> AskAsync(BoardRun run)
    {
        IDhcpClient client = run.Spec.Traits.IsPi3 ? new Pi3RomDhcp(run.Spec) : new EepromDhcp(run.Spec, run.Random);
        var sent = 0;
        return DhcpRun.RunAsync(client, run.Link, () => run.Now,
            packet => run.Note(BoardStage.Dhcp, $"{Name(packet)} {++sent}"), run.Cancellation);
    }

    private static string Name(DhcpPacket packet) => packet.MessageType.ToString().ToUpperInvariant();

    /// <summary>TFTP over the board's link.</summary>
    private sealed class Files(BoardRun run, DhcpLease lease) : IRomFiles
    {
        private bool _answered;

        public async Task<TftpResult> GetAsync(string path, TftpHabits habits, bool probe, Stream? sink)
        {
            run.Note(BoardStage.Tftp, path);
            var fetch = new TftpFetch(path, habits, probe, sink);
            var locked = false;
            try
            {
                var result = await TftpClient.FetchAsync(run.Link, run.Time, lease.TftpServer, fetch, FileLimit,
                    perBlock: run.Spec.Traits.IsPi3, () =>
                {
                    // From its first block to the file's end a 3B does not answer ARP.
                    run.Link.ArpMuted = run.Spec.Model == BoardModel.Pi3B;
                    locked = !_answered && BootRom.LocksUp(run.Spec.Model, lease.GrantedAt - lease.AskedAt,
                        run.Now - lease.AskedAt, run.Pace.Pi3Window);
                    _answered = true;
                    if (locked) fetch.Fail("locked up");
                }, run.Cancellation);
                if (locked)
                {
                    run.Link.Address = default;
                    await run.StayAsync(BoardStage.Hung,
                        $"a 3B whose DHCP and TFTP are both answered within {run.Pace.Pi3Window.TotalSeconds:0.#} s");
                }
                return result;
            }
            finally
            {
                run.Link.ArpMuted = false;
            }
        }
    }
}
