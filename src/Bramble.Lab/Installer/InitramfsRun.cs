using Bramble.Contracts.Installer;
using Bramble.Lab.Boards;

namespace Bramble.Lab.Installer;

/// <summary>The installer of Bramble's initramfs: time, hello, plans.</summary>
internal sealed class InitramfsRun(BoardRun run, RunningKernel kernel, string url, string token)
{
    private const int ClockTries = 3;

    /// <summary>Returns true to hand over to the installed system, false to restart the board.</summary>
    /// <exception cref="SessionOverException">Only a new boot brings a new token.</exception>
    public async Task<bool> RunAsync()
    {
        using var manager = new ManagerClient(run, url, run.Link.OpenHttp());
        await run.EnterAsync(BoardStage.Clock);
        var clock = await ReadClockAsync(manager);

        await run.EnterAsync(BoardStage.Hello, url);
        manager.Bearer = token;
        var plan = await manager.CallAsync(HttpMethod.Post, "/installer/v1/hello", Hello(clock));
        manager.Bearer = plan["session"]
            ?? throw new SessionOverException("the answer to hello has no session");
        while (true)
        {
            switch (plan["action"])
            {
                case "install":
                    if (await InstallAsync(manager, plan) == InstallEnd.Reboot) return false;
                    break;
                case "boot":
                    if (await BootAsync(manager, plan)) return true;
                    break;
                case "rescue":
                    await RescueAsync(manager, plan);
                    break;
                case "reboot":
                    return false;
                case "wait":
                    await run.EnterAsync(BoardStage.Waiting, plan["reason"] ?? "");
                    await RetryAsync(plan);
                    break;
                default:
                    await run.EnterAsync(BoardStage.Waiting, $"the plan's action \"{plan["action"]}\" is not known");
                    await RetryAsync(plan);
                    break;
            }
            plan = await manager.CallAsync(HttpMethod.Get, "/installer/v1/plan");
        }
    }

    // By HTTP, as the real installer does it: three tries, then on without.
    private async Task<long> ReadClockAsync(ManagerClient manager)
    {
        for (var i = 0; i < ClockTries; i++)
        {
            if (i > 0) await run.WaitAsync(TimeSpan.FromSeconds(1));
            try
            {
                if (await manager.TryCallAsync(HttpMethod.Get, "/installer/v1/time") is { } answer
                    && answer.Number("clock") is { } clock)
                    return clock;
            }
            catch (Exception e) when (e is SessionOverException or PlanOverException)
            {
                // It wants no authorisation; a manager that asks for one is an old one.
            }
        }
        return 0;
    }

    private InstallerMessage Hello(long clock)
    {
        var spec = run.Spec;
        var hello = new InstallerMessage()
            .Add("boot-id", kernel.BootId)
            .Add("mac", spec.Mac.ToString())
            .Add("serial", spec.LongSerial)
            .Add("model", spec.Traits.Name)
            .Add("arch", spec.Traits.Machine)
            .Add("kernel", SimulatedSystem.KernelVersion(spec))
            // The firmware and the kernel keep some for themselves.
            .Add("memory", spec.MemoryBytes / 100 * 97)
            .Add("clock", clock);
        if (!run.Disk.IsMissing)
        {
            hello.Add("disk", $"{spec.DiskName} {run.Disk.Size} {spec.DiskBus} {(run.Disk.IsReadOnly ? 1 : 0)} "
                + $"{spec.DiskSerial} {(run.Disk.IsBlank ? "blank" : "used")}");
        }
        return hello;
    }

    private async Task<InstallEnd> InstallAsync(ManagerClient manager, InstallerMessage message)
    {
        try
        {
            var plan = InstallPlan.Read(message);
            return await new InstallJob(run, manager, plan).RunAsync();
        }
        catch (FormatException e)
        {
            await run.EnterAsync(BoardStage.Waiting, e.Message);
            await RetryAsync(message);
        }
        catch (PlanOverException e)
        {
            await run.EnterAsync(BoardStage.Waiting, e.Message);
            await run.WaitAsync(TimeSpan.FromSeconds(1));
        }
        return InstallEnd.AskPlan;
    }

    private async Task<bool> BootAsync(ManagerClient manager, InstallerMessage plan)
    {
        var device = plan["root-device"] ?? "";
        if (run.Disk.Root is not null && device.StartsWith("/dev/" + run.Spec.DiskName, StringComparison.Ordinal))
        {
            await manager.TryCallAsync(HttpMethod.Post, "/installer/v1/progress", Step(plan, "boot", ""));
            return true;
        }
        var why = $"{device}: no {plan["init"] ?? "/sbin/init"} there: nothing whole is installed";
        await run.EnterAsync(BoardStage.Failed, why);
        await manager.CallAsync(HttpMethod.Post, "/installer/v1/progress", Step(plan, "failed", why));
        await RetryAsync(plan);
        return false;
    }

    private async Task RescueAsync(ManagerClient manager, InstallerMessage plan)
    {
        await run.EnterAsync(BoardStage.Rescue);
        try
        {
            var bundle = $"/installer/v1/rescue/{run.Spec.Traits.Architecture}";
            await manager.DownloadAsync(bundle, async (stream, cancellation) =>
            {
                await stream.CopyToAsync(Stream.Null, cancellation);
                return true;
            });
        }
        catch (PlanOverException e)
        {
            run.Note(BoardStage.Rescue, e.Message);
        }
        await manager.TryCallAsync(HttpMethod.Post, "/installer/v1/progress", Step(plan, "rescue", ""));
        await RetryAsync(plan);
    }

    private Task RetryAsync(InstallerMessage plan) =>
        run.WaitAsync(TimeSpan.FromSeconds(Math.Clamp(plan.Number("retry") ?? 15, 1, 900)));

    private static InstallerMessage Step(InstallerMessage plan, string step, string message)
    {
        var body = new InstallerMessage();
        if (plan["job"] is { } job) body.Add("job", job);
        body.Add("step", step).Add("done", 0).Add("total", 0);
        return message.Length == 0 ? body : body.Add("message", message);
    }
}
