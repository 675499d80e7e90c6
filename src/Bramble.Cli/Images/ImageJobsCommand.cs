using System.CommandLine;
using Bramble.Cli.Output;
using Bramble.Contracts.Api;
using Bramble.Contracts.Images;
using Spectre.Console;

namespace Bramble.Cli.Images;

internal static class ImageJobsCommand
{
    public static Command Create(CommandSet set)
    {
        var watch = new Option<bool>("--watch", "-w") { Description = "Go on showing it until interrupted" };
        var command = new HelpfulCommand("jobs", "List the jobs of the image store",
            "Fetches and builds, running and ended. They survive a restart of the manager.",
            "bramble image jobs --watch")
        {
            watch,
        };
        return set.Handle(command, async (session, cancellation) =>
        {
            Task<Api.Answer<IReadOnlyList<ImageJobView>>> Fetch(CancellationToken token) =>
                session.Api.GetAsync(ApiRoutes.ImageJobs, ContractsJson.Default.IReadOnlyListImageJobView, token);
            if (session.Value(watch))
            {
                return await Watch.RunAsync(session, Fetch,
                    jobs => Table(jobs, session.Terminal.Time.GetUtcNow()).Shape,
                    jobs => string.Join('\n', jobs.Select(j => $"{j.Id} {j.State} {j.Message}")), cancellation);
            }
            var answer = await Fetch(cancellation);
            session.Printer.Show(answer.Raw, () => Table(answer.Value, session.Terminal.Time.GetUtcNow()));
            return ExitCode.Ok;
        });
    }

    public static Sheet Table(IReadOnlyList<ImageJobView> jobs, DateTimeOffset now)
    {
        var sheet = new Sheet("ID", "KIND", "IMAGE", "STATE", "DONE", "AGE", "MESSAGE");
        foreach (var job in jobs)
        {
            var look = job.State switch
            {
                "done" => Styles.Good,
                "failed" => Styles.Bad,
                "running" => Styles.Busy,
                _ => Style.Plain,
            };
            sheet.Add(job.Id, job.Kind, job.Name, new Cell(job.State, look),
                Human.Percent(job.DoneBytes, job.TotalBytes), Human.Age(job.CreatedAt, now), job.Message);
        }
        return sheet;
    }
}
