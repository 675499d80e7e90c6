using System.CommandLine;

namespace Bramble.Cli.Nodes;

/// <summary><c>bramble node …</c></summary>
internal static class NodeCommands
{
    public static Command Create(CommandSet set) => new HelpfulCommand(
        "node", "The nodes: list, show, change, add, adopt, forget")
    {
        NodeLsCommand.Create(set),
        NodeShowCommand.Create(set),
        NodeSetCommand.Create(set),
        NodeAddCommand.Create(set),
        NodeAdoptCommand.Create(set),
        NodeForgetCommand.Create(set),
        NodeKnownHostsCommand.Create(set),
    };
}
