using Spectre.Console;

namespace Bramble.Cli.Output;

/// <summary>How far something is.</summary>
/// <param name="Total">Octets; 0 if unknown.</param>
internal readonly record struct Advance(long Done, long Total, string Text);

/// <summary>A progress bar on stderr; where nobody looks, a line at each tenth and each new step.</summary>
internal static class Meter
{
    public static Task<T> RunAsync<T>(Session session, string title, Func<Action<Advance>, Task<T>> work)
    {
        if (!session.Terminal.ErrorIsTerminal) return work(Lines(session, title));
        return session.Printer.ErrorScreen().Progress()
            .AutoClear(true)
            .Columns(
                new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(),
                new DownloadedColumn(), new TransferSpeedColumn(), new RemainingTimeColumn())
            .StartAsync(context =>
            {
                var bar = context.AddTask(Markup.Escape(title), maxValue: 1);
                bar.IsIndeterminate = true;
                return work(step =>
                {
                    if (step.Text.Length > 0) bar.Description = Markup.Escape(Human.Clean($"{title}: {step.Text}"));
                    bar.IsIndeterminate = step.Total <= 0;
                    if (step.Total <= 0) return;
                    bar.MaxValue = step.Total;
                    bar.Value = Math.Min(step.Done, step.Total);
                });
            });
    }

    private static Action<Advance> Lines(Session session, string title)
    {
        var (text, tenth) = ("", 0L);
        return step =>
        {
            var now = step.Total > 0 ? Math.Clamp(step.Done * 10.0 / step.Total, 0, 10) : 0;
            if (step.Text == text && (long)now == tenth) return;
            (text, tenth) = (step.Text, (long)now);
            var share = step.Total > 0 ? $" {Human.Percent(step.Done, step.Total)} of {Human.Size(step.Total)}" : "";
            session.Say($"{title}:{share}{(text.Length > 0 ? " " + text : "")}");
        };
    }
}
