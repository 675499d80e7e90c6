using System.CommandLine;
using Bramble.Cli.Completion;

namespace Bramble.Cli.Images;

internal static class ImageArgument
{
    public static Argument<string> Create(CommandSet set)
    {
        var image = new Argument<string>("IMAGE") { Description = "The image's name" };
        LiveNames.OfImages(set, image);
        return image;
    }
}
