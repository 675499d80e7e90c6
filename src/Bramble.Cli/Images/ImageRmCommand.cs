using System.CommandLine;
using Bramble.Cli.Api;
using Bramble.Contracts.Api;

namespace Bramble.Cli.Images;

internal static class ImageRmCommand
{
    public static Command Create(CommandSet set)
    {
        var image = ImageArgument.Create(set);
        var command = new HelpfulCommand("rm", "Remove an image from the store",
            "Asks first. An image that a node wants or has installed cannot be removed.",
            "bramble image rm raspios --dry-run")
        {
            image,
        };
        return set.Handle(command, async (session, cancellation) =>
        {
            Confirmation.Require(session, "image rm");
            var name = session.Value(image)!;
            var path = ApiPath.Of(ApiRoutes.Image, name);
            if (session.DryRun)
            {
                await session.Api.DeleteAsync(ApiPath.With(path, ("dryRun", "true")), cancellation);
                session.Say($"dry run: would remove image {name}");
                return ExitCode.Ok;
            }
            if (!session.Yes)
            {
                var there = (await session.Api.GetAsync(path, ContractsJson.Default.ImageView, cancellation)).Value;
                if (!await Confirmation.AskAsync(session, $"Remove image {there.Name}?",
                    [$"{there.Name}  {there.OsName}  {Output.Human.Size(there.SizeBytes)}"], cancellation))
                    return ExitCode.Failed;
            }
            await session.Api.DeleteAsync(path, cancellation);
            session.Say($"removed image {name}");
            return ExitCode.Ok;
        });
    }
}
