using System.CommandLine;

namespace Bramble.Cli;

/// <summary>Ties a command's body to the parser: a session around it, and every failure as an exit code.</summary>
internal sealed class CommandSet(Terminal terminal)
{
    public Terminal Terminal { get; } = terminal;

    public GlobalOptions Options { get; } = new();

    public T Handle<T>(T command, Func<Session, CancellationToken, Task<int>> body)
        where T : Command
    {
        command.SetAction(async (typed, cancellation) =>
        {
            try
            {
                using var session = new Session(Terminal, Options, typed);
                return await body(session, cancellation);
            }
            catch (CliException problem)
            {
                Terminal.Error.WriteLine($"bramble: {problem.Message}");
                return problem.ExitCode;
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                Terminal.Error.WriteLine("bramble: interrupted");
                return ExitCode.Interrupted;
            }
            catch (IOException gone) when (IsBrokenPipe(gone))
            {
                // Who reads our output (head, a pager) has had enough; that is no failure.
                return ExitCode.Ok;
            }
        });
        return command;
    }

    private static bool IsBrokenPipe(IOException exception)
    {
        const int EPIPE = 32;
        return (exception.HResult & 0xffff) == EPIPE
            || exception.Message.Contains("Broken pipe", StringComparison.Ordinal);
    }
}
