using System.CommandLine;

namespace Bramble.Cli.Explain;

/// <summary><c>bramble explain …</c>: what would be answered, and why.</summary>
internal static class ExplainCommands
{
    public static Command Create(CommandSet set) =>
        new HelpfulCommand("explain", "Explain what a board would be answered, and why")
        {
            ExplainDhcpCommand.Create(set),
            ExplainBootCommand.Create(set),
        };
}
