using System.CommandLine;
using Bramble.Contracts.Nodes;

namespace Bramble.Cli.Nodes;

internal static class ReinstallCommand
{
    public static Command Create(CommandSet set) => NodeActionCommand.Create(set,
        new HelpfulCommand("reinstall", "Install nodes anew, whatever is on them",
            "Asks first: the disk is overwritten.\n" + NodeArguments.Ways,
            "bramble reinstall 2 3 4 --yes --wait --timeout 30m"),
        NodeVerb.Reinstall, asks: true, NodeGoalTest.Installed,
        InstallCommand.ImageOption(set), InstallCommand.DiskOption());
}
