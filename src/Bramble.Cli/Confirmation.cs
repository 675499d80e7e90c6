namespace Bramble.Cli;

/// <summary>Asks before what cannot be undone.</summary>
internal static class Confirmation
{
    /// <summary>Refuses at once, before anything is asked of the manager, if nobody is there to be asked.</summary>
    public static void Require(Session session, string verb)
    {
        if (session.Yes || session.DryRun) return;
        if (session.Terminal.InIsTerminal && session.Terminal.ErrorIsTerminal) return;
        throw new UsageException($"'{verb}' asks before it acts, and there is no terminal to ask on; "
            + "say --yes to do it, or --dry-run to see what it would do");
    }

    /// <summary>True for yes; false has said that nothing was done.</summary>
    public static async Task<bool> AskAsync(
        Session session, string question, IEnumerable<string> details, CancellationToken cancellation)
    {
        if (session.Yes) return true;
        foreach (var detail in details) session.Say($"  {detail}");
        session.Terminal.Error.Write($"{Output.Human.Clean(question)} [y/N] ");
        var answer = await Task.Run(session.Terminal.In.ReadLine, cancellation).WaitAsync(cancellation);
        if (answer?.Trim().ToLowerInvariant() is "y" or "yes") return true;
        session.Say("nothing was done");
        return false;
    }
}
