using Bramble.Contracts.Installer;
using Bramble.Lab.Boards;

namespace Bramble.Lab.Installer;

/// <summary>
/// Says how far an install is: at each step's start, every 5 s or 5 %, and at the end until it is heard.
/// </summary>
internal sealed class Progress(BoardRun run, ManagerClient manager, string job)
{
    private const string Path = "/installer/v1/progress";

    private TimeSpan _saidAt;
    private long _saidPercent;

    public Task StartAsync(BoardStage stage, long total)
    {
        _saidPercent = 0;
        return SayAsync(BoardRun.Word(stage), 0, total);
    }

    public async Task AtAsync(BoardStage stage, long done, long total)
    {
        var percent = total == 0 ? 100 : done * 100 / total;
        if (percent - _saidPercent < 5 && run.Now - _saidAt < TimeSpan.FromSeconds(5) && done < total) return;
        _saidPercent = percent;
        run.Note(stage, $"{percent} %");
        await SayAsync(BoardRun.Word(stage), done, total);
    }

    /// <summary>Repeated until it is answered.</summary>
    /// <exception cref="InstallEndedException">What the answer asks for.</exception>
    public async Task DurableAsync(string step, long done, long total, string? message) =>
        Obey(await manager.CallAsync(HttpMethod.Post, Path, Body(step, done, total, message)));

    private async Task SayAsync(string step, long done, long total)
    {
        _saidAt = run.Now;
        var body = Body(step, done, total, null);
        if (await manager.TryCallAsync(HttpMethod.Post, Path, body) is { } answer) Obey(answer);
    }

    private InstallerMessage Body(string step, long done, long total, string? message)
    {
        var body = new InstallerMessage().Add("job", job).Add("step", step).Add("done", done).Add("total", total);
        return message is null ? body : body.Add("message", message);
    }

    private static void Obey(InstallerMessage answer)
    {
        switch (answer["answer"])
        {
            case "plan":
                throw new InstallEndedException(InstallEnd.AskPlan);
            case "reboot":
                throw new InstallEndedException(InstallEnd.Reboot);
        }
    }
}
