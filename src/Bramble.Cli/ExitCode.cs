namespace Bramble.Cli;

/// <summary>The exit codes that scripts can rely on; documented in docs/operations/cli.md.</summary>
internal static class ExitCode
{
    public const int Ok = 0;

    /// <summary>The manager said no, some node refused, or what was waited for failed.</summary>
    public const int Failed = 1;

    /// <summary>The command line is wrong, or lacks a confirmation that it needs.</summary>
    public const int Usage = 2;

    /// <summary>The manager cannot be reached, does not answer in time, or is not Bramble.</summary>
    public const int Unreachable = 3;

    /// <summary>No token, an unknown one, or one whose role does not allow it.</summary>
    public const int Denied = 4;

    public const int NotFound = 5;

    /// <summary>128 + SIGINT, as shells count it.</summary>
    public const int Interrupted = 130;
}
