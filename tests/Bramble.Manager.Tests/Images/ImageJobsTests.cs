using Bramble.Boot.Images;
using Bramble.Boot.Initramfs;
using Bramble.Contracts.Images;
using Bramble.Manager.Images;
using Dapper;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bramble.Manager.Tests.Images;

/// <summary>Long jobs on images are on the record before they are acknowledged, and go on after a restart.</summary>
public sealed class ImageJobsTests(TestImages images) : IAsyncLifetime
{
    private readonly Rig _rig = new();
    private ImageStore _store = null!;
    private InitramfsBuilder _builder = null!;
    private ImageJobs _jobs = null!;

    public async ValueTask InitializeAsync()
    {
        _store = await images.StoreAsync();
        _builder = new InitramfsBuilder(_store, NullLogger<InitramfsBuilder>.Instance);
        Open();
    }

    public async ValueTask DisposeAsync()
    {
        _builder.Dispose();
        await _rig.DisposeAsync();
    }

    private void Open() => _jobs = new ImageJobs(
        _rig.Database, _store, new InstallerImages(_store, _builder, _rig.Clock,
        NullLogger<InstallerImages>.Instance), _rig.Events, _rig.Clock, NullLogger<ImageJobs>.Instance);

    /// <summary>A port of loopback at which nobody listens, so that each fetch ends at once.</summary>
    private static ImageJobRequest Fetch(string name) =>
        new() { Kind = "fetch", Name = name, Url = "http://127.0.0.1:9/none.img", Sha256 = new string('x', 64) };

    private async Task RestartAsync()
    {
        await _rig.RestartAsync();
        Open();
        _jobs.Restore();
    }

    private async Task RunUntilEndedAsync(long id)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Scratch.Cancellation);
        var running = _jobs.RunAsync(stop.Token);
        await Scratch.UntilAsync(() => _jobs.Find(id)!.EndedAt is not null, "the job has ended");
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    [Fact]
    public async Task A_job_that_waits_survives_a_restart_and_one_that_was_running_begins_again()
    {
        var first = await _jobs.AddAsync(Fetch("one"), "me");
        await _jobs.AddAsync(Fetch("two"), "me");
        await _rig.Database.PutAsync(c => c.Execute("UPDATE image_jobs SET state = 'running' WHERE id = 1"));
        await RestartAsync();
        Assert.Equal(["2 two queued", "1 one queued"], _jobs.All.Select(j => $"{j.Id} {j.Name} {j.State}"));
        Assert.Equal(first.CreatedAt, _jobs.Find(1)!.CreatedAt);
        Assert.Equal(3, (await _jobs.AddAsync(Fetch("three"), "me")).Id);
    }

    [Fact]
    public async Task A_failure_is_recorded_with_its_cause_and_does_not_hold_up_the_next()
    {
        await _jobs.AddAsync(Fetch("one"), "me");
        await _jobs.AddAsync(Fetch("two"), "me");
        await RunUntilEndedAsync(2);
        await RestartAsync();
        var job = _jobs.Find(1)!;
        Assert.Equal("failed", job.State);
        Assert.Contains("SHA-256", job.Message, StringComparison.Ordinal);
        Assert.NotNull(job.EndedAt);
        Assert.Equal(2, (await _rig.Events.TailAsync(10, null)).Count(e => e.Kind == "image.failed"));
        // What failed may be asked for again.
        await _jobs.AddAsync(Fetch("one"), "me");
    }

    [Fact]
    public async Task A_name_that_is_taken_or_under_way_is_refused()
    {
        await _jobs.AddAsync(Fetch("one"), "me");
        Assert.Equal("a job for 'one' is under way already",
            (await Assert.ThrowsAsync<ImageException>(() => _jobs.AddAsync(Fetch("one"), "me"))).Message);
        Assert.StartsWith("there is an image 'debian' already",
            (await Assert.ThrowsAsync<ImageException>(() => _jobs.AddAsync(Fetch("debian"), "me"))).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("fetch", "ftp://x/y", null, "'ftp://x/y' is not an http or https URL")]
    [InlineData("fetch", null, null, "'' is not an http or https URL")]
    [InlineData("build-debian", null, "mips", "'mips' is none of arm64, amd64, armhf")]
    [InlineData("dance", null, null, "'dance' is none of fetch, build-debian")]
    public async Task What_makes_no_sense_is_refused_in_words(
        string kind, string? url, string? architecture, string message)
    {
        var request = new ImageJobRequest { Kind = kind, Name = "x", Url = url, Architecture = architecture };
        Assert.Equal(message, (await Assert.ThrowsAsync<ImageException>(() => _jobs.AddAsync(request, "me"))).Message);
        Assert.Empty(_jobs.All);
    }

    [Fact]
    public async Task Too_many_jobs_are_refused_and_the_refused_one_does_not_stay()
    {
        for (var i = 0; i < 100; i++) await _jobs.AddAsync(Fetch($"n{i}"), "me");
        Assert.StartsWith("100 jobs wait already",
            (await Assert.ThrowsAsync<ImageException>(() => _jobs.AddAsync(Fetch("more"), "me"))).Message,
            StringComparison.Ordinal);
        Assert.Equal("failed", _jobs.All.Single(j => j.Name == "more").State);
    }

    [Fact]
    public async Task A_job_that_the_store_does_not_take_is_not_there()
    {
        await _rig.Database.PutAsync(c => c.Execute("DROP TABLE image_jobs"));
        await Assert.ThrowsAnyAsync<Exception>(() => _jobs.AddAsync(Fetch("one"), "me"));
        Assert.Empty(_jobs.All);
    }
}
