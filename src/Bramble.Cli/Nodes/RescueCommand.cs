using System.CommandLine;
using Bramble.Contracts.Nodes;

namespace Bramble.Cli.Nodes;

internal static class RescueCommand
{
    public static Command Create(CommandSet set) => NodeActionCommand.Create(set,
        new HelpfulCommand("rescue", "Have nodes boot into the rescue system",
            "From the next boot on, the node stays in the rescue system, reachable over SSH, its disk untouched.\n"
            + "'bramble boot' brings it back.\n" + NodeArguments.Ways,
            "bramble rescue shelf-3 && bramble restart shelf-3"),
        NodeVerb.Rescue, asks: false, NodeGoalTest.InRescue);
}
