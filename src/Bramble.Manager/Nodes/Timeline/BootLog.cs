using Bramble.Boot;
using Bramble.Contracts.Nodes;

namespace Bramble.Manager.Nodes.Timeline;

/// <summary>How a boot stands.</summary>
public enum BootOutcome
{
    Going,
    Running,
    Stopped,
}

/// <summary>
/// One boot's steps in order. Like steps in a row become one line with a count; a boot that never ends keeps its first
/// and its newest steps. Not thread-safe: <see cref="BootTimeline"/> holds the lock.
/// </summary>
internal sealed class BootLog(long id)
{
    private const int StepBound = 400;

    private readonly List<TimelineStep> _steps = [];

    /// <summary>The start in milliseconds since 1970: rising, and so the boot's name.</summary>
    public long Id { get; } = id;

    public DateTimeOffset LastAt { get; private set; } = DateTimeOffset.FromUnixTimeMilliseconds(id);

    public BootOutcome Outcome { get; private set; }

    public string Verdict { get; private set; } = "";

    /// <summary>Something came after DHCP: the next DISCOVER of a boot loader is another boot.</summary>
    public bool PastDhcp { get; private set; }

    /// <summary>
    /// Something came after TFTP, by which a boot ROM fetches its loader: the loader's DISCOVER is another boot.
    /// </summary>
    public bool PastLoader { get; private set; }

    public bool Dirty { get; set; }

    public IReadOnlyList<TimelineStep> Steps => _steps;

    public void Add(BootStep step)
    {
        LastAt = step.At;
        Dirty = true;
        if (step.Stage is not (BootStage.Dhcp or BootStage.Power)) PastDhcp = true;
        if (step.Stage is not (BootStage.Dhcp or BootStage.Power or BootStage.Tftp)) PastLoader = true;
        var entry = new TimelineStep(
            step.At, Word(step.Stage), step.What, Word(step.Outcome), step.Detail, 1);
        if (_steps is [.., var last] && last.Stage == entry.Stage && last.What == entry.What
            && last.Outcome == entry.Outcome)
        {
            _steps[^1] = last with { Count = last.Count + 1, Detail = entry.Detail };
            return;
        }
        if (_steps.Count == StepBound) _steps.RemoveAt(StepBound / 2);
        _steps.Add(entry);
    }

    public void End(BootOutcome outcome, string verdict)
    {
        if (Outcome == outcome && Verdict == verdict) return;
        Outcome = outcome;
        Verdict = verdict;
        Dirty = true;
    }

    /// <summary>Takes over what the store had of this boot before the daemon was restarted.</summary>
    public void Restore(BootView view)
    {
        _steps.AddRange(view.Steps);
        LastAt = view.LastAt;
        Verdict = view.Verdict;
        Outcome = Enum.Parse<BootOutcome>(view.Outcome, ignoreCase: true);
        PastDhcp = _steps.Exists(step => step.Stage is not ("dhcp" or "power"));
        PastLoader = _steps.Exists(step => step.Stage is not ("dhcp" or "power" or "tftp"));
    }

    public BootView View() => new(
        Id, DateTimeOffset.FromUnixTimeMilliseconds(Id), LastAt, Word(Outcome), Verdict, [.. _steps]);

    private static string Word<T>(T value) where T : struct, Enum => value.ToString().ToLowerInvariant();
}
