using Spectre.Console.Rendering;

namespace Bramble.Cli.Output;

/// <summary>
/// Shows a list again and again: on a terminal in place, else (a file, a pipe, a program) anew whenever it has changed.
/// A manager that goes away after the first look is waited for.
/// </summary>
internal static class Watch
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <param name="fetch">Gets the list.</param>
    /// <param name="draw">What people see of it.</param>
    /// <param name="key">What counts as a change for people; ages of things do not.</param>
    public static async Task<int> RunAsync<T>(
        Session session, Func<CancellationToken, Task<Api.Answer<T>>> fetch, Func<T, IRenderable> draw,
        Func<T, string> key, CancellationToken cancellation)
    {
        var inPlace = session.Terminal.OutIsTerminal && !session.Printer.Format.IsForMachines()
            && session.Terminal.Variable("TERM") != "dumb";
        string? before = null;
        var patience = new Patience(session);
        while (true)
        {
            if (await patience.TryAsync(fetch, cancellation) is { } answer)
            {
                var now = session.Printer.Format.IsForMachines() ? answer.Raw.GetRawText() : key(answer.Value);
                if (inPlace)
                {
                    // Home, the new text with every line's rest erased, then all below erased: no flicker.
                    var text = session.Printer.Render(draw(answer.Value));
                    text = text.Replace("\n", "\e[K\n", StringComparison.Ordinal);
                    session.Terminal.Out.Write($"{(before is null ? "\e[2J" : "")}\e[H{text}\e[J");
                }
                else if (now != before)
                {
                    if (before is not null && !session.Printer.Format.IsForMachines()) session.Printer.Line("");
                    session.Printer.ShowNext(answer.Raw, () => draw(answer.Value));
                }
                before = now;
            }
            await Task.Delay(Interval, session.Terminal.Time, cancellation);
        }
    }
}
