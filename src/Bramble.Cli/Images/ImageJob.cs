using System.Globalization;
using Bramble.Cli.Api;
using Bramble.Cli.Output;
using Bramble.Contracts.Api;
using Bramble.Contracts.Images;

namespace Bramble.Cli.Images;

/// <summary>Starts a job of the image store and follows it to its end.</summary>
internal static class ImageJob
{
    public static async Task<int> StartAsync(
        Session session, ImageJobRequest request, bool follow, CancellationToken cancellation)
    {
        var started = await session.Api.PostAsync(ApiRoutes.ImageJobs, request,
            ContractsJson.Default.ImageJobRequest, ContractsJson.Default.ImageJobView, cancellation);
        session.Say($"job {started.Value.Id} started; it goes on even if you stop watching it: bramble image jobs");
        if (!follow)
        {
            Show(session, started);
            return ExitCode.Ok;
        }
        var ended = await FollowAsync(session, started, cancellation);
        if (ended is not { } job)
        {
            session.Say($"gave up watching job {started.Value.Id}, which goes on; see 'bramble image jobs'");
            return ExitCode.Failed;
        }
        Show(session, job);
        if (job.Value.State == "done") return ExitCode.Ok;
        session.Say($"job {job.Value.Id} failed: {job.Value.Message}");
        return ExitCode.Failed;
    }

    /// <summary>Null if the time allowed has run out.</summary>
    private static async Task<Answer<ImageJobView>?> FollowAsync(
        Session session, Answer<ImageJobView> job, CancellationToken cancellation)
    {
        var path = ApiPath.Of(ApiRoutes.ImageJob, job.Value.Id.ToString(CultureInfo.InvariantCulture));
        using var deadline = session.Timeout is { } limit
            ? new DeadlineSource(limit, session.Terminal.Time, cancellation)
            : CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        try
        {
            var title = $"{job.Value.Kind} {job.Value.Name}";
            return await Meter.RunAsync<Answer<ImageJobView>?>(session, title, async report =>
            {
                var patience = new Patience(session);
                while (true)
                {
                    var look = await patience.TryAsync(
                        token => session.Api.GetAsync(path, ContractsJson.Default.ImageJobView, token), deadline.Token);
                    if (look is { Value: var now })
                    {
                        var text = now.Message is { Length: > 0 } message ? message : now.State;
                        report(new Advance(now.DoneBytes, now.TotalBytes, text));
                        if (now.State is "done" or "failed") return look;
                    }
                    await Task.Delay(Watch.Interval, session.Terminal.Time, deadline.Token);
                }
            });
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return null;
        }
    }

    private static void Show(Session session, Answer<ImageJobView> job) =>
        session.Printer.Show(job.Raw, () => ImageJobsCommand.Table([job.Value], session.Terminal.Time.GetUtcNow()));
}
