namespace Bramble.Cli;

/// <summary>The command ends here: one clear sentence for stderr, and the exit code.</summary>
internal class CliException(int exitCode, string message, Exception? cause = null) : Exception(message, cause)
{
    public int ExitCode { get; } = exitCode;
}

/// <summary>What was typed cannot be done as typed.</summary>
internal sealed class UsageException(string message) : CliException(Cli.ExitCode.Usage, message);

/// <summary>The manager did not answer, or not as a manager does. A watcher may try again; nobody else does.</summary>
internal sealed class UnreachableException(string message, Exception? cause = null)
    : CliException(Cli.ExitCode.Unreachable, message, cause);
