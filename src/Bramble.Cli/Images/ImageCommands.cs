using System.CommandLine;

namespace Bramble.Cli.Images;

/// <summary><c>bramble image …</c></summary>
internal static class ImageCommands
{
    public static Command Create(CommandSet set) => new HelpfulCommand(
        "image", "The images: add, build, list, show, remove")
    {
        ImageAddCommand.Create(set),
        new HelpfulCommand("build", "Build an image from a distribution's packages")
        {
            ImageBuildDebianCommand.Create(set),
        },
        ImageLsCommand.Create(set),
        ImageShowCommand.Create(set),
        ImageRmCommand.Create(set),
        ImageJobsCommand.Create(set),
    };
}
