using System.CommandLine;
using Bramble.Contracts.Nodes;

namespace Bramble.Cli.Nodes;

internal static class RestartCommand
{
    public static Command Create(CommandSet set) => NodeActionCommand.Create(set,
        new HelpfulCommand("restart", "Restart nodes, by power-cycling if nothing gentler is there",
            "Asks first.\n" + NodeArguments.Ways,
            "bramble restart 2 3 4\n"
            + "bramble restart phase=lost --yes --wait --timeout 5m"),
        NodeVerb.Restart, asks: true, NodeGoalTest.Restarted);
}
