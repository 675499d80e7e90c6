using System.CommandLine;
using Bramble.Contracts.Nodes;

namespace Bramble.Cli.Nodes;

internal static class NodeForgetCommand
{
    public static Command Create(CommandSet set) => NodeActionCommand.Create(set,
        new HelpfulCommand("forget", "Remove nodes and all that is known of them",
            "Asks first. The board's disk is left as it is; if the board boots again, it is a stranger.\n"
            + NodeArguments.Ways,
            "bramble node forget shelf-3 --dry-run"),
        NodeVerb.Forget, asks: true);
}
