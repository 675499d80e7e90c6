using System.CommandLine;
using Bramble.Contracts.Nodes;

namespace Bramble.Cli.Nodes;

internal static class BootCommand
{
    public static Command Create(CommandSet set) => NodeActionCommand.Create(set,
        new HelpfulCommand("boot", "Back to the installed system from rescue or wait",
            "Also clears a failure, so that the next boot tries anew.\n" + NodeArguments.Ways,
            "bramble boot phase=failed --wait"),
        NodeVerb.Boot, asks: false, NodeGoalTest.Running);
}
