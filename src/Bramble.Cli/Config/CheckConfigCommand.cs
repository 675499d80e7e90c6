using System.CommandLine;
using System.ComponentModel;
using Bramble.Processes;

namespace Bramble.Cli.Config;

/// <summary>Has the daemon's own program read a configuration, so that both always agree about it.</summary>
internal static class CheckConfigCommand
{
    public const string UsualFile = "/etc/bramble/bramble.yaml";

    public static Command Create(CommandSet set)
    {
        var file = new Argument<string>("FILE")
        {
            Description = "The manager's configuration",
            Arity = ArgumentArity.ZeroOrOne,
            DefaultValueFactory = _ => UsualFile,
        };
        var command = new HelpfulCommand("check-config", "Check a configuration of the manager, without starting it",
            "Runs 'brambled check-config FILE' (from BRAMBLED, beside this program, or on PATH), and passes on what\n"
            + "it says and its exit code.",
            "bramble check-config ./bramble.yaml && systemctl restart brambled")
        {
            file,
        };
        return set.Handle(command, async (session, cancellation) =>
        {
            var daemon = Find(session.Terminal)
                ?? throw new CliException(ExitCode.Failed,
                    "there is no brambled to ask: neither beside this program nor on PATH. Set BRAMBLED to its path.");
            try
            {
                var result = await ChildProcess.RunAsync(
                    daemon, ["check-config", session.Value(file)!], timeout: session.Timeout,
                    cancellation: cancellation);
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
        });
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
