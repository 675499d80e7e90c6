using System.ComponentModel;
using Bramble.Processes;

namespace Bramble.Cli;

/// <summary>The daemon's own program, run for what only it can do without a running daemon.</summary>
internal static class DaemonProgram
{
    /// <summary>Passes on what it says, and its exit code.</summary>
    public static async Task<int> RunAsync(
        Session session, IReadOnlyList<string> arguments, CancellationToken cancellation)
    {
        var daemon = Find(session.Terminal)
            ?? throw new CliException(ExitCode.Failed,
                "there is no brambled to ask: neither beside this program nor on PATH. Set BRAMBLED to its path.");
        try
        {
            var result = await ChildProcess.RunAsync(
                daemon, arguments, timeout: session.Timeout, cancellation: cancellation);
            session.Terminal.Out.Write(result.Output);
            session.Terminal.Error.Write(result.Errors);
            return result.ExitCode;
        }
        catch (Win32Exception failed)
        {
            throw new CliException(ExitCode.Failed, $"cannot run {daemon}: {failed.Message}", failed);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new CliException(
                ExitCode.Failed, $"{daemon} did not end within the time allowed, and was stopped");
        }
    }

    private static string? Find(Terminal terminal)
    {
        if (terminal.Variable("BRAMBLED") is { Length: > 0 } told) return told;
        var path = (terminal.Variable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        return path.Prepend(AppContext.BaseDirectory)
            .Select(folder => Path.Combine(folder, "brambled"))
            .FirstOrDefault(File.Exists);
    }
}
