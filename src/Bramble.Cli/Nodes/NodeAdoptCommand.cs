using System.CommandLine;
using Bramble.Contracts.Nodes;

namespace Bramble.Cli.Nodes;

internal static class NodeAdoptCommand
{
    public static Command Create(CommandSet set) => NodeActionCommand.Create(set,
        new HelpfulCommand("adopt", "Take discovered boards as our own",
            "Boards that were heard on a network with 'adopt: ask' wait for this before they may boot.\n"
            + NodeArguments.Ways,
            "bramble node adopt phase=discovered"),
        NodeVerb.Adopt, asks: false);
}
