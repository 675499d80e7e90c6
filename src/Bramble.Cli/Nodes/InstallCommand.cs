using System.CommandLine;
using Bramble.Cli.Completion;
using Bramble.Contracts.Nodes;

namespace Bramble.Cli.Nodes;

internal static class InstallCommand
{
    public static Command Create(CommandSet set) => NodeActionCommand.Create(set,
        new HelpfulCommand("install", "Install nodes whose image is not what is wanted",
            "Asks first: the disk is overwritten. Image and disk rule are kept as the node's own, for later installs.\n"
            + NodeArguments.Ways,
            "bramble install 2-9 --image debian12 --wait\n"
            + "bramble install rack=a --disk 'only >= 4GB' --dry-run"),
        NodeVerb.Install, asks: true, NodeGoalTest.Installed, ImageOption(set), DiskOption());

    public static Option<string?> ImageOption(CommandSet set)
    {
        var image = new Option<string?>("--image") { Description = "Image to install; else the node's own" };
        LiveNames.OfImages(set, image);
        return image;
    }

    public static Option<string?> DiskOption() => new("--disk")
    {
        Description = "Disk to install to: /dev/mmcblk0, or a rule as 'only >= 4GB'; else the node's own",
    };
}
