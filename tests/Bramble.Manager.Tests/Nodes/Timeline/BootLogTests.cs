using Bramble.Boot;
using Bramble.Manager.Nodes.Timeline;

namespace Bramble.Manager.Tests.Nodes.Timeline;

public sealed class BootLogTests
{
    private readonly BootLog _log = new(Sample.Start.ToUnixTimeMilliseconds());
    private int _seconds;

    private void Add(BootStage stage, string what, StepOutcome outcome = StepOutcome.Ok, string detail = "") =>
        _log.Add(new BootStep(Sample.Start.AddSeconds(++_seconds), stage, what, outcome, detail));

    [Fact]
    public void Like_steps_in_a_row_are_one_line_with_a_count_the_first_time_and_the_last_word()
    {
        for (var i = 1; i <= 5; i++) Add(BootStage.Dhcp, "DISCOVER", detail: $"xid {i}");
        Add(BootStage.Dhcp, "OFFER");
        Add(BootStage.Dhcp, "DISCOVER");
        Add(BootStage.Dhcp, "DISCOVER", StepOutcome.Ignored);
        Assert.Equal(["5 DISCOVER ok xid 5", "1 OFFER ok ", "1 DISCOVER ok ", "1 DISCOVER ignored "],
            _log.Steps.Select(s => $"{s.Count} {s.What} {s.Outcome} {s.Detail}"));
        Assert.Equal(Sample.Start.AddSeconds(1), _log.Steps[0].At);
        Assert.Equal(Sample.Start.AddSeconds(8), _log.LastAt);
    }

    [Fact]
    public void A_boot_that_never_ends_keeps_its_first_and_its_newest_steps()
    {
        for (var i = 0; i < 10_000; i++) Add(BootStage.Tftp, $"file{i}");
        Assert.InRange(_log.Steps.Count, 200, 400);
        Assert.Equal("file0", _log.Steps[0].What);
        Assert.Equal("file9999", _log.Steps[^1].What);
        Assert.Equal("file9998", _log.Steps[^2].What);
    }

    [Theory]
    [InlineData(BootStage.Dhcp, false)]
    [InlineData(BootStage.Power, false)]
    [InlineData(BootStage.Tftp, true)]
    [InlineData(BootStage.Http, true)]
    [InlineData(BootStage.Installer, true)]
    public void Only_what_comes_after_the_address_counts_as_getting_on(BootStage stage, bool past)
    {
        Add(stage, "x");
        Assert.Equal(past, _log.PastDhcp);
        var again = new BootLog(_log.Id);
        again.Restore(_log.View());
        Assert.Equal(past, again.PastDhcp);
        Assert.Equivalent(_log.View(), again.View());
    }

    [Fact]
    public void An_end_is_noted_once()
    {
        _log.End(BootOutcome.Stopped, "why");
        Assert.Equal((BootOutcome.Stopped, "why", true), (_log.Outcome, _log.Verdict, _log.Dirty));
        _log.Dirty = false;
        _log.End(BootOutcome.Stopped, "why");
        Assert.False(_log.Dirty);
    }
}
