using System.Collections.Concurrent;
using System.Text.Json;
using System.Threading.Channels;
using Bramble.Boot.Images;
using Bramble.Contracts.Api;
using Bramble.Contracts.Images;
using Bramble.Manager.Events;
using Bramble.Manager.Store;
using Dapper;

namespace Bramble.Manager.Images;

/// <summary>
/// Fetches and builds of images, one at a time. A job is in the store before it is acknowledged; one that a killed
/// daemon left unfinished is begun again at the next start (a fetch resumes what it can, a build starts anew).
/// </summary>
public sealed partial class ImageJobs(
    Database database, ImageStore images, InstallerImages installers, EventLog events, TimeProvider clock,
    ILogger<ImageJobs> logger)
{
    private const int QueueBound = 100;
    private const int EndedKept = 50;

    private readonly ConcurrentDictionary<long, Job> _jobs = new();
    private readonly Channel<Job> _queue = Channel.CreateBounded<Job>(QueueBound);
    private long _lastId;

    public IReadOnlyList<ImageJobView> All => [.. _jobs.Values.Select(job => job.View).OrderByDescending(v => v.Id)];

    public ImageJobView? Find(long id) => _jobs.TryGetValue(id, out var job) ? job.View : null;

    /// <summary>Takes up what an earlier daemon left. Called once, before the first request.</summary>
    public void Restore()
    {
        var rows = database.Read(c => c.Query<Row>(
            """
            SELECT id, request, state, message, created_at AS CreatedAt, ended_at AS EndedAt
            FROM image_jobs ORDER BY id
            """));
        foreach (var row in rows)
        {
            var request = JsonSerializer.Deserialize(row.Request, ContractsJson.Default.ImageJobRequest)!;
            var job = new Job(request, new ImageJobView(row.Id, request.Kind, request.Name,
                row.State == "running" ? "queued" : row.State, row.Message, 0, 0,
                DateTimeOffset.FromUnixTimeMilliseconds(row.CreatedAt),
                row.EndedAt is { } ended ? DateTimeOffset.FromUnixTimeMilliseconds(ended) : null));
            _jobs[row.Id] = job;
            _lastId = Math.Max(_lastId, row.Id);
            if (job.View.State == "queued") _queue.Writer.TryWrite(job);
        }
    }

    /// <summary>Queues a job and returns once it is durable.</summary>
    /// <exception cref="ImageException">The request makes no sense, or too many jobs wait.</exception>
    public async Task<ImageJobView> AddAsync(ImageJobRequest request, string actor)
    {
        Check(request);
        if (images.Find(request.Name) is { } there && there.Name == request.Name)
            throw new ImageException(
                $"there is an image '{request.Name}' already; remove it first or choose another name");
        if (_jobs.Values.Any(j => j.View.State is "queued" or "running" && j.Request.Name == request.Name))
            throw new ImageException($"a job for '{request.Name}' is under way already");
        var job = new Job(request, new ImageJobView(Interlocked.Increment(ref _lastId), request.Kind, request.Name,
            "queued", "", 0, 0, clock.GetUtcNow(), null));
        _jobs[job.View.Id] = job;
        try
        {
            await SaveAsync(job).ConfigureAwait(false);
        }
        catch
        {
            _jobs.TryRemove(job.View.Id, out _);
            throw;
        }
        if (!_queue.Writer.TryWrite(job))
        {
            await EndAsync(job, "failed", $"{QueueBound} jobs wait already").ConfigureAwait(false);
            throw new ImageException($"{QueueBound} jobs wait already; try again when some are done");
        }
        events.Add("image.job", null, null, actor, $"{request.Kind} {request.Name} (job {job.View.Id})");
        return job.View;
    }

    public async Task RunAsync(CancellationToken cancellation)
    {
        await foreach (var job in _queue.Reader.ReadAllAsync(cancellation).ConfigureAwait(false))
            await CarryOutAsync(job, cancellation).ConfigureAwait(false);
    }

    private async Task CarryOutAsync(Job job, CancellationToken cancellation)
    {
        job.View = job.View with { State = "running" };
        var progress = new Progress(job);
        try
        {
            await SaveAsync(job).ConfigureAwait(false);
            var request = job.Request;
            // A kill between the image's birth and the note of it: the image is there, so the job is done.
            var image = images.Find(request.Name) is { } there && there.Name == request.Name ? there
                : request.Kind == "fetch"
                    ? await images.FetchAsync(new Uri(request.Url!), request.Name,
                        new ImageAddOptions(request.Sha256, request.Architecture), progress, cancellation)
                        .ConfigureAwait(false)
                    : await images.BuildDebianAsync(Recipe(request), progress, cancellation).ConfigureAwait(false);
            progress.Report(new ImageProgress("building the installer's initramfs", 0, null));
            image = await installers.EnsureAsync(image, cancellation).ConfigureAwait(false);
            await EndAsync(job, "done", $"{image.SizeBytes:N0} bytes, {image.OsName}").ConfigureAwait(false);
            events.Add("image.added", null, null, "image-job", $"{image.Name} ({image.Digest[..12]})");
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // The daemon is stopping; the job stays 'running' in the store and is begun again at the next start.
            throw;
        }
        catch (Exception e)
        {
            LogFailed(e, job.View.Kind, job.View.Name);
            await EndAsync(job, "failed", e.Message).ConfigureAwait(false);
            events.Add("image.failed", null, null, "image-job", $"{job.View.Name}: {e.Message}");
        }
    }

    private async Task EndAsync(Job job, string state, string message)
    {
        job.View = job.View with { State = state, Message = message, EndedAt = clock.GetUtcNow() };
        try
        {
            await SaveAsync(job).ConfigureAwait(false);
        }
        catch (StoreException e)
        {
            // It is begun again at the next start, and finds the image there if it was done.
            LogNotKept(e, job.View.Id);
        }
        var ended = _jobs.Values.Where(j => j.View.EndedAt is not null).OrderByDescending(j => j.View.Id);
        foreach (var old in ended.Skip(EndedKept))
        {
            if (!_jobs.TryRemove(old.View.Id, out _)) continue;
            database.Post(c => c.Execute("DELETE FROM image_jobs WHERE id = @id", new { id = old.View.Id }));
        }
    }

    private Task SaveAsync(Job job)
    {
        var view = job.View;
        var request = JsonSerializer.Serialize(job.Request, ContractsJson.Default.ImageJobRequest);
        return database.WriteAsync(c => c.Execute(
            """
            INSERT INTO image_jobs (id, request, state, message, created_at, ended_at)
            VALUES (@Id, @request, @State, @Message, @createdAt, @endedAt)
            ON CONFLICT (id) DO UPDATE SET state = excluded.state, message = excluded.message,
                ended_at = excluded.ended_at
            """,
            new
            {
                view.Id,
                request,
                view.State,
                view.Message,
                createdAt = view.CreatedAt.ToUnixTimeMilliseconds(),
                endedAt = view.EndedAt?.ToUnixTimeMilliseconds(),
            }));
    }

    private static void Check(ImageJobRequest request)
    {
        switch (request.Kind)
        {
            case "fetch" when Uri.TryCreate(request.Url, UriKind.Absolute, out var url)
                && url.Scheme is "http" or "https":
            case "build-debian" when request.Architecture is "arm64" or "amd64" or "armhf":
                return;
            case "fetch":
                throw new ImageException($"'{request.Url}' is not an http or https URL");
            case "build-debian":
                throw new ImageException($"'{request.Architecture}' is none of arm64, amd64, armhf");
            default:
                throw new ImageException($"'{request.Kind}' is none of fetch, build-debian");
        }
    }

    private static DebianRecipe Recipe(ImageJobRequest request)
    {
        var recipe = new DebianRecipe(request.Name, request.Architecture!)
        {
            ExtraPackages = request.Packages ?? [],
            Slim = request.Slim,
        };
        return request.Suite is { } suite ? recipe with { Suite = suite } : recipe;
    }

    private sealed class Job(ImageJobRequest request, ImageJobView view)
    {
        private volatile ImageJobView _view = view;

        public ImageJobRequest Request { get; } = request;

        public ImageJobView View
        {
            get => _view;
            set => _view = value;
        }
    }

    private sealed class Progress(Job job) : IProgress<ImageProgress>
    {
        public void Report(ImageProgress value) => job.View = job.View with
        {
            Message = value.Stage,
            DoneBytes = value.DoneBytes,
            TotalBytes = value.TotalBytes ?? 0,
        };
    }

    private sealed record Row(long Id, string Request, string State, string Message, long CreatedAt, long? EndedAt);

    [LoggerMessage(2402, LogLevel.Error, "The end of image job {Id} could not be kept")]
    private partial void LogNotKept(Exception exception, long id);

    [LoggerMessage(2401, LogLevel.Error, "The image job {Kind} {Name} failed")]
    private partial void LogFailed(Exception exception, string kind, string name);
}
