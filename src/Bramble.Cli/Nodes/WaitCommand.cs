using System.CommandLine;
using Bramble.Contracts.Nodes;

namespace Bramble.Cli.Nodes;

internal static class WaitCommand
{
    public static Command Create(CommandSet set) => NodeActionCommand.Create(set,
        new HelpfulCommand("wait", "Hold nodes in the installer at their next boot",
            "The node stays in the installer's memory system, nothing is written, until 'bramble boot' or\n"
            + "'bramble install' says otherwise.\n" + NodeArguments.Ways,
            "bramble wait 2-9"),
        NodeVerb.Wait, asks: false);
}
